//! The pieces of a generation, as they travel and as they are stored: one form for both.
//!
//! A generation is [`Begin`], then what is gone, then each entry that changed with its data behind it, then [`End`]. What it
//! says is the whole difference between two states, so that applying it twice is applying it once.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::position::Rolling;
use super::sealed::{Sealed, Unsealable, seal_apart, unseal};
use super::{BLOCK, Grade, Meta, Position, RelPath, Sum, Time, blocks};

/// Bytes of data in one part, at the most.
pub const MAX_DATA: usize = 16 * BLOCK;

/// A piece of a generation.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Part {
    /// A generation begins.
    Begin(Begin),
    /// Nothing stands under this name any more.
    Gone(RelPath),
    /// This stands under this name now.
    Put(Put),
    /// Content of the file that was put last.
    Data(Data),
    /// Blocks of the file that was put last are all zeros now.
    Zero {
        /// The first of them.
        first: u64,
        /// How many.
        count: u64,
    },
    /// The generation is complete.
    End(End),
}

/// The begin of a generation.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Begin {
    /// The epoch of the server that sends it.
    pub epoch: u64,
    /// The position that it leads on from.
    pub parent: Position,
    /// Whether it is streamed into a mirror that cannot be used before its end.
    pub mode: Mode,
    /// When it was taken at the source.
    pub taken_at: Time,
    /// How many files it carries; 0 when that is not known yet.
    pub files: u32,
    /// How many bytes of content travel; 0 when that is not known yet.
    pub bytes: u64,
}

/// How a generation comes into the mirror.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Mode {
    /// Through the journal: wholly or not at all.
    Step,
    /// The same; what it takes away or overwrites is set aside first, for the source may be an older state of itself.
    Aside,
    /// Straight into the folder, which cannot be used before the end.
    Build,
}

/// An entry that changed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Put {
    /// Its ordinal among the files of the generation, from 1; 0 for what is no file with content to send.
    pub number: u32,
    /// Its name.
    pub path: RelPath,
    /// Its mode, owner and time.
    pub meta: Meta,
    /// What it is.
    pub content: Content,
}

/// What an entry that changed is.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Content {
    /// A file: the bytes of `base` cut or filled up with zeros to `size`, then the data that follow.
    File {
        /// Its length in bytes.
        size: u64,
        /// The name under which the file stood before, which is taken away from there; none: it begins empty.
        base: Option<RelPath>,
        /// Bytes of data that follow.
        bytes: u64,
    },
    /// A folder.
    Dir,
    /// A symbolic link.
    Symlink {
        /// Where it points.
        #[serde(with = "serde_bytes")]
        target: Vec<u8>,
    },
    /// Another name of the file at `to`.
    Link {
        /// The first name.
        to: RelPath,
    },
}

/// Some content.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Data {
    /// Where in the file it begins, in bytes: at a block, or where the file ended before.
    pub offset: u64,
    /// The sums of each block that it touches, as that block will be; none where it will be all zeros.
    pub sums: Vec<Option<Sum>>,
    /// The bytes, at most [`MAX_DATA`].
    pub bytes: Bytes,
}

impl Data {
    /// Whether the data begin inside a block: only the mirror can tell what that whole block will be.
    #[must_use]
    pub fn begins_inside_block(&self) -> bool {
        !self.offset.is_multiple_of(BLOCK as u64)
    }

    /// Bytes at the beginning that belong to a block which begins before the data.
    #[must_use]
    pub fn loose(&self) -> usize {
        let inside = usize::try_from(self.offset % BLOCK as u64).unwrap_or(0);
        if inside == 0 { 0 } else { (BLOCK - inside).min(self.bytes.len()) }
    }

    /// The blocks that lie in the data from their beginning on: number, bytes and sums.
    pub fn whole_blocks(&self) -> impl Iterator<Item = (u64, &[u8], Option<Sum>)> {
        let skip = usize::from(self.begins_inside_block());
        let numbers = (self.offset / BLOCK as u64..).skip(skip);
        let sums = self.sums.iter().copied().skip(skip);
        numbers
            .zip(self.bytes[self.loose()..].chunks(BLOCK))
            .zip(sums)
            .map(|((number, bytes), sum)| (number, bytes, sum))
    }

    /// Makes sure that the whole blocks are what they are said to be, by the fast sum: who sent them is known to the link, so
    /// that only an accident can have changed them. One that begins before the data is proven where it stands.
    fn check(&self) -> Result<(), BadPart> {
        for (number, bytes, sum) in self.whole_blocks() {
            let found = (!blocks::is_zero(bytes)).then(|| blocks::find(bytes));
            if found != sum.map(|sum| sum.find) {
                return Err(BadPart::Strange(number));
            }
        }
        Ok(())
    }
}

/// The end of a generation.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct End {
    /// The position after it.
    pub position: Position,
    /// How sure it is.
    pub grade: Grade,
    /// Files whose content travelled.
    pub files: u32,
    /// Names that went.
    pub gone: u64,
    /// Bytes of content that travelled.
    pub bytes: u64,
}

#[derive(Serialize, Deserialize)]
enum Head {
    Begin(Begin),
    Gone(RelPath),
    Put(Put),
    Data { offset: u64, sums: Vec<Option<Sum>> },
    Zero { first: u64, count: u64 },
    End(End),
}

/// Bytes that are not a part.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadPart {
    /// They are not what was sealed.
    #[error("a piece of a generation is {0}")]
    Unsealable(#[from] Unsealable),
    /// They say what no part says.
    #[error("a piece of a generation makes no sense: {0}")]
    Senseless(String),
    /// A block of data is not the one that it is said to be.
    #[error("block {0} is not the one that it is said to be")]
    Strange(u64),
}

impl Part {
    /// The part as bytes.
    pub fn encode(&self) -> Result<Bytes, BadPart> {
        Ok(self.seal_behind(&[])?.join())
    }

    /// The part as bytes, with something before it. Its data are not copied.
    pub fn seal_behind(&self, before: &[u8]) -> Result<Sealed, BadPart> {
        // Each whole block has a sum of its own.
        let (data, loose) = match self {
            Self::Data(data) => (data.bytes.clone(), data.loose()),
            _ => (Bytes::new(), 0),
        };
        Ok(seal_apart(before, &self.head(), data, loose)?)
    }

    /// Reads a part from exactly these bytes, and makes sure that its data are what they are said to be.
    pub fn decode(bytes: &Bytes) -> Result<Self, BadPart> {
        let (head, data, covered) = unseal(bytes)?;
        let part = match head {
            Head::Begin(begin) => Self::Begin(begin),
            Head::Gone(path) => Self::Gone(path),
            Head::Put(put) => Self::Put(put),
            Head::Data { offset, sums } => return data_part(offset, sums, data, covered),
            Head::Zero { first, count } => Self::Zero { first, count },
            Head::End(end) => Self::End(end),
        };
        if data.is_empty() { Ok(part) } else { Err(BadPart::Senseless("data where there are none".to_owned())) }
    }

    /// Adds what the part says to a history's checksum. Data are in it by their sums; the end carries the sum itself.
    pub fn feed(&self, rolling: &mut Rolling) -> Result<(), BadPart> {
        if !matches!(self, Self::End(_)) {
            let head = postcard::to_stdvec(&self.head()).map_err(|error| BadPart::Senseless(error.to_string()))?;
            rolling.feed(&head);
        }
        Ok(())
    }

    /// All of it but the bytes of data.
    fn head(&self) -> Head {
        match self.clone() {
            Self::Begin(begin) => Head::Begin(begin),
            Self::Gone(path) => Head::Gone(path),
            Self::Put(put) => Head::Put(put),
            Self::Data(Data { offset, sums, .. }) => Head::Data { offset, sums },
            Self::Zero { first, count } => Head::Zero { first, count },
            Self::End(end) => Head::End(end),
        }
    }
}

fn data_part(offset: u64, sums: Vec<Option<Sum>>, bytes: Bytes, covered: usize) -> Result<Part, BadPart> {
    if bytes.is_empty() || bytes.len() > MAX_DATA {
        return Err(BadPart::Senseless(format!("{} bytes of data", bytes.len())));
    }
    let end = offset.checked_add(bytes.len() as u64).ok_or(Unsealable::Long)?;
    let touched = blocks::count(end) - offset / BLOCK as u64;
    if touched != sums.len() as u64 {
        return Err(BadPart::Senseless(format!("{} sums for {touched} blocks", sums.len())));
    }
    let data = Data { offset, sums, bytes };
    if covered < data.loose() {
        return Err(BadPart::Senseless(format!("{covered} bytes are sealed of {}", data.loose())));
    }
    data.check()?;
    Ok(Part::Data(data))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn data(offset: u64, bytes: &'static [u8]) -> Part {
        Part::Data(Data { offset, sums: vec![Sum::of(bytes)], bytes: Bytes::from_static(bytes) })
    }

    fn samples() -> Vec<Part> {
        let path = RelPath::new(b"a/b\xff").unwrap();
        vec![
            Part::Begin(Begin {
                epoch: 3,
                parent: Position::default(),
                mode: Mode::Step,
                taken_at: Time::default(),
                files: 2,
                bytes: 99,
            }),
            Part::Gone(path.clone()),
            Part::Put(Put {
                number: 1,
                path: path.clone(),
                meta: Meta::default(),
                content: Content::File { size: 1 << 40, base: Some(path), bytes: 3 },
            }),
            data(0, b"abc"),
            Part::Zero { first: 1, count: 1 << 26 },
            Part::End(End { position: Position::default(), grade: Grade::Steady, files: 1, gone: 1, bytes: 3 }),
        ]
    }

    #[test]
    fn every_part_comes_back() {
        for part in samples() {
            assert_eq!(Part::decode(&part.encode().unwrap()).unwrap(), part);
        }
    }

    #[test]
    fn a_block_must_be_the_one_that_it_is_said_to_be() {
        let other = Sum { find: [7; 16], proof: [7; 32] };
        let forged = Part::Data(Data { offset: 0, sums: vec![Some(other)], bytes: Bytes::from_static(b"abc") });
        assert_eq!(Part::decode(&forged.encode().unwrap()), Err(BadPart::Strange(0)));
        let few = Part::Data(Data { offset: BLOCK as u64 - 1, sums: vec![None], bytes: Bytes::from_static(b"abc") });
        assert!(matches!(Part::decode(&few.encode().unwrap()), Err(BadPart::Senseless(_))));
        // The first block is only known as a whole to the mirror; the second must fit.
        let tail = Part::Data(Data {
            offset: BLOCK as u64 - 1,
            sums: vec![Some(other), Sum::of(b"bc")],
            bytes: Bytes::from_static(b"abc"),
        });
        let sealed = tail.encode().unwrap();
        assert_eq!(Part::decode(&sealed).unwrap(), tail);
        for at in [3, 2, 1] {
            let mut damaged = sealed.to_vec();
            damaged[sealed.len() - at] ^= 1;
            assert!(Part::decode(&Bytes::from(damaged)).is_err(), "also what no sum of a whole block covers");
        }
    }

    proptest! {
        #[test]
        fn garbage_is_refused_and_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(Part::decode(&Bytes::from(bytes)).is_err());
        }

        #[test]
        fn one_flipped_bit_is_noticed(which in 0usize..6, bit in any::<prop::sample::Index>()) {
            let mut bytes = samples()[which].encode().unwrap().to_vec();
            let bit = bit.index(bytes.len() * 8);
            bytes[bit / 8] ^= 1 << (bit % 8);
            prop_assert!(Part::decode(&Bytes::from(bytes)).is_err());
        }
    }
}
