//! Where all that can wake the service comes in.

use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use super::meet::Met;
use super::note::{self, Note};
use crate::link::identity::MachineId;
use crate::link::join::JoinError;
use crate::link::tls::Secure;
use crate::server;
use crate::service::engine::Asked;
use crate::service::news::News;

/// What is given to whoever works for the service, to say what came of it.
#[derive(Clone)]
pub(super) struct Tellers {
    pub(super) news: mpsc::UnboundedSender<(usize, News)>,
    pub(super) met: mpsc::Sender<Met>,
    pub(super) notes: mpsc::Sender<(u64, Option<Note>)>,
    pub(super) joined: mpsc::Sender<Result<(Secure, MachineId), JoinError>>,
    pub(super) served: mpsc::UnboundedSender<server::News>,
    /// When something moved last in what is served here.
    pub(super) stirred: watch::Sender<Instant>,
}

/// Where all that comes in.
pub(super) struct Inbox {
    pub(super) news: mpsc::UnboundedReceiver<(usize, News)>,
    pub(super) met: mpsc::Receiver<Met>,
    pub(super) notes: mpsc::Receiver<(u64, Option<Note>)>,
    pub(super) joined: mpsc::Receiver<Result<(Secure, MachineId), JoinError>>,
    pub(super) served: mpsc::UnboundedReceiver<server::News>,
}

/// What can wake the service.
pub(super) enum Input {
    Asked(Asked),
    News(usize, News),
    Met(Met),
    Note(u64, Option<Note>),
    Joined(Result<(Secure, MachineId), JoinError>),
    Datagram(Vec<u8>),
    Served(server::News),
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
    let inbox = Inbox { news: news_in, met: met_in, notes: notes_in, joined: joined_in, served: served_in };
    let stirred = watch::channel(Instant::now()).0;
    (Tellers { news, met, notes, joined, served, stirred }, inbox)
}
