//! Buffers that go round: what was read into one is sent from there, without being copied, and when it has gone another
//! stretch is read into it. New ones for each would cost more than reading.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use bytes::{Bytes, BytesMut};

/// Bytes of one buffer.
pub const ROOM: usize = 256 * 1024;

/// Up to so many bytes it is not worth keeping a whole buffer from others.
const LITTLE: usize = 32 * 1024;

/// Buffers that go round, in the order in which they were filled.
#[derive(Debug, Default)]
pub struct Round {
    out: Mutex<VecDeque<Bytes>>,
}

impl Round {
    /// Has `fill` fill `wanted` bytes, at most [`ROOM`]; it says how many there were. Returns those.
    pub fn fill<E>(&self, wanted: usize, fill: impl FnOnce(&mut [u8]) -> Result<usize, E>) -> Result<Bytes, E> {
        if wanted <= LITTLE {
            let mut bytes = BytesMut::zeroed(wanted);
            let got = fill(&mut bytes)?;
            bytes.truncate(got);
            return Ok(bytes.freeze());
        }
        let mut room = self.free().unwrap_or_else(|| BytesMut::zeroed(ROOM));
        let got = fill(&mut room[..wanted])?;
        let whole = room.freeze();
        let bytes = whole.slice(..got);
        self.out.lock().unwrap_or_else(PoisonError::into_inner).push_back(whole);
        Ok(bytes)
    }

    /// The oldest one, if nobody needs what is in it any more.
    fn free(&self) -> Option<BytesMut> {
        let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        match out.pop_front()?.try_into_mut() {
            Ok(room) => Some(room),
            Err(needed) => {
                out.push_front(needed);
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(round: &Round, with: u8) -> Bytes {
        let fill = |room: &mut [u8]| {
            room.fill(with);
            Result::<usize, ()>::Ok(room.len() - 1)
        };
        round.fill(ROOM, fill).unwrap()
    }

    #[test]
    fn a_buffer_comes_round_when_nobody_needs_it() {
        let round = Round::default();
        let (first, second) = (filled(&round, 1), filled(&round, 2));
        let (place, part) = (first.as_ptr(), first.slice(5..9));
        drop(first);
        assert_ne!(filled(&round, 3).as_ptr(), place, "a part of it is still needed");
        assert_eq!((&part[..], second.len(), second[0]), (&[1; 4][..], ROOM - 1, 2));
        drop(part);
        assert_eq!(filled(&round, 4).as_ptr(), place);
        let little = round.fill(7, |room| Result::<usize, ()>::Ok(room.len())).unwrap();
        assert_eq!((little.len(), round.out.lock().unwrap().len()), (7, 3), "little ones keep none");
    }
}
