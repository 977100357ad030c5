//! Where all that can wake the service comes in.

use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use super::joining::Joined;
use super::meet::Met;
use super::note::{self, Note};
use crate::link::join::JoinError;
use crate::link::proof::Proof;
use crate::server;
use crate::service::engine::Asked;
use crate::service::news::News;

/// What is given to whoever works for the service, to say what came of it.
#[derive(Clone)]
pub(super) struct Tellers {
    pub(super) news: mpsc::UnboundedSender<(usize, News)>,
    pub(super) met: mpsc::Sender<Met>,
    pub(super) notes: mpsc::Sender<(u64, Option<Note>)>,
    pub(super) joined: mpsc::Sender<Result<Joined, JoinError>>,
    pub(super) served: mpsc::UnboundedSender<server::News>,
    pub(super) shown: mpsc::Sender<Proof>,
    /// When something moved last in what is served here.
    pub(super) stirred: watch::Sender<Instant>,
}

/// Where all that comes in.
pub(super) struct Inbox {
    pub(super) news: mpsc::UnboundedReceiver<(usize, News)>,
    pub(super) met: mpsc::Receiver<Met>,
    pub(super) notes: mpsc::Receiver<(u64, Option<Note>)>,
    pub(super) joined: mpsc::Receiver<Result<Joined, JoinError>>,
    pub(super) served: mpsc::UnboundedReceiver<server::News>,
    pub(super) shown: mpsc::Receiver<Proof>,
}

/// What can wake the service.
pub(super) enum Input {
    Asked(Asked),
    News(usize, News),
    Met(Met),
    Note(u64, Option<Note>),
    Joined(Result<Joined, JoinError>),
    Datagram(Vec<u8>),
    Served(server::News),
    /// A terminal carries the proof of an epoch that is news here.
    Shown(Proof),
    /// The terminals tell something else.
    Witnessed,
    Beat,
    Stop,
}

/// Both ends of all of it.
pub(super) fn channels() -> (Tellers, Inbox) {
    let (news, news_in) = mpsc::unbounded_channel();
    let (met, met_in) = mpsc::channel(16);
    let (notes, notes_in) = mpsc::channel(note::WAITING);
    let (joined, joined_in) = mpsc::channel(4);
    let (served, served_in) = mpsc::unbounded_channel();
    let (shown, shown_in) = mpsc::channel(4);
    let inbox =
        Inbox { news: news_in, met: met_in, notes: notes_in, joined: joined_in, served: served_in, shown: shown_in };
    let stirred = watch::channel(Instant::now()).0;
    (Tellers { news, met, notes, joined, served, shown, stirred }, inbox)
}
