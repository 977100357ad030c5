//! How a comparison of every byte reads: at once, because a person waits for it, or beside everything else.

use std::time::Duration;

/// How much a comparison may take of a machine.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Haste {
    /// All that is free: somebody waits for it.
    #[default]
    AtOnce,
    /// A tenth of the time, in short stretches: it is done once a day, in a shop that sells.
    Beside,
}

/// Of so much time one part is worked, where it is done beside everything else.
const SHARE: u32 = 10;

impl Haste {
    /// Blocks that are compared at a stretch.
    #[must_use]
    pub fn stretch(self) -> u64 {
        match self {
            Self::AtOnce => 4096,
            Self::Beside => 256,
        }
    }

    /// How long is rested after so much work.
    #[must_use]
    pub fn rest(self, worked: Duration) -> Duration {
        match self {
            Self::AtOnce => Duration::ZERO,
            Self::Beside => worked * (SHARE - 1),
        }
    }
}
