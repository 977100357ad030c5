//! Links come and go; the half stays, and knows what it knew.

use super::{Ended, Sending, Settings};
use crate::link::Hello;
use crate::link::frame::Say;

impl Sending {
    /// A new link: the mirror is to say what it holds, unless that is known.
    pub(super) fn linked(&mut self) -> Result<(), Ended> {
        self.forget_link();
        let mut knows = vec![];
        if self.learning.knows_all() {
            knows.push(self.position);
            knows.extend(self.unanswered.as_ref().map(|flight| flight.end.position));
        }
        let Settings { epoch, start, ref dataset, .. } = self.settings;
        let protocol = self.port.spoken();
        self.say(Say::Hello(Hello { protocol, epoch, start, dataset: dataset.clone(), knows }))
    }

    pub(super) fn unlinked(&mut self) {
        self.port.hang_up();
        self.forget_link();
    }

    /// Forgets what belonged to a link that is gone. What was on its way may have arrived or not: the mirror will know.
    fn forget_link(&mut self) {
        self.early.clear();
        self.learning.unlink();
        self.truth.unlink();
        self.comparison = None;
        self.last_again();
        (self.said, self.said_behind, self.plain) = (None, None, None);
        if let Some(flight) = self.flight.take() {
            self.unanswered = Some(flight).filter(|flight| flight.captured.is_some());
        }
    }
}
