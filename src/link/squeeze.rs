//! Frames made shorter (zstd), where that is worth its time: where the line is slower than the squeezing, and what goes over it
//! gets shorter by it.

use std::io;
use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};
use zstd::bulk::{Compressor, Decompressor};

use super::frame::{MAX_FRAME, SQUEEZED};
use crate::replica::sealed::Sealed;

/// The fastest level.
const LEVEL: i32 = 1;
/// Shorter frames are not worth it.
const LEAST: usize = 4096;
/// A line that takes more bytes a second gains nothing: squeezing has about four times this speed, and what it takes of a core
/// must stay little.
const FAST: u64 = 120_000_000;
/// Bytes over which the speed of the line is averaged.
const AVERAGED: u64 = 4 << 20;
/// So many frames go as they are after one that got no shorter; it doubles.
const FIRST_PAUSE: u32 = 4;
/// The most.
const LAST_PAUSE: u32 = 64;

/// Squeezes what goes over one line.
pub struct Squeezer {
    with: Compressor<'static>,
    /// What went of late, and how long it took.
    bytes: u64,
    took: Duration,
    /// Frames that go as they are, and how many the next time.
    pause: u32,
    next_pause: u32,
}

impl Squeezer {
    /// One for a new line.
    pub fn new() -> io::Result<Self> {
        let with = Compressor::new(LEVEL)?;
        Ok(Self { with, bytes: 0, took: Duration::ZERO, pause: 0, next_pause: FIRST_PAUSE })
    }

    /// The frame, shorter if that is worth its time.
    pub fn squeeze(&mut self, frame: Sealed) -> Sealed {
        if frame.len() < LEAST || !self.is_slow() {
            return frame;
        }
        if self.pause > 0 {
            self.pause -= 1;
            return frame;
        }
        let frame = frame.join();
        let Ok(squeezed) = self.with.compress(&frame) else { return frame.into() };
        if squeezed.len() > frame.len() / 10 * 9 {
            self.pause = self.next_pause;
            self.next_pause = (self.next_pause * 2).min(LAST_PAUSE);
            return frame.into();
        }
        self.next_pause = FIRST_PAUSE;
        let mut out = BytesMut::with_capacity(1 + squeezed.len());
        out.put_u8(SQUEEZED);
        out.put_slice(&squeezed);
        out.freeze().into()
    }

    /// So many bytes went, and took so long.
    pub fn sent(&mut self, bytes: usize, took: Duration) {
        self.bytes += bytes as u64;
        self.took += took;
        if self.bytes > AVERAGED {
            (self.bytes, self.took) = (self.bytes / 2, self.took / 2);
        }
    }

    fn is_slow(&self) -> bool {
        u128::from(self.bytes) * 1_000_000_000 < u128::from(FAST) * self.took.as_nanos()
    }
}

/// The frame as it was before it was squeezed, if it was. It is never longer than a frame may be.
pub fn unsqueeze(frame: Bytes) -> io::Result<Bytes> {
    if frame.first() != Some(&SQUEEZED) {
        return Ok(frame);
    }
    Ok(Decompressor::new()?.decompress(&frame[1..], MAX_FRAME)?.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slow() -> Squeezer {
        let mut squeezer = Squeezer::new().unwrap();
        squeezer.sent(1_000_000, Duration::from_secs(1));
        squeezer
    }

    /// What goes over the line for a frame.
    fn squeezed(squeezer: &mut Squeezer, frame: Bytes) -> Bytes {
        squeezer.squeeze(frame.into()).join()
    }

    fn text() -> Bytes {
        Bytes::from("1044;coffee;2.50\n".repeat(1000))
    }

    fn noise() -> Bytes {
        let mut noise = vec![0; 20_000];
        blake3::Hasher::new().finalize_xof().fill(&mut noise);
        noise.into()
    }

    #[test]
    fn what_gets_shorter_comes_back_as_it_was() {
        let short = squeezed(&mut slow(), text());
        assert!(short.len() < text().len() / 10 && short[0] == SQUEEZED);
        assert_eq!(unsqueeze(short).unwrap(), text());
        assert_eq!(squeezed(&mut slow(), Bytes::from_static(b"short")), b"short"[..]);
        assert_eq!(unsqueeze(noise()).unwrap(), noise());
    }

    #[test]
    fn a_line_that_is_fast_gains_nothing() {
        let mut squeezer = Squeezer::new().unwrap();
        assert_eq!(squeezed(&mut squeezer, text()), text(), "nothing is known of the line yet");
        squeezer.sent(1_000_000, Duration::from_millis(1));
        assert_eq!(squeezed(&mut squeezer, text()), text());
        (0..100).for_each(|_| squeezer.sent(100_000, Duration::from_millis(10)));
        assert_ne!(squeezed(&mut squeezer, text()), text(), "it has become slow");
    }

    #[test]
    fn what_gets_no_shorter_is_not_tried_each_time() {
        let mut squeezer = slow();
        assert_eq!(squeezed(&mut squeezer, noise()), noise());
        let tries = (0..200).filter(|_| squeezed(&mut squeezer, text()) == text()).count();
        assert_eq!(tries, FIRST_PAUSE as usize, "then what gets shorter is found again");
    }

    #[test]
    fn what_would_grow_beyond_a_frame_is_refused() {
        let bomb = zstd::bulk::compress(&vec![0; MAX_FRAME + 1], LEVEL).unwrap();
        assert!(bomb.len() < 1000);
        assert!(unsqueeze([&[SQUEEZED], &bomb[..]].concat().into()).is_err());
        assert!(unsqueeze(Bytes::from_static(&[SQUEEZED, 1, 2, 3])).is_err());
    }
}
