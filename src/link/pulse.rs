//! The heartbeat: a small datagram, so that nothing that is lost on the line delays the next one.
//!
//! Its key is made for one connection by both sides; what is not sealed with it, or is not newer than the last one, says
//! nothing.

/// Bytes of a datagram.
pub const LENGTH: usize = 4 + 8 + 8 + 8 + 4 + 8 + 1 + MAC;
/// Bytes of the seal.
const MAC: usize = 16;
/// How each begins.
const MAGIC: [u8; 4] = *b"ESP1";

/// One heartbeat.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Pulse {
    /// Which connection the key was made for.
    pub session: u64,
    /// The number of this one, from 1.
    pub number: u64,
    /// The highest number that was heard from the other side; 0: none yet.
    pub echo: u64,
    /// Microseconds since that was heard.
    pub held_us: u32,
    /// The epoch that is known.
    pub epoch: u64,
    /// What the machine does and how it is, for who sends it to say.
    pub state: u8,
}

/// Seals and opens heartbeats.
#[derive(Clone)]
pub struct Key([u8; 32]);

impl Key {
    /// The key that is made of a connection's secret.
    #[must_use]
    pub fn of(secret: &[u8; 32]) -> Self {
        Self(blake3::derive_key("espejo heartbeat 1", secret))
    }

    /// The datagram. `from_main`: whether the machine that was set up as main sends it, so that none can be sent back.
    #[must_use]
    pub fn seal(&self, pulse: &Pulse, from_main: bool) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(LENGTH);
        bytes.extend(MAGIC);
        for number in [pulse.session, pulse.number, pulse.echo] {
            bytes.extend(number.to_be_bytes());
        }
        bytes.extend(pulse.held_us.to_be_bytes());
        bytes.extend(pulse.epoch.to_be_bytes());
        bytes.push(pulse.state);
        let mac = self.mac(&bytes, from_main);
        bytes.extend(&mac.as_bytes()[..MAC]);
        bytes
    }

    /// What a datagram says, if it was sealed with this key by the other side.
    #[must_use]
    pub fn open(&self, bytes: &[u8], from_main: bool) -> Option<Pulse> {
        let (said, seal) = bytes.split_at_checked(LENGTH - MAC)?;
        let mut whole = [0; 32];
        let mac = self.mac(said, from_main);
        if bytes.len() != LENGTH {
            return None;
        }
        whole[..MAC].copy_from_slice(seal);
        whole[MAC..].copy_from_slice(&mac.as_bytes()[MAC..]);
        // Compared in a time that tells nothing.
        if mac != blake3::Hash::from_bytes(whole) {
            return None;
        }
        let mut rest = said.strip_prefix(&MAGIC)?;
        let mut number = |length: usize| {
            let (bytes, after) = rest.split_at(length);
            rest = after;
            bytes.iter().fold(0u64, |number, &byte| number << 8 | u64::from(byte))
        };
        let [session, number_, echo] = [number(8), number(8), number(8)];
        let (held_us, epoch, state) = (number(4), number(8), number(1));
        let (held_us, state) = (u32::try_from(held_us).ok()?, u8::try_from(state).ok()?);
        Some(Pulse { session, number: number_, echo, held_us, epoch, state })
    }

    fn mac(&self, said: &[u8], from_main: bool) -> blake3::Hash {
        let mut hasher = blake3::Hasher::new_keyed(&self.0);
        hasher.update(said).update(&[u8::from(from_main)]);
        hasher.finalize()
    }
}

/// Which connection a datagram speaks of, whoever sealed it.
#[must_use]
pub fn session_of(bytes: &[u8]) -> Option<u64> {
    let session = bytes.strip_prefix(&MAGIC)?.get(..8)?;
    (bytes.len() == LENGTH).then(|| session.iter().fold(0, |number, &byte| number << 8 | u64::from(byte)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_pulse_comes_back_and_one_wrong_bit_is_noticed(
            numbers in prop::array::uniform4(any::<u64>()), held_us in any::<u32>(), state in any::<u8>(), bit in 0..LENGTH * 8,
        ) {
            let [session, number, echo, epoch] = numbers;
            let pulse = Pulse { session, number, echo, held_us, epoch, state };
            let key = Key::of(&[3; 32]);
            let mut sealed = key.seal(&pulse, true);
            prop_assert_eq!(session_of(&sealed), Some(session));
            prop_assert_eq!(key.open(&sealed, true), Some(pulse));
            prop_assert_eq!(key.open(&sealed, false), None, "sent back");
            prop_assert_eq!(Key::of(&[4; 32]).open(&sealed, true), None);
            sealed[bit / 8] ^= 1 << (bit % 8);
            prop_assert_eq!(key.open(&sealed, true), None);
        }

        #[test]
        fn garbage_says_nothing(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            prop_assert_eq!(Key::of(&[3; 32]).open(&bytes, true), None);
        }
    }
}
