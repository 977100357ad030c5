//! What the data are asked as they change: between two generations, by who writes them, so that each answer is about one of them.

use std::path::PathBuf;
use std::time::Duration;

use tokio::time::Instant;

use super::applier::Hands;
use crate::disk::ask::Ask;
use crate::disk::journal::index::Form;
use crate::service::news::News;

/// What the mirror of a dataset is asked.
#[derive(Clone, Debug, Default)]
pub struct Asking {
    /// The questions.
    pub asks: Vec<Ask>,
    /// A folder of the program's own, for what has to be copied before it can be read.
    pub scratch: PathBuf,
}

/// How far the answers are.
#[derive(Debug)]
pub(super) struct Answering {
    asking: Asking,
    /// The data have changed since they were asked.
    unanswered: bool,
    not_before: Instant,
}

impl Default for Answering {
    fn default() -> Self {
        Self::of(Asking::default())
    }
}

/// Between two times that the data are asked.
const APART: Duration = Duration::from_secs(1);

/// The most that answers may take of the time, as one part of so many.
const SHARE: u32 = 50;

impl Answering {
    /// All of it is to be answered.
    pub(super) fn of(asking: Asking) -> Self {
        Self { unanswered: !asking.asks.is_empty(), asking, not_before: Instant::now() }
    }

    /// The data have changed.
    pub(super) fn changed(&mut self) {
        self.unanswered = !self.asking.asks.is_empty();
    }

    /// When they are to be asked; none where nothing has changed.
    pub(super) fn due(&self) -> Option<Instant> {
        self.unanswered.then_some(self.not_before)
    }
}

impl Hands {
    /// Answers what the data are asked, where they have changed and its time has come.
    pub(super) fn answer(&mut self) {
        let began = Instant::now();
        if self.answering.due().is_none_or(|due| began < due) {
            return;
        }
        self.answering.unanswered = false;
        if self.mirror.state().form != Form::Committed {
            // Of a first copy there is something to say when it is whole.
            return;
        }
        let Asking { asks, scratch } = &self.answering.asking;
        let folder = self.mirror.dest().path();
        let answer = |ask: &Ask| (ask.name.clone(), ask.answer(folder, scratch).map_err(|why| why.to_string()));
        let answers = asks.iter().map(answer).collect();
        self.tell(News::Answers(answers));
        self.answering.not_before = Instant::now() + APART.max(began.elapsed() * SHARE);
    }
}
