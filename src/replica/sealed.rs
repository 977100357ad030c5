//! A head and some data as bytes that notice damage: the form of everything that travels or is journaled.
//!
//! Checksum of all that follows (XXH3-64), length of the head, both little endian; the head (postcard); the data.

use bytes::{BufMut, Bytes, BytesMut};
use serde::Serialize;
use serde::de::DeserializeOwned;
use xxhash_rust::xxh3::xxh3_64;

/// Bytes that are sealed at once, at the most. More is not read.
pub const MAX_SEALED: usize = 1024 * 1024;

const PREFIX: usize = 12;

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

/// Seals a head and data.
pub fn seal<H: Serialize>(head: &H, data: &[u8]) -> Result<Bytes, Unsealable> {
    seal_behind(&[], head, data)
}

/// The same, with something before it that is not sealed. Large data are copied once.
pub fn seal_behind<H: Serialize>(before: &[u8], head: &H, data: &[u8]) -> Result<Bytes, Unsealable> {
    let head = postcard::to_stdvec(head).map_err(|error| Unsealable::Senseless(error.to_string()))?;
    let len = PREFIX + head.len() + data.len();
    if len > MAX_SEALED {
        return Err(Unsealable::Long);
    }
    let mut out = BytesMut::with_capacity(before.len() + len);
    out.put_slice(before);
    let sealed = before.len();
    out.put_u64_le(0);
    out.put_u32_le(u32::try_from(head.len()).map_err(|_| Unsealable::Long)?);
    out.put_slice(&head);
    out.put_slice(data);
    let check = xxh3_64(&out[sealed + 8..]);
    out[sealed..sealed + 8].copy_from_slice(&check.to_le_bytes());
    Ok(out.freeze())
}

/// Opens exactly what was sealed.
pub fn unseal<H: DeserializeOwned>(bytes: &Bytes) -> Result<(H, Bytes), Unsealable> {
    if bytes.len() > MAX_SEALED {
        return Err(Unsealable::Long);
    }
    let (check, rest) = bytes.split_first_chunk::<8>().ok_or(Unsealable::Short)?;
    let (head_len, rest) = rest.split_first_chunk::<4>().ok_or(Unsealable::Short)?;
    if xxh3_64(&bytes[8..]) != u64::from_le_bytes(*check) {
        return Err(Unsealable::Damaged);
    }
    let head_len = usize::try_from(u32::from_le_bytes(*head_len)).map_err(|_| Unsealable::Long)?;
    let head = rest.get(..head_len).ok_or(Unsealable::Short)?;
    let head = postcard::from_bytes(head).map_err(|error| Unsealable::Senseless(error.to_string()))?;
    Ok((head, bytes.slice(PREFIX + head_len..)))
}
