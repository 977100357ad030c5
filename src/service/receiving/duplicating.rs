//! A copy of the mirror for a drill: most of it on a thread of its own, and at the end what changed meanwhile.

use super::applier::Hands;
use super::work::Done;
use crate::disk::DiskError;
use crate::disk::duplicate::Duplicate;
use crate::os::ground::Worker;
use crate::service::news::News;

impl Hands {
    /// Begins a copy of the mirror.
    pub(super) fn duplicate(&self) {
        let (done, dest) = (self.done.clone(), self.mirror.dest().path().to_owned());
        let begun = self.mirror.index().totals().and_then(|(_, bytes)| Duplicate::begin(&dest, bytes));
        let mut copy = match begun {
            Ok(copy) => copy,
            Err(error) => return self.tell(News::Duplicated(Err(error))),
        };
        let work = async move {
            let passed = copy.pass().map(|()| copy);
            let _ = done.send(Done::Duplicated(Box::new(passed)));
        };
        if let Err(source) = Worker::begin("drill copy", work) {
            self.tell(News::Duplicated(Err(DiskError::Io { doing: "copying", path: dest, source })));
        }
    }

    /// Ends it: no generation is applied meanwhile.
    pub(super) fn duplicate_rest(&self, mut copy: Duplicate) {
        self.tell(News::Duplicated(copy.pass()));
    }
}
