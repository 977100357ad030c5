//! Carries frames over a stream: 4 bytes of length, big endian, then the frame. Within one process the stream is a pipe in
//! memory; between two machines it is a connection, on which frames are squeezed where that helps. The halves see no
//! difference.

use std::io;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::mpsc::{self, error::TrySendError};
use tokio::time::Instant;

use super::frame::{MAX_FRAME, PROTOCOL};
use super::pace::Pace;
use super::room::Room;
use super::squeeze::{Squeezer, unsqueeze};
use crate::os::ground;
use crate::replica::sealed::Sealed;

/// Bytes that a pipe in memory holds.
const PIPE: usize = 256 * 1024;

/// Data of a frame from which on they are not copied to go out together with others.
const LARGE: usize = 16 * 1024;

/// Bytes that may gather before they go out.
const GATHERED: usize = 64 * 1024;

/// Frames that wait to be sent or taken in.
const WAITING: usize = 8;

/// Frames that wait to be sent to the source: it does not listen while it sends, and must not be waited for.
const ANSWERS: usize = 4096;

/// All frames that there can be.
const ALL: usize = tokio::sync::Semaphore::MAX_PERMITS;

/// Sends a frame from a thread that may block. An error: the link has ended.
pub fn push(out: &mpsc::Sender<Sealed>, frame: Sealed) -> Result<(), Gone> {
    match out.try_send(frame) {
        Ok(()) => Ok(()),
        Err(TrySendError::Full(frame)) => ground::wait(out.send(frame)).map_err(|_| Gone),
        Err(TrySendError::Closed(_)) => Err(Gone),
    }
}

/// A link that has ended takes nothing more.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Gone;

/// One end of a link, for a thread that may block.
#[derive(Debug)]
pub struct End {
    /// Frames to the other side.
    pub out: mpsc::Sender<Sealed>,
    /// Frames from the other side; it ends when the link does.
    pub inbox: mpsc::Receiver<Bytes>,
    /// The version of what both sides say.
    pub spoken: u32,
}

/// Reads frames and hands them on, until the stream ends, breaks or brings a frame that is too long.
pub async fn read(mut stream: impl AsyncRead + Unpin, inbox: mpsc::Sender<Bytes>) -> io::Result<()> {
    let mut room = Room::default();
    let mut length = [0; 4];
    while stream.read(&mut length[..1]).await? > 0 {
        stream.read_exact(&mut length[1..]).await?;
        let length = u32::from_be_bytes(length) as usize;
        if length > MAX_FRAME {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "a frame is too long"));
        }
        let frame = room.frame(&mut stream, length).await?;
        if inbox.send(unsqueeze(frame)?).await.is_err() {
            break;
        }
    }
    Ok(())
}

/// Sends frames, as fast as `pace` lets them, squeezed by `squeezer` where there is one, until there are no more.
pub async fn write(
    mut stream: impl AsyncWrite + Unpin,
    mut frames: mpsc::Receiver<Sealed>,
    pace: Option<Pace>,
    mut squeezer: Option<Squeezer>,
) -> io::Result<()> {
    let mut gathered = BytesMut::new();
    while let Some(frame) = frames.recv().await {
        let frame = match &mut squeezer {
            Some(squeezer) => squeezer.squeeze(frame),
            None => frame,
        };
        let (began, bytes) = (Instant::now(), frame.len());
        if let Some(pace) = &pace {
            // What was said before does not wait for what takes its time.
            stream.write_all_buf(&mut gathered).await?;
            stream.flush().await?;
            tokio::time::sleep_until(pace.next(bytes)).await;
        }
        gathered.put_u32(u32::try_from(bytes).map_err(io::Error::other)?);
        gathered.put_slice(&frame.head);
        if frame.data.len() < LARGE {
            gathered.put_slice(&frame.data);
        } else {
            stream.write_all_buf(&mut (&mut gathered).chain(frame.data)).await?;
        }
        // What has gathered meanwhile goes out together.
        if frames.is_empty() || gathered.len() >= GATHERED {
            stream.write_all_buf(&mut gathered).await?;
            stream.flush().await?;
        }
        if let Some(squeezer) = &mut squeezer {
            squeezer.sent(bytes, began.elapsed());
        }
    }
    stream.flush().await
}

/// Joins two halves in one process by two pipes in memory, carried by a thread of their own. `rate`: bytes a second each way.
pub fn in_memory(rate: Option<u64>) -> io::Result<(End, End)> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
    let (to_mirror, from_source) = tokio::io::duplex(PIPE);
    let (to_source, from_mirror) = tokio::io::duplex(PIPE);
    let over =
        |from, to, half| over(tokio::io::join(from, to), Line { pace: rate.map(Pace::new), squeezer: None }, half);
    let (source, carry_source) = over(from_mirror, to_mirror, Half::Source);
    let (mirror, carry_mirror) = over(from_source, to_source, Half::Mirror);
    std::thread::Builder::new().name("link".to_owned()).spawn(move || {
        let _ = runtime.block_on(async { tokio::join!(carry_source, carry_mirror) });
    })?;
    Ok((source, mirror))
}

/// Whose end it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Half {
    /// The half that serves: what it says waits for the line, so that no memory fills with it.
    Source,
    /// The half that mirrors: what it answers waits here, so that it never waits for a source that does not listen.
    Mirror,
}

/// How frames go.
#[derive(Default)]
pub struct Line {
    /// How fast; as fast as they can, where nothing is said.
    pub pace: Option<Pace>,
    /// What makes them shorter, where that is worth its time.
    pub squeezer: Option<Squeezer>,
}

/// An end over one connection, and what carries its frames: it ends when either direction does.
pub fn over(
    stream: impl AsyncRead + AsyncWrite + Send + 'static,
    line: Line,
    half: Half,
) -> (End, impl Future<Output = io::Result<()>> + Send) {
    let (from, to) = tokio::io::split(stream);
    let (out, frames) = mpsc::channel(match half {
        // There nobody else would go on while it waits.
        _ if ground::is_simulated() => ALL,
        Half::Source => WAITING,
        Half::Mirror => ANSWERS,
    });
    let (deliver, inbox) = mpsc::channel(WAITING);
    let carry = async move {
        tokio::select! {
            biased;
            ended = read(from, deliver) => ended,
            ended = write(to, frames, line.pace, line.squeezer) => ended,
        }
    };
    (End { out, inbox, spoken: PROTOCOL }, carry)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_arrive_in_order_and_the_end_is_noticed() {
        let (source, mut mirror) = in_memory(None).unwrap();
        // Small ones gather, large ones do not; all keep their order.
        let data = |number: u32| vec![7; usize::try_from(number % 5).unwrap() * 10_000];
        let frame = |number: u32| Bytes::from([format!("frame {number}").as_bytes(), &data(number)].concat());
        for number in 0..200 {
            let sealed = Sealed { head: format!("frame {number}").into(), data: data(number).into() };
            source.out.blocking_send(sealed).unwrap();
            if number % 8 == 7 {
                for earlier in number - 7..=number {
                    assert_eq!(mirror.inbox.blocking_recv().unwrap(), frame(earlier));
                }
            }
        }
        drop(source);
        assert_eq!(mirror.inbox.blocking_recv(), None);
    }

    async fn read_all(bytes: &[u8]) -> (Vec<Bytes>, io::Result<()>) {
        let (deliver, mut inbox) = mpsc::channel(100);
        let end = read(bytes, deliver).await;
        let mut frames = vec![];
        while let Some(frame) = inbox.recv().await {
            frames.push(frame);
        }
        (frames, end)
    }

    #[tokio::test]
    async fn a_frame_that_is_too_long_or_cut_short_ends_the_link() {
        let good = [&3u32.to_be_bytes()[..], b"abc"].concat();
        let (frames, end) = read_all(&good).await;
        assert!(frames == [Bytes::from_static(b"abc")] && end.is_ok());
        // All of it comes: it is refused for its length, not for its end.
        let too_long = [&u32::try_from(MAX_FRAME + 1).unwrap().to_be_bytes()[..], &vec![7; MAX_FRAME + 1]].concat();
        let (frames, end) = read_all(&[&good[..], &too_long].concat()).await;
        assert!(frames.len() == 1 && end.is_err());
        let (frames, end) = read_all(&good[..5]).await;
        assert!(frames.is_empty() && end.is_err());
    }
}
