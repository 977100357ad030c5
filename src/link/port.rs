//! Where a half of the copy meets the links to the other side: one after another, with times between when there is none.

use bytes::Bytes;
use tokio::sync::mpsc;

use super::frame::PROTOCOL;
use super::wire::End;
use crate::replica::sealed::Sealed;

/// Where links come in.
#[derive(Debug)]
pub struct Port {
    links: mpsc::UnboundedReceiver<End>,
    link: Option<End>,
    /// No other link will come.
    last: bool,
}

/// What comes of it.
#[derive(Debug)]
pub enum Came {
    /// A new link: what was said on the one before may be lost.
    Link,
    /// A frame.
    Frame(Bytes),
    /// The link is gone.
    Gone,
    /// There is no link, and none will come.
    Over,
}

impl Port {
    /// Where the links that are sent to the other end of `links` come in.
    #[must_use]
    pub fn new(links: mpsc::UnboundedReceiver<End>) -> Self {
        Self { links, link: None, last: false }
    }

    /// Where this one link comes in, and no other.
    #[must_use]
    pub fn once(link: End) -> Self {
        let (tell, links) = mpsc::unbounded_channel();
        // It cannot be closed yet.
        let _ = tell.send(link);
        Self::new(links)
    }

    /// What goes to the other side, where there is a link.
    #[must_use]
    pub fn out(&self) -> Option<&mpsc::Sender<Sealed>> {
        self.link.as_ref().map(|link| &link.out)
    }

    /// The version of what both sides say on this link; see [`super::frame::PROTOCOL`].
    #[must_use]
    pub fn spoken(&self) -> u32 {
        self.link.as_ref().map_or(PROTOCOL, |link| link.spoken)
    }

    /// Both directions, where there is a link.
    pub fn link(&mut self) -> Option<&mut End> {
        self.link.as_mut()
    }

    /// Whether no other link will come.
    #[must_use]
    pub fn is_last(&self) -> bool {
        self.last || self.links.is_closed() && self.links.is_empty()
    }

    /// Gives the link up: what comes on it is not wanted.
    pub fn hang_up(&mut self) {
        self.link = None;
    }

    /// Waits for what comes next; of frames only if `frames` says so. Nothing is lost where it is not waited to the end.
    pub async fn next(&mut self, frames: bool) -> Came {
        loop {
            if self.last && self.link.is_none() {
                return Came::Over;
            }
            let link = &mut self.link;
            tokio::select! {
                biased;
                new = self.links.recv(), if !self.last => match new {
                    Some(new) => {
                        self.link = Some(new);
                        return Came::Link;
                    }
                    None => self.last = true,
                },
                frame = async { link.as_mut()?.inbox.recv().await }, if frames && link.is_some() => {
                    if let Some(frame) = frame {
                        return Came::Frame(frame);
                    }
                    self.link = None;
                    return Came::Gone;
                }
                () = std::future::pending(), if self.last => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::link::wire::in_memory;

    #[tokio::test]
    async fn links_come_and_go_until_none_can_come() {
        let (tell, links) = mpsc::unbounded_channel();
        let mut port = Port::new(links);
        for round in 0..3u8 {
            let (here, there) = in_memory(None).unwrap();
            tell.send(here).unwrap();
            assert!(matches!(port.next(true).await, Came::Link));
            there.out.send(Bytes::copy_from_slice(&[round]).into()).await.unwrap();
            assert!(matches!(port.next(true).await, Came::Frame(frame) if frame == [round][..]));
            drop(there);
            assert!(matches!(port.next(true).await, Came::Gone));
            assert!(port.out().is_none());
        }
        drop(tell);
        assert!(matches!(port.next(true).await, Came::Over));
    }

    #[tokio::test]
    async fn a_new_link_takes_the_place_of_one_that_nobody_closed() {
        let (tell, links) = mpsc::unbounded_channel();
        let mut port = Port::new(links);
        let (first, _kept) = in_memory(None).unwrap();
        let (second, there) = in_memory(None).unwrap();
        tell.send(first).unwrap();
        assert!(matches!(port.next(true).await, Came::Link));
        tell.send(second).unwrap();
        assert!(matches!(port.next(false).await, Came::Link));
        there.out.send(Bytes::from_static(b"x").into()).await.unwrap();
        assert!(matches!(port.next(true).await, Came::Frame(_)));
    }
}
