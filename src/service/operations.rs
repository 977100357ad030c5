//! Operations: jobs that go on whatever becomes of who asked for them. A second request joins the one that runs.

use jiff::Timestamp;

use super::keeper::INTERRUPTED;
use super::status::{Operation, OperationKind, OperationState};

/// The operation that runs or ran last.
#[derive(Debug, Default)]
pub struct Operations {
    last: Option<Operation>,
    /// It ran when the service ended, and is to go on.
    resumes: bool,
    /// Both sides are there since.
    both: bool,
}

impl Operations {
    /// The operation that runs or ran last.
    #[must_use]
    pub fn last(&self) -> Option<&Operation> {
        self.last.as_ref()
    }

    /// Whether every byte is being compared.
    #[must_use]
    pub fn is_comparing(&self) -> bool {
        self.runs(OperationKind::Verify)
    }

    /// Whether an operation of this kind runs.
    #[must_use]
    pub fn runs(&self, kind: OperationKind) -> bool {
        let is_it = |last: &Operation| last.kind == kind && last.state == OperationState::Running;
        self.last.as_ref().is_some_and(is_it)
    }

    /// Begins operation `id` on `total_bytes`, for a comparison on both sides together, which `by` asked for.
    pub fn begin(&mut self, id: u64, kind: OperationKind, by: &str, total_bytes: u64, now: Timestamp) {
        self.last = Some(Operation { total_bytes, ..Operation::begun(id, kind, by, now) });
        self.resumes = false;
    }

    /// An operation ran when the service ended. A comparison begins again; a copy that was thrown away is on its way.
    pub fn resume(&mut self, operation: &Operation) {
        self.last = Some(Operation { done_bytes: 0, total_bytes: 0, ..operation.clone() });
        self.resumes = true;
    }

    /// A comparison is to begin again, now that both sides are there. It is said once.
    pub fn begins_again(&mut self) -> bool {
        self.is_comparing() && self.both && std::mem::take(&mut self.resumes)
    }

    /// Something has come the whole way from the source to a mirror that can be used, or not.
    pub fn both_there(&mut self, usable: bool) {
        self.both = usable;
    }

    /// So many bytes are done.
    pub fn went_on(&mut self, bytes: u64) {
        if let Some(operation) = self.last.as_mut().filter(|last| last.state == OperationState::Running) {
            operation.done_bytes = bytes;
            operation.total_bytes = operation.total_bytes.max(bytes);
        }
    }

    /// The comparison is done: so many files differed, and are copied again.
    pub fn comparison_done(&mut self, differed: u64, now: Timestamp) {
        if self.is_comparing()
            && let Some(operation) = &mut self.last
        {
            if differed == 0 {
                operation.end(OperationState::Done, now);
            } else {
                operation.done_bytes = operation.total_bytes;
                operation.fail(&format!("differed: {differed}"), now);
            }
        }
    }

    /// The mirror was opened, and can be used as it is, or not.
    pub fn opened(&mut self, usable: bool, now: Timestamp) {
        if !self.runs(OperationKind::Reseed) {
            return;
        }
        let Some(operation) = &mut self.last else { return };
        match (usable, operation.step) {
            (false, _) => operation.step = operation.steps,
            (true, _) if !self.resumes => {}
            // It was whole again already, and that could not be written any more.
            (true, step) if step == operation.steps => operation.end(OperationState::Done, now),
            (true, _) => operation.fail(INTERRUPTED, now),
        }
    }

    /// The copy was taken anew, if that was asked for.
    pub fn taken_anew(&mut self, now: Timestamp) {
        if self.runs(OperationKind::Reseed)
            && let Some(operation) = &mut self.last
            && operation.step == operation.steps
        {
            operation.end(OperationState::Done, now);
        }
    }

    /// What runs cannot be ended any more.
    pub fn fail(&mut self, why: &str, now: Timestamp) {
        if let Some(operation) = self.last.as_mut().filter(|last| last.state == OperationState::Running) {
            operation.fail(why, now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn reseeding(step: u32) -> Operation {
        Operation { step, ..Operation::begun(7, OperationKind::Reseed, "ana", at(1)) }
    }

    /// How a reseed that was interrupted in `step` stands when the mirror is opened again.
    fn resumed(step: u32, usable: bool) -> (OperationState, u32) {
        let mut operations = Operations::default();
        operations.resume(&reseeding(step));
        operations.opened(usable, at(2));
        let last = operations.last().unwrap();
        assert_eq!(last.ended_at.is_some(), last.state != OperationState::Running);
        (last.state, last.step)
    }

    #[test]
    fn a_copy_that_was_thrown_away_is_taken_anew_after_a_restart() {
        assert_eq!(resumed(2, false), (OperationState::Running, 2));
        assert_eq!(resumed(1, false), (OperationState::Running, 2), "thrown away, and that was not written any more");
        assert_eq!(resumed(2, true), (OperationState::Done, 2), "whole again, and that was not written any more");
        assert_eq!(resumed(1, true), (OperationState::Failed, 1), "never begun");
    }

    #[test]
    fn a_comparison_begins_again_once() {
        let mut operations = Operations::default();
        operations.begin(3, OperationKind::Verify, "ana", 10, at(1));
        assert!(!operations.begins_again());
        let before = operations.last().cloned().unwrap();
        let mut operations = Operations::default();
        operations.resume(&before);
        operations.opened(true, at(2));
        assert!(!operations.begins_again(), "the source is not there yet");
        operations.both_there(true);
        assert!(operations.begins_again() && !operations.begins_again());
        operations.comparison_done(2, at(3));
        let last = operations.last().unwrap();
        assert_eq!(
            (last.state, last.ended_at, &*last.why_not[0]),
            (OperationState::Failed, Some(at(3)), "differed: 2")
        );
    }

    #[test]
    fn an_operation_ends_with_its_last_dataset() {
        let mut one = reseeding(2);
        one.end(OperationState::Done, at(5));
        let mut all = one.clone();
        all.join(&reseeding(1));
        assert_eq!((all.state, all.step, all.ended_at), (OperationState::Running, 1, None));
        let mut other = reseeding(1);
        other.fail("the disk is full", at(9));
        one.join(&other);
        assert_eq!((one.state, one.ended_at), (OperationState::Failed, Some(at(9))));
    }
}
