//! Opens the mirror. Where that needs more room than there is, it waits for it.

use std::path::Path;
use std::time::Duration;

use tokio::sync::mpsc;

use super::Orders;
use super::failed::trouble;
use crate::disk::apply::Mirror;
use crate::disk::apply::aside::{SetAside, keep_unapplied};
use crate::disk::apply::open::{Found, OpenError, Opening};
use crate::disk::journal::index::Form;
use crate::disk::journal::redo::Stored;
use crate::disk::root::Root;
use crate::disk::{DiskError, Hope};
use crate::replica::RelPath;
use crate::service::news::News;

/// Time between two tries.
const RETRY: Duration = Duration::from_secs(1);

/// A mirror that is open.
#[derive(Debug)]
pub struct Opened {
    /// It.
    pub mirror: Mirror,
    /// It was not as it had been left.
    pub strange: bool,
    /// What was acknowledged and cannot be applied yet.
    pub unapplied: Vec<Stored>,
}

/// Opens the mirror at `dest` and tells what was found there; none where an order ended it before.
pub async fn open(
    dest: &Path,
    opening: Opening,
    epoch: u64,
    orders: &mut Orders,
    news: &mpsc::UnboundedSender<News>,
) -> Result<Option<Opened>, OpenError> {
    let mut troubled = false;
    let mut held: Option<(Mirror, Found)> = None;
    loop {
        let tried = match held.take() {
            // What was found is found once.
            Some(opened) => Ok(opened),
            None => Mirror::open(dest, opening, epoch),
        };
        let tried = tried.and_then(|(mirror, found)| match over(&mirror, &found, dest) {
            Ok(aside) => Ok((mirror, found, aside)),
            Err(error) => {
                held = Some((mirror, found));
                Err(error.into())
            }
        });
        match tried {
            Ok((mut mirror, found, aside)) => {
                if troubled {
                    let _ = news.send(News::Trouble(None));
                }
                let _ = news.send(opened(&mirror, &found));
                let Found { strange, unapplied, .. } = found;
                for SetAside { files, to } in aside.into_iter().chain(mirror.take_half_kept()) {
                    let files = files.iter().map(ToString::to_string).collect();
                    let _ = news.send(News::SetAside { files, to });
                }
                return Ok(Some(Opened { mirror, strange: !strange.is_empty(), unapplied }));
            }
            Err(OpenError::Disk(error)) if error.hope() == Hope::Room => {
                // What leads back makes room before anybody is asked to.
                if let Some((mirror, _)) = &mut held
                    && let Ok(Some(left)) = mirror.drop_history()
                {
                    let _ = news.send(News::HistoryDropped(left));
                    continue;
                }
                tracing::warn!(%error, "the mirror cannot be opened; trying again");
                let root = Root::open(dest).map_err(|source| at(dest, source))?;
                let _ = news.send(News::Trouble(Some(trouble(&error, &root))));
                troubled = true;
                if orders.stop_within(RETRY).await {
                    return Ok(None);
                }
            }
            Err(error) => return Err(error),
        }
    }
}

/// Sets aside what leads on from what is in place and is not applied for its epoch alone: it was acknowledged.
fn over(mirror: &Mirror, found: &Found, dest: &Path) -> Result<Option<SetAside>, DiskError> {
    let is_whole = found.unapplied.is_empty() && mirror.state().form == Form::Committed;
    if is_whole { keep_unapplied(dest) } else { Ok(None) }
}

fn at(dest: &Path, source: std::io::Error) -> DiskError {
    DiskError::Io { doing: "opening", path: dest.to_owned(), source }
}

/// What was found when the mirror was opened.
fn opened(mirror: &Mirror, found: &Found) -> News {
    let state = mirror.state();
    let at = crate::service::news::Standing {
        position: state.position,
        usable: state.form == Form::Committed,
        grade: state.grade,
        as_of: mirror.as_of(),
        same: mirror.index().same().ok().flatten(),
        doubted: mirror.index().doubted().ok().flatten(),
        much: mirror.pinned().ok().flatten().and_then(|kept| Some((kept.percent?, kept.since))),
    };
    let names = |paths: &[RelPath]| paths.iter().map(ToString::to_string).collect();
    let (strange, rotten) = (names(&found.strange), names(&found.rotten));
    News::Opened { at, redone: found.redone, strange, rotten, found: found.files }
}
