//! What the two halves say to each other. One frame is one kind byte and then a part as it is sealed, or a sealed head.

use bytes::{BufMut, Bytes, BytesMut};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::replica::part::{BadPart, Part};
use crate::replica::sealed::{MAX_SEALED, Sealed, Unsealable, seal, unseal};
use crate::replica::{Body, Kind, Meta, Position, Proof, RelPath, Sum, Time};

/// The version of what is said. A frame that this version adds is said only on a link on which it is spoken: see
/// [`super::port::Port::spoken`].
pub const PROTOCOL: u32 = 5;

/// The oldest version that is spoken still, so that the two machines of a store can be updated one after the other.
pub const OLDEST: u32 = PROTOCOL - 1;

/// Bytes of one frame, at the most. A longer one is not read.
pub const MAX_FRAME: usize = MAX_SEALED + 1;

const PART: u8 = 1;
const HEAD: u8 = 2;
/// Any frame, made shorter on the line: see [`super::squeeze`].
pub(super) const SQUEEZED: u8 = 3;

/// What the serving side says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ToMirror {
    /// A piece of a generation, with its bytes as they are to be journaled.
    Part(Part, Bytes),
    /// Anything else.
    Say(Say),
}

/// What the serving side says beside generations.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Say {
    /// The first frame.
    Hello(Hello),
    /// How the source is.
    Told(Told),
    /// The oldest change that is not acknowledged is so old; none: there is no such change.
    Behind {
        /// Its age in milliseconds.
        age_ms: Option<u64>,
        /// Bytes of what is known to have changed.
        bytes: u64,
    },
    /// A comparison of every byte of the source goes on.
    Proving {
        /// Files compared so far.
        files: u64,
        /// Bytes compared so far.
        bytes: u64,
    },
    /// A comparison of every byte of the source is done.
    Proved {
        /// Files compared.
        files: u64,
        /// Bytes compared.
        bytes: u64,
        /// Files that had changed unseen. They are in a generation before this frame.
        differed: u64,
        /// The position at which `digest` holds.
        position: Position,
        /// One proof for everything that the source takes the mirror to hold.
        digest: Proof,
    },
    /// Nothing is written any more, and all that there was is in the mirror: does it hold the same?
    Last {
        /// The position at which `digest` holds.
        position: Position,
        /// One proof for everything that the source takes the mirror to hold.
        digest: Proof,
    },
    /// What really stands under these names?
    Look(Vec<RelPath>),
    /// The first copy that was begun cannot be ended. Say anew what came of it.
    GiveUp,
    /// A canary: it goes the way that changes go, once a cycle, so that it is known to work where nothing changes.
    Canary {
        /// The source's clock, before it was looked whether anything is to be sent.
        at: Time,
        /// Nothing was: the mirror holds all that the source held then.
        level: bool,
    },
    /// A piece of the start state: what stood there when the source began to serve.
    Start(Start),
    /// Databases that are captured as plain files, with the reason. Said whole whenever any of it changes.
    Plain(Vec<(String, String)>),
    /// What `Behind` says, and in how many files that is.
    BehindIn {
        /// Age of the oldest change that is not acknowledged, in milliseconds; none: there is no such change.
        age_ms: Option<u64>,
        /// Bytes of what is known to have changed.
        bytes: u64,
        /// Files that are known to have changed.
        files: u64,
    },
}

/// A piece of the start state. Nothing is said of folders.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Start {
    /// This stood under a name. The sums of a file follow.
    Held {
        /// The name.
        path: RelPath,
        /// What it was.
        what: Holding,
    },
    /// Sums of neighbouring blocks of the file that was named last.
    Sums {
        /// The number of the first block.
        first: u64,
        /// The sums.
        sums: Vec<Sum>,
    },
    /// That was all.
    IsAll {
        /// It was the start state; else nobody knows that, and it was what stands there now.
        known: bool,
    },
}

/// The first frame of the serving side.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Hello {
    /// The version of what it says.
    pub protocol: u32,
    /// The epoch in which it serves.
    pub epoch: u64,
    /// Generations before that epoch.
    pub start: u64,
    /// The dataset's name.
    pub dataset: String,
    /// What it knows of already, byte for byte: that of the last acknowledgement, and that of what was on its way when the
    /// link before this one went.
    pub knows: Vec<Position>,
}

/// How the source is. Said whole whenever any of it changes.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Told {
    /// The kinds of the files in the dataset.
    pub kinds: Vec<Kind>,
    /// Files in it.
    pub files: u64,
    /// Bytes in them.
    pub bytes: u64,
    /// Files that cannot be read, as people may read their names.
    pub unreadable: Vec<String>,
    /// What is there and is not copied.
    pub special: Vec<String>,
    /// More than half of the files are gone at once: how many, of how many.
    pub removals: Option<(u64, u64)>,
    /// Files that had content and are empty now.
    pub emptied: Vec<String>,
    /// Files that are older by far than the mirror has them.
    pub older: Vec<String>,
    /// Why the source cannot be captured.
    pub error: Option<String>,
    /// Not everything is watched: milliseconds between rescans.
    pub rescans_ms: Option<u64>,
    /// It lies on another machine, of whose changes the system tells nothing.
    pub is_remote: bool,
}

/// What the mirroring side says.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum ToSource {
    /// Its answer to the first frame. What it holds follows.
    Welcome(Welcome),
    /// This stands in the mirror. The sums of a file follow.
    Holds {
        /// The name.
        path: RelPath,
        /// Mode, owner and time.
        meta: Meta,
        /// What it is.
        what: Holding,
    },
    /// Sums of neighbouring blocks of the file that was named last.
    Sums {
        /// The number of the first block.
        first: u64,
        /// The sums.
        sums: Vec<Sum>,
    },
    /// That was all that the mirror holds.
    ThatIsAll,
    /// Nothing stands in the mirror under this name.
    HoldsNot(RelPath),
    /// What was said of single names since the last [`ToSource::Welcome`] holds at this position.
    Observed(Position),
    /// The generation is durable.
    Ack(Position),
    /// The generation cannot be taken now.
    Refused {
        /// Its number.
        seq: u64,
    },
    /// Compare every byte.
    Prove,
    /// Whether the mirror holds what [`Say::Last`] said.
    ComparedLast {
        /// It does.
        agrees: bool,
    },
    /// A person says: what is gone, is meant to be.
    AcceptRemovals,
    /// A person says: what is empty, is meant to be.
    AcceptEmptied,
    /// A person says: the source is to be taken over though it is older.
    AcceptOlder,
    /// Say what stood there when the other side began to serve: this side was the server before, and may hold what nobody else
    /// does.
    TellStart {
        /// The last epoch in which it was.
        served: u64,
    },
    /// Compare every byte beside everything else, in no hurry.
    Scrub,
    /// What the mirror holds never held still, as far as it knows. Between [`ToSource::Welcome`] and [`ToSource::ThatIsAll`].
    Unsteady,
}

/// The first frame of the mirroring side.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Welcome {
    /// The version of what it says.
    pub protocol: u32,
    /// The highest epoch that it has seen.
    pub epoch: u64,
    /// The last generation that is durable there.
    pub position: Position,
    /// Whether what it holds was committed: else a first copy is to come, or to go on.
    pub committed: bool,
    /// The other side knows what it holds: it is not said again.
    pub known: bool,
}

/// What stands under a name in the mirror.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Holding {
    /// A file of so many bytes.
    File(u64),
    /// A folder.
    Dir,
    /// A symbolic link.
    Symlink(#[serde(with = "serde_bytes")] Vec<u8>),
    /// Another name of a file.
    Link(RelPath),
}

impl Holding {
    /// What is said of `body`.
    #[must_use]
    pub fn of(body: &Body) -> Self {
        match body {
            Body::File { size, .. } => Self::File(*size),
            Body::Dir => Self::Dir,
            Body::Symlink { target } => Self::Symlink(target.to_vec()),
            Body::Link { to } => Self::Link(to.clone()),
        }
    }
}

/// A frame that is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadFrame {
    /// It has no kind, or one that nobody knows.
    #[error("a frame of no kind that this version knows")]
    Kind,
    /// A part that is none.
    #[error(transparent)]
    Part(#[from] BadPart),
    /// Not what was sealed.
    #[error("a frame is {0}")]
    Sealed(#[from] Unsealable),
}

/// The frame of a part: [`ToMirror::Part`] as bytes. Its data are not copied.
pub fn of_part(part: &Part) -> Result<Sealed, BadFrame> {
    Ok(part.seal_behind(&[PART])?)
}

impl ToMirror {
    /// The frame as bytes.
    pub fn encode(&self) -> Result<Bytes, BadFrame> {
        match self {
            Self::Part(_, sealed) => Ok(frame(PART, sealed)),
            Self::Say(say) => Ok(frame(HEAD, &seal(say, &[])?)),
        }
    }

    /// Reads a frame. The data of a part are what they are said to be.
    pub fn decode(bytes: &Bytes) -> Result<Self, BadFrame> {
        match bytes.first() {
            Some(&PART) => {
                let sealed = bytes.slice(1..);
                Ok(Self::Part(Part::decode(&sealed)?, sealed))
            }
            Some(&HEAD) => Ok(Self::Say(open(bytes)?)),
            _ => Err(BadFrame::Kind),
        }
    }
}

impl ToSource {
    /// The frame as bytes.
    pub fn encode(&self) -> Result<Bytes, BadFrame> {
        Ok(frame(HEAD, &seal(self, &[])?))
    }

    /// Reads a frame.
    pub fn decode(bytes: &Bytes) -> Result<Self, BadFrame> {
        match bytes.first() {
            Some(&HEAD) => open(bytes),
            _ => Err(BadFrame::Kind),
        }
    }
}

fn frame(kind: u8, sealed: &[u8]) -> Bytes {
    let mut out = BytesMut::with_capacity(1 + sealed.len());
    out.put_u8(kind);
    out.put_slice(sealed);
    out.freeze()
}

fn open<H: DeserializeOwned>(bytes: &Bytes) -> Result<H, BadFrame> {
    Ok(unseal(&bytes.slice(1..))?.0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn frames_come_back() {
        let told =
            Told { kinds: vec![Kind::Queue], files: 3, emptied: vec!["POS-Q.Seq".to_owned()], ..Told::default() };
        for say in [
            Say::Told(told),
            Say::Canary { at: Time::default(), level: true },
            Say::Behind { age_ms: Some(7), bytes: 9 },
            Say::BehindIn { age_ms: Some(7), bytes: 9, files: 2 },
            Say::Start(Start::Held { path: RelPath::new(b"ORDER.QUE").unwrap(), what: Holding::File(9) }),
            Say::Start(Start::IsAll { known: true }),
        ] {
            let frame = ToMirror::Say(say);
            assert_eq!(ToMirror::decode(&frame.encode().unwrap()), Ok(frame));
        }
        let part = Part::Gone(RelPath::new(b"a").unwrap());
        let frame = ToMirror::Part(part.clone(), part.encode().unwrap());
        assert_eq!(of_part(&part).map(Sealed::join), frame.encode());
        assert_eq!(ToMirror::decode(&frame.encode().unwrap()), Ok(frame.clone()));
        assert_eq!(ToSource::decode(&frame.encode().unwrap()), Err(BadFrame::Kind), "a part is nothing for the source");
        let holds = ToSource::Holds { path: RelPath::root(), meta: Meta::default(), what: Holding::Dir };
        assert_eq!(ToSource::decode(&holds.encode().unwrap()), Ok(holds));
    }

    proptest! {
        #[test]
        fn garbage_is_refused_and_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let bytes = Bytes::from(bytes);
            prop_assert!(ToMirror::decode(&bytes).is_err() && ToSource::decode(&bytes).is_err());
        }
    }
}
