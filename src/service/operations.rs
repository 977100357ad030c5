//! Operations: jobs that go on whatever becomes of who asked for them. A second request joins the one that runs.

use jiff::Timestamp;

use super::status::{Operation, OperationKind, OperationState};

/// The operation that runs or ran last.
#[derive(Debug, Default)]
pub struct Operations {
    last: Option<Operation>,
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

    /// Begins an operation on `total_bytes`, for a comparison on both sides together, which `by` asked for. Returns its number.
    pub fn begin(&mut self, kind: OperationKind, by: &str, total_bytes: u64, now: Timestamp) -> u64 {
        let id = self.last.as_ref().map_or(1, |last| last.id + 1);
        self.last = Some(Operation {
            id,
            kind,
            state: OperationState::Running,
            step: 1,
            steps: 1,
            started_at: now,
            by: by.to_owned(),
            reason: None,
            why_not: vec![],
            done_bytes: 0,
            total_bytes,
        });
        id
    }

    /// So many bytes are done.
    pub fn went_on(&mut self, bytes: u64) {
        if let Some(operation) = &mut self.last {
            operation.done_bytes = bytes;
            operation.total_bytes = operation.total_bytes.max(bytes);
        }
    }

    /// The comparison is done: so many files differed, and are copied again.
    pub fn comparison_done(&mut self, differed: u64) {
        if self.is_comparing()
            && let Some(operation) = &mut self.last
        {
            operation.done_bytes = operation.total_bytes;
            operation.state = if differed == 0 { OperationState::Done } else { OperationState::Failed };
            if differed > 0 {
                operation.why_not.push(format!("differed: {differed}"));
            }
        }
    }

    /// The copy was taken anew, if that was asked for.
    pub fn taken_anew(&mut self) {
        if self.runs(OperationKind::Reseed)
            && let Some(operation) = &mut self.last
        {
            operation.done_bytes = operation.total_bytes;
            operation.state = OperationState::Done;
        }
    }

    /// What runs cannot be ended any more.
    pub fn fail(&mut self, why: &str) {
        if let Some(operation) = self.last.as_mut().filter(|last| last.state == OperationState::Running) {
            operation.state = OperationState::Failed;
            operation.why_not.push(why.to_owned());
        }
    }
}
