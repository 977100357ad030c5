//! The start state: what this machine held when it began to serve, said to one that was the server before.
//!
//! The mirror was closed then, and nobody has written its index since: it is kept as long as this machine serves.

use super::{Ended, Sending};
use crate::disk::DiskError;
use crate::disk::apply::journal_folder;
use crate::disk::capture::outgoing::Stopped;
use crate::disk::capture::stream::Broken;
use crate::disk::journal::index::{Form, Index};
use crate::link::frame::{Holding, Say, Start};
use crate::replica::{Body, RelPath, Sum};

/// Sums in one frame.
const SUMS: usize = 4096;

/// Names that are read together.
const NAMES: u32 = 500;

impl Sending {
    /// Says the start state to one that was the server last in epoch `served`; where nobody knows it, what stands there now.
    pub(super) fn tell_start(&mut self, served: u64) -> Result<(), Ended> {
        // A server of a later epoch, of which this side heard nothing then, did not begin with what the mirror was.
        let is_of_it = self.settings.took_over.is_some_and(|epoch| served < epoch);
        let kept = if is_of_it { self.start() } else { Ok(None) };
        let told = match kept {
            Ok(Some(index)) => self.tell_index(&index),
            Ok(None) => return self.tell_now(),
            Err(error) => Err(error.into()),
        };
        match told {
            Err(Untold::Disk(error)) => {
                // Half of it may be said: the next one who asks is told something else, from the beginning.
                self.settings.took_over = None;
                Err(Ended::Strange(format!("the start state cannot be read: {error}")))
            }
            Err(Untold::Ended(ended)) => Err(ended),
            Ok(()) => self.say(Say::Start(Start::IsAll { known: true })),
        }
    }

    /// The index of the mirror that this machine closed when it began to serve.
    fn start(&self) -> Result<Option<Index>, DiskError> {
        let Some(index) = Index::left(&journal_folder(&self.settings.source).join("index.db"))? else {
            return Ok(None);
        };
        let whole = index.state()?.form == Form::Committed;
        Ok(whole.then_some(index))
    }

    fn tell_index(&self, index: &Index) -> Result<(), Untold> {
        let mut after: Option<RelPath> = None;
        loop {
            let page = index.after(after.as_ref(), NAMES)?;
            let Some((_, last, _)) = page.last() else { return Ok(()) };
            after = Some(last.clone());
            for (mut id, path, mut entry) in page {
                // Another name of a file has what the file has.
                if let Body::Link { to } = &entry.body
                    && let Some(file) = index.get(to)?
                {
                    (id, entry) = file;
                }
                let body = match entry.body {
                    Body::File { size, .. } => Body::File { size, blocks: index.sums(id)? },
                    other => other,
                };
                self.tell_one(&path, &body)?;
            }
        }
    }

    fn tell_now(&self) -> Result<(), Ended> {
        let mut failed = None;
        let told = self.source.each_now(&mut |path, body| {
            self.tell_one(path, body).map_err(|ended| {
                failed = Some(ended);
                Stopped::Closed
            })
        });
        match (told, failed) {
            (_, Some(ended)) => Err(ended),
            (Err(Broken::Source(error)), None) => Err(Ended::Strange(error.to_string())),
            (Err(Broken::Stopped(_)), None) => Err(Ended::Closed),
            (Ok(()), None) => self.say(Say::Start(Start::IsAll { known: false })),
        }
    }

    fn tell_one(&self, path: &RelPath, body: &Body) -> Result<(), Ended> {
        if matches!(body, Body::Dir | Body::Link { .. }) {
            return Ok(());
        }
        self.say(Say::Start(Start::Held { path: path.clone(), what: Holding::of(body) }))?;
        let Body::File { blocks, .. } = body else { return Ok(()) };
        let mut run: Option<(u64, Vec<Sum>)> = None;
        for (number, sum) in blocks.iter() {
            let joins = |(first, sums): &(u64, Vec<_>)| first + sums.len() as u64 == number && sums.len() < SUMS;
            if let Some((first, sums)) = run.take_if(|run| !joins(run)) {
                self.say(Say::Start(Start::Sums { first, sums }))?;
            }
            run.get_or_insert_with(|| (number, vec![])).1.push(*sum);
        }
        run.map_or(Ok(()), |(first, sums)| self.say(Say::Start(Start::Sums { first, sums })))
    }
}

/// Why the start state could not be said.
enum Untold {
    Disk(DiskError),
    Ended(Ended),
}

impl From<DiskError> for Untold {
    fn from(error: DiskError) -> Self {
        Self::Disk(error)
    }
}

impl From<Ended> for Untold {
    fn from(ended: Ended) -> Self {
        Self::Ended(ended)
    }
}
