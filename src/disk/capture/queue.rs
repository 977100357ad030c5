//! A file that only grows, record by record: what of it is whole, and what of it must be read.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;

use super::look::{Item, Seen};
use super::tree::{Known, Tree};
use crate::disk::read::read_full;
use crate::disk::stamp::Stamp;
use crate::replica::{BLOCK, Body, Kind, RelPath, grade};

/// A queue: where its last whole record ends, and the first block that is read.
pub(super) struct Queue {
    pub(super) end: u64,
    pub(super) from: u64,
}

/// Bytes of a queue up to which its whole prefix is read at each growth; of a longer one it is read within a minute.
pub const SHORT_QUEUE: u64 = 4 * 1024 * 1024;

/// Finds the commit point of a file whose name says that it is a queue; `None` when it is none, or proves otherwise: an
/// unknown one must end in a whole line, a known one may have grown by half a line but never be cut.
pub(super) fn queue_end(file: &File, path: &RelPath, stamp: &Stamp, held: Option<&Known>) -> io::Result<Option<Queue>> {
    if Kind::by_name(path.as_bytes()) != Kind::Queue || stamp.size == 0 {
        return Ok(None);
    }
    let known_end = held.filter(|known| known.queue && known.stamp.inode == stamp.inode).map(|known| known.body.size());
    let least = match known_end {
        Some(end) if end <= stamp.size => end,
        Some(_) => return Ok(None),
        None => stamp.size - 1,
    };
    let mut end = stamp.size;
    while end > least {
        let from = end.saturating_sub(64 * 1024).max(least);
        let mut tail = vec![0; usize::try_from(end - from).map_err(io::Error::other)?];
        if read_full(file, &mut tail, from)? < tail.len() {
            return Ok(None);
        }
        let line_end = grade::last_line_end(&tail) as u64;
        if line_end > 0 {
            end = from + line_end;
            break;
        }
        end = from;
    }
    if end == least && known_end.is_none() {
        return Ok(None);
    }
    let from = if stamp.size > SHORT_QUEUE && known_end.is_some() { least / BLOCK as u64 } else { 0 };
    Ok(Some(Queue { end, from }))
}

/// Whether an unknown file is a queue all of whose records are whole.
pub(super) fn is_whole_queue(file: &File, path: &RelPath, stamp: &Stamp) -> bool {
    matches!(queue_end(file, path, stamp, None), Ok(Some(_)))
}

/// The only queue among the items, if there is just one: it may grow between the looks, since it was read last.
pub(super) fn lone_queue(items: &BTreeMap<RelPath, Item>) -> Option<&RelPath> {
    let mut queues = items.iter().filter(|(_, item)| matches!(&item.seen, Seen::File(seen) if seen.queue));
    let (path, _) = queues.next()?;
    queues.next().is_none().then_some(path)
}

/// Whether nothing happened but that `queue` grew.
pub(super) fn only_grew(queue: &RelPath, items: &BTreeMap<RelPath, Item>, tree: &Tree) -> bool {
    items.len() == 1
        && match (items.get(queue).map(|item| &item.seen), tree.get(queue)) {
            (Some(Seen::File(seen)), Some(Known { body: Body::File { size, .. }, queue: true, .. })) => {
                seen.base.as_ref() == Some(queue) && seen.size >= *size
            }
            _ => false,
        }
}
