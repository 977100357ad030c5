//! The start from an earlier state of the copy: for the day when the main has mirrored its own damage. What the mirror holds is set aside
//! before anything of it is stepped back.

use jiff::Timestamp;

use super::Machine;
use super::inputs::mirrored;
use crate::disk::DiskError;
use crate::disk::apply::Mirror;
use crate::disk::apply::open::{OpenError, Opening, Others};
use crate::disk::journal::undo::Limits;
use crate::os::ground;
use crate::replica::Time;
use crate::service::event::{Noted, What};
use crate::service::refusal::WhyNot;

impl Machine {
    /// Steps every dataset back to what it was at `time`: all of them, or, where one cannot be, none. The mirrors are closed. Returns how
    /// many generations there are then.
    pub(super) async fn back_to(&mut self, time: Timestamp) -> Result<u64, WhyNot> {
        let mirror = &self.store.mirror;
        let opening =
            Opening { others: Others::Refuse, history: Limits { age: mirror.history, bytes: mirror.history_bytes } };
        let folders: Vec<_> = mirrored(&self.store).map(|dataset| self.folder(&self.store, &dataset.name)).collect();
        let (epoch, stamp) = (self.pair.record().epoch, ground::now().strftime("%Y%m%d-%H%M%S").to_string());
        let at = Time { seconds: time.as_second(), nanos: time.subsec_nanosecond().unsigned_abs() };
        let stepped = ground::aside(move || {
            let mut mirrors = vec![];
            for folder in &folders {
                let (mirror, _) = Mirror::open(folder, opening, epoch).map_err(refused)?;
                mirror.generation_of(at).map_err(no_way)?;
                mirrors.push(mirror);
            }
            let back = |mirror: &mut Mirror| mirror.back_to(at, &stamp).map_err(no_way);
            let asides = mirrors.iter_mut().map(back).collect::<Result<Vec<_>, WhyNot>>()?;
            Ok((asides, mirrors.iter().map(|mirror| mirror.state().position.seq).sum()))
        });
        let (asides, seq) = stepped.await.unwrap_or_else(|error| Err(WhyNot::System { error: error.to_string() }))?;
        for aside in asides.into_iter().flatten() {
            let kept = Noted::Kept { files: aside.files.len() as u64, to: aside.to.display().to_string() };
            self.done("", What::Noted(kept));
        }
        self.done("", What::Noted(Noted::SteppedBack { to: time }));
        Ok(seq)
    }
}

fn refused(error: OpenError) -> WhyNot {
    match error {
        OpenError::Disk(error) => no_way(error),
        other => WhyNot::System { error: other.to_string() },
    }
}

fn no_way(error: DiskError) -> WhyNot {
    match error {
        DiskError::TooLongAgo { oldest } => WhyNot::TooLongAgo {
            oldest: oldest.and_then(|oldest| Timestamp::new(oldest.seconds, i32::try_from(oldest.nanos).ok()?).ok()),
        },
        error => WhyNot::System { error: error.to_string() },
    }
}
