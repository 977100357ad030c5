//! Single sentences on a connection: JSON of known length. What opens a connection must be understood by every version, and
//! says itself what it means.

use std::io;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// Bytes of one sentence, at the most.
pub const LONGEST: usize = 1024 * 1024;

/// Says a sentence.
pub async fn say(stream: &mut (impl AsyncWrite + Unpin), what: &impl Serialize) -> io::Result<()> {
    let mut said = vec![0; 4];
    serde_json::to_writer(&mut said, what)?;
    let length = u32::try_from(said.len() - 4).ok().filter(|length| *length as usize <= LONGEST);
    let length = length.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "a sentence is too long"))?;
    said[..4].copy_from_slice(&length.to_be_bytes());
    stream.write_all(&said).await?;
    stream.flush().await
}

/// Hears one. No byte behind it is read.
pub async fn hear<T: DeserializeOwned>(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<T> {
    Ok(serde_json::from_slice(&hear_bytes(stream).await?)?)
}

/// Hears one as it was said.
pub async fn hear_bytes(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Vec<u8>> {
    let length = stream.read_u32().await? as usize;
    if length > LONGEST {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "a sentence is too long"));
    }
    // Room is taken as it is filled: a length alone takes none.
    let mut said = vec![];
    stream.take(length as u64).read_to_end(&mut said).await?;
    if said.len() < length {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(said)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_sentence_comes_back_and_what_follows_is_left() {
        let mut line = vec![];
        say(&mut line, &"how it stands").await.unwrap();
        line.extend(b"rest");
        let mut line = &line[..];
        assert_eq!(hear::<String>(&mut line).await.unwrap(), "how it stands");
        assert_eq!(line, b"rest");
    }

    #[tokio::test]
    async fn what_is_too_long_cut_short_or_garbage_is_refused() {
        let too_long = u32::try_from(LONGEST + 1).unwrap().to_be_bytes();
        for mut wrong in [&too_long[..], &[0, 0, 0, 9, b'"'], &[0, 0, 0, 1, b'x'], &[0, 0]] {
            assert!(hear::<String>(&mut wrong).await.is_err());
        }
        assert!(say(&mut vec![], &"x".repeat(LONGEST)).await.is_err());
    }
}
