//! A head and some data as bytes that notice damage: the form of everything that travels or is journaled.
//!
//! Checksum of what follows, up to the covered part of the data (XXH3-64); length of the head; length of the covered part; all
//! little endian. Then the head (postcard), and the data: of what is not covered, the head holds the sums.

use std::hash::Hasher;

use bytes::{BufMut, Bytes, BytesMut};
use serde::Serialize;
use serde::de::DeserializeOwned;
use twox_hash::XxHash3_64;

/// Bytes that are sealed at once, at the most. More is not read.
pub const MAX_SEALED: usize = 1024 * 1024;

const PREFIX: usize = 16;

/// Bytes that are not what was sealed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unsealable {
    /// Shorter than they say.
    #[error("cut short")]
    Short,
    /// Longer than anything is.
    #[error("larger than {MAX_SEALED} bytes")]
    Long,
    /// The checksum does not fit.
    #[error("damaged")]
    Damaged,
    /// The head is none.
    #[error("makes no sense: {0}")]
    Senseless(String),
}

/// What was sealed, in two pieces that belong together: large data are not copied for it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Sealed {
    /// All that stands before the data.
    pub head: Bytes,
    /// The data.
    pub data: Bytes,
}

impl Sealed {
    /// Bytes of both.
    #[must_use]
    pub fn len(&self) -> usize {
        self.head.len() + self.data.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Both as one.
    #[must_use]
    pub fn join(self) -> Bytes {
        if self.data.is_empty() {
            return self.head;
        }
        let mut whole = BytesMut::with_capacity(self.len());
        whole.put_slice(&self.head);
        whole.put_slice(&self.data);
        whole.freeze()
    }
}

impl From<Bytes> for Sealed {
    fn from(head: Bytes) -> Self {
        Self { head, data: Bytes::new() }
    }
}

/// Seals a head and data.
pub fn seal<H: Serialize>(head: &H, data: &[u8]) -> Result<Bytes, Unsealable> {
    let mut out = prefix(&[], head, data, data.len())?;
    out.put_slice(data);
    Ok(out.freeze())
}

/// Seals a head and the first `covered` bytes of `data`: the head holds the sums of the rest. `before` stands before it all and
/// is not sealed.
pub fn seal_apart<H: Serialize>(before: &[u8], head: &H, data: Bytes, covered: usize) -> Result<Sealed, Unsealable> {
    Ok(Sealed { head: prefix(before, head, &data, covered)?.freeze(), data })
}

fn prefix<H: Serialize>(before: &[u8], head: &H, data: &[u8], covered: usize) -> Result<BytesMut, Unsealable> {
    let head = postcard::to_stdvec(head).map_err(|error| Unsealable::Senseless(error.to_string()))?;
    let len = PREFIX + head.len() + data.len();
    if len > MAX_SEALED {
        return Err(Unsealable::Long);
    }
    let number = |len: usize| u32::try_from(len).map_err(|_| Unsealable::Long);
    let mut out = BytesMut::with_capacity(before.len() + PREFIX + head.len() + covered);
    out.put_slice(before);
    let sealed = before.len();
    out.put_u64_le(0);
    out.put_u32_le(number(head.len())?);
    out.put_u32_le(number(covered)?);
    out.put_slice(&head);
    let mut check = XxHash3_64::new();
    check.write(&out[sealed + 8..]);
    check.write(data.get(..covered).ok_or(Unsealable::Short)?);
    out[sealed..sealed + 8].copy_from_slice(&check.finish().to_le_bytes());
    Ok(out)
}

/// Bytes at the beginning of what was sealed that tell where its data begin.
pub const TELLS: usize = 12;

/// Where in what was sealed its data begin, as its beginning tells, be it true or not.
#[must_use]
pub fn data_begins(begin: &[u8; TELLS]) -> usize {
    let [.., a, b, c, d] = *begin;
    PREFIX.saturating_add(u32::from_le_bytes([a, b, c, d]) as usize)
}

/// Opens exactly what was sealed: the head, the data, and how many bytes of those are covered.
pub fn unseal<H: DeserializeOwned>(bytes: &Bytes) -> Result<(H, Bytes, usize), Unsealable> {
    if bytes.len() > MAX_SEALED {
        return Err(Unsealable::Long);
    }
    let (check, rest) = bytes.split_first_chunk::<8>().ok_or(Unsealable::Short)?;
    let (head_len, rest) = rest.split_first_chunk::<4>().ok_or(Unsealable::Short)?;
    let (covered, rest) = rest.split_first_chunk::<4>().ok_or(Unsealable::Short)?;
    let number = |len: &[u8; 4]| usize::try_from(u32::from_le_bytes(*len)).map_err(|_| Unsealable::Long);
    let (head_len, covered) = (number(head_len)?, number(covered)?);
    let head = rest.get(..head_len).ok_or(Unsealable::Short)?;
    let sealed = bytes.get(8..PREFIX.saturating_add(head_len).saturating_add(covered)).ok_or(Unsealable::Short)?;
    if XxHash3_64::oneshot(sealed) != u64::from_le_bytes(*check) {
        return Err(Unsealable::Damaged);
    }
    let head = postcard::from_bytes(head).map_err(|error| Unsealable::Senseless(error.to_string()))?;
    Ok((head, bytes.slice(PREFIX + head_len..), covered))
}
