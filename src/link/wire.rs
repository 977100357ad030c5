//! Carries frames over a stream: 4 bytes of length, big endian, then the frame. Within one process the stream is a pipe in
//! memory; between two machines it will be a connection. The halves see no difference.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{Sink, SinkExt};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_stream::StreamExt;
use tokio_util::codec::{FramedRead, FramedWrite, LengthDelimitedCodec};

use super::frame::MAX_FRAME;

/// Bytes that a pipe in memory holds.
const PIPE: usize = 256 * 1024;

/// Frames that wait to be sent or taken in.
const WAITING: usize = 8;

/// Frames that wait to be sent to the source: it does not listen while it sends, and must not be waited for.
const ANSWERS: usize = 4096;

/// One end of a link, for a thread that may block.
#[derive(Debug)]
pub struct End {
    /// Frames to the other side.
    pub out: mpsc::Sender<Bytes>,
    /// Frames from the other side; it ends when the link does.
    pub inbox: mpsc::Receiver<Bytes>,
}

/// How frames are cut out of a stream.
#[must_use]
pub fn codec() -> LengthDelimitedCodec {
    LengthDelimitedCodec::builder().max_frame_length(MAX_FRAME).new_codec()
}

/// Reads frames and hands them on, until the stream ends, breaks or brings a frame that is too long.
pub async fn read(stream: impl AsyncRead + Unpin, inbox: mpsc::Sender<Bytes>) -> io::Result<()> {
    let mut frames = FramedRead::with_capacity(stream, codec(), PIPE);
    while let Some(frame) = frames.next().await {
        if inbox.send(frame?.freeze()).await.is_err() {
            break;
        }
    }
    Ok(())
}

/// Sends frames, at most `rate` bytes a second, until there are no more.
pub async fn write(
    stream: impl AsyncWrite + Unpin,
    mut frames: mpsc::Receiver<Bytes>,
    rate: Option<u64>,
) -> io::Result<()> {
    let mut sink = sink(stream);
    let mut pace = rate.map(Pace::new);
    while let Some(frame) = frames.recv().await {
        if let Some(pace) = &mut pace {
            // What was said before does not wait for what takes its time.
            sink.flush().await?;
            tokio::time::sleep_until(pace.next(frame.len())).await;
        }
        sink.feed(frame).await?;
        // What has gathered meanwhile goes out together.
        if frames.is_empty() {
            sink.flush().await?;
        }
    }
    sink.flush().await
}

fn sink(stream: impl AsyncWrite + Unpin) -> impl Sink<Bytes, Error = io::Error> + Unpin {
    FramedWrite::new(stream, codec())
}

/// Says when so many bytes may go.
#[derive(Debug)]
struct Pace {
    rate: u64,
    free_at: Instant,
}

impl Pace {
    fn new(rate: u64) -> Self {
        Self { rate: rate.max(1), free_at: Instant::now() }
    }

    /// When `bytes` may go. They have gone when the line is free again.
    fn next(&mut self, bytes: usize) -> Instant {
        let takes = Duration::from_nanos((bytes as u64).saturating_mul(1_000_000_000) / self.rate);
        self.free_at = self.free_at.max(Instant::now()) + takes;
        self.free_at
    }
}

/// Joins two halves in one process by two pipes in memory, carried by a thread of their own. `rate`: bytes a second each way.
pub fn in_memory(rate: Option<u64>) -> io::Result<(End, End)> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
    let (to_mirror, from_source) = tokio::io::duplex(PIPE);
    let (to_source, from_mirror) = tokio::io::duplex(PIPE);
    let (source, carry_source) = over(tokio::io::join(from_mirror, to_mirror), rate, Half::Source);
    let (mirror, carry_mirror) = over(tokio::io::join(from_source, to_source), rate, Half::Mirror);
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

/// An end over one connection, and what carries its frames, at most `rate` bytes a second: it ends when either direction does.
pub fn over(
    stream: impl AsyncRead + AsyncWrite + Send + 'static,
    rate: Option<u64>,
    half: Half,
) -> (End, impl Future<Output = io::Result<()>> + Send) {
    let (from, to) = tokio::io::split(stream);
    let (out, frames) = mpsc::channel(match half {
        Half::Source => WAITING,
        Half::Mirror => ANSWERS,
    });
    let (deliver, inbox) = mpsc::channel(WAITING);
    let carry = async move {
        tokio::select! {
            ended = read(from, deliver) => ended,
            ended = write(to, frames, rate) => ended,
        }
    };
    (End { out, inbox }, carry)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_arrive_in_order_and_the_end_is_noticed() {
        let (source, mut mirror) = in_memory(None).unwrap();
        for number in 0..200u32 {
            source.out.blocking_send(Bytes::copy_from_slice(&number.to_le_bytes())).unwrap();
            if number % 8 == 7 {
                for earlier in number - 7..=number {
                    assert_eq!(mirror.inbox.blocking_recv().unwrap(), earlier.to_le_bytes()[..]);
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

    #[tokio::test(start_paused = true)]
    async fn a_paced_line_takes_its_time() {
        let mut pace = Pace::new(1000);
        let began = Instant::now();
        assert_eq!(pace.next(500) - began, Duration::from_millis(500));
        assert_eq!(pace.next(500) - began, Duration::from_secs(1));
    }
}
