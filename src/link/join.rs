//! How two machines that know nothing of each other join: by a short code that a person carries from one to the other.
//!
//! The code goes through SPAKE2, so that whoever listens learns nothing of it, and whoever guesses has one guess a try. The
//! proof at the end covers the certificates of both sides and a secret of the connection: somebody in between would have
//! other ones on each side.

use std::fmt;
use std::io;
use std::str::FromStr;

use rustls::crypto::SecureRandom;
use serde::{Deserialize, Serialize};
use spake2::{Ed25519Group, Identity, Password, Spake2};
use tokio::io::{AsyncRead, AsyncWrite};

use super::identity::MachineId;
use super::speech::{hear, say};

/// How many guesses a code bears.
pub const TRIES: u32 = 3;

/// Letters and digits that nobody takes for another over the telephone.
const LETTERS: &[u8; 32] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";

/// How many of them a code has.
const LENGTH: usize = 6;

/// A code that joins two machines: `K7F-3QX`.
#[derive(Clone, PartialEq, Eq)]
pub struct Code([u8; LENGTH]);

/// What is typed is no code.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("a code has six letters and digits, such as K7F-3QX")]
pub struct NoCode;

/// Why two machines did not join.
#[derive(Debug, thiserror::Error)]
pub enum JoinError {
    /// The other side has another code.
    #[error("the code is wrong")]
    WrongCode,
    /// The connection broke, or the other side said something strange.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// What both sides of a connection know of it.
#[derive(Clone, Copy, Debug)]
pub struct Ends {
    /// The machine that asks to join.
    pub asking: MachineId,
    /// The machine that was asked.
    pub asked: MachineId,
    /// A secret of the connection.
    pub secret: [u8; 32],
}

#[derive(Serialize, Deserialize)]
struct Share {
    spake: Vec<u8>,
}

#[derive(Serialize, Deserialize)]
struct Proof {
    proof: Option<[u8; 32]>,
}

impl Code {
    /// A new one.
    pub fn random() -> io::Result<Self> {
        Self::new(rustls::crypto::aws_lc_rs::default_provider().secure_random)
    }

    /// A new one, from `random`.
    pub fn new(random: &dyn SecureRandom) -> io::Result<Self> {
        let mut code = [0; LENGTH];
        random.fill(&mut code).map_err(|_| io::Error::other("this machine gives no random numbers"))?;
        Ok(Self(code.map(|byte| LETTERS[usize::from(byte) % LETTERS.len()])))
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = String::from_utf8_lossy(&self.0);
        write!(f, "{}-{}", &text[..3], &text[3..])
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Code(hidden)")
    }
}

impl FromStr for Code {
    type Err = NoCode;

    /// As it was typed: small letters, blanks and hyphens do not matter.
    fn from_str(text: &str) -> Result<Self, NoCode> {
        let letters: Vec<u8> =
            text.bytes().filter(|byte| !matches!(byte, b'-' | b' ')).map(|byte| byte.to_ascii_uppercase()).collect();
        let code: [u8; LENGTH] = letters.try_into().map_err(|_| NoCode)?;
        code.iter().all(|letter| LETTERS.contains(letter)).then_some(Self(code)).ok_or(NoCode)
    }
}

/// Asks to join. Ends well only if the other side has the same code.
pub async fn ask(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    ends: &Ends,
    code: &Code,
) -> Result<(), JoinError> {
    let (state, share) = Spake2::<Ed25519Group>::start_a(&Password::new(code.0), &name(ends.asking), &name(ends.asked));
    say(stream, &Share { spake: share }).await?;
    let theirs: Share = hear(stream).await?;
    let key = key(state, &theirs)?;
    say(stream, &Proof { proof: Some(prove(&key, b"asking", ends)) }).await?;
    let answer: Proof = hear(stream).await?;
    if same(answer.proof, prove(&key, b"asked", ends)) { Ok(()) } else { Err(JoinError::WrongCode) }
}

/// Answers who asks to join. Ends well only if it has the same code; [`JoinError::WrongCode`] is a guess spent.
pub async fn answer(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    ends: &Ends,
    code: &Code,
) -> Result<(), JoinError> {
    let (state, share) = Spake2::<Ed25519Group>::start_b(&Password::new(code.0), &name(ends.asking), &name(ends.asked));
    let theirs: Share = hear(stream).await?;
    say(stream, &Share { spake: share }).await?;
    let key = key(state, &theirs)?;
    // From here on whoever does not answer has spent a guess, too: what was said can be tried out.
    let proof = hear::<Proof>(stream).await.map_err(|_| JoinError::WrongCode)?;
    if !same(proof.proof, prove(&key, b"asking", ends)) {
        let _ = say(stream, &Proof { proof: None }).await;
        return Err(JoinError::WrongCode);
    }
    say(stream, &Proof { proof: Some(prove(&key, b"asked", ends)) }).await?;
    Ok(())
}

fn name(id: MachineId) -> Identity {
    Identity::new(id.to_string().as_bytes())
}

fn key(state: Spake2<Ed25519Group>, theirs: &Share) -> Result<[u8; 32], JoinError> {
    // What is no point of the curve is no guess either; to the other side it looks like one.
    let shared = state.finish(&theirs.spake).map_err(|_| JoinError::WrongCode)?;
    Ok(blake3::derive_key("espejo join 1", &shared))
}

fn prove(key: &[u8; 32], role: &[u8], ends: &Ends) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new_keyed(key);
    hasher.update(role).update(ends.asking.to_string().as_bytes()).update(ends.asked.to_string().as_bytes());
    *hasher.update(&ends.secret).finalize().as_bytes()
}

/// Whether a proof is the right one; how long that takes tells nothing about it.
fn same(proof: Option<[u8; 32]>, right: [u8; 32]) -> bool {
    proof.is_some_and(|proof| blake3::Hash::from_bytes(proof) == blake3::Hash::from_bytes(right))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::link::identity;

    fn random() -> &'static dyn SecureRandom {
        rustls::crypto::aws_lc_rs::default_provider().secure_random
    }

    fn ends() -> Ends {
        let id = || identity::Identity::make().unwrap().id();
        Ends { asking: id(), asked: id(), secret: [7; 32] }
    }

    async fn meet(asks: Ends, answers: Ends, codes: [&Code; 2]) -> [Result<(), JoinError>; 2] {
        let (mut a, mut b) = tokio::io::duplex(10_000);
        let asking = async move { ask(&mut a, &asks, codes[0]).await };
        let (asked, answered) = tokio::join!(asking, async move { answer(&mut b, &answers, codes[1]).await });
        [asked, answered]
    }

    #[tokio::test]
    async fn the_same_code_joins_and_another_does_not() {
        let (ends, code) = (ends(), Code::new(random()).unwrap());
        assert!(matches!(meet(ends, ends, [&code, &code]).await, [Ok(()), Ok(())]));
        let other = Code::new(random()).unwrap();
        assert!(matches!(meet(ends, ends, [&code, &other]).await, [Err(_), Err(JoinError::WrongCode)]));
    }

    #[tokio::test]
    async fn somebody_in_between_is_noticed_though_the_code_is_right() {
        let (here, code) = (ends(), Code::new(random()).unwrap());
        for there in [
            Ends { secret: [8; 32], ..here },
            Ends { asked: ends().asked, ..here },
            Ends { asking: ends().asking, ..here },
        ] {
            assert!(matches!(meet(here, there, [&code, &code]).await, [Err(_), Err(JoinError::WrongCode)]));
        }
    }

    #[test]
    fn a_code_is_read_as_it_is_told_over_the_telephone() {
        let code: Code = "K7F-3QX".parse().unwrap();
        assert_eq!(code.to_string(), "K7F-3QX");
        assert_eq!(" k7f 3qx".parse(), Ok(code.clone()));
        assert_eq!(format!("{code:?}"), "Code(hidden)");
        for wrong in ["", "K7F-3Q", "K7F-3QXA", "K7F-3Q0", "ñ7F-3Q", "O7F-3QX"] {
            assert_eq!(wrong.parse::<Code>(), Err(NoCode), "{wrong}");
        }
    }
}
