//! Comparing both sides byte for byte: because somebody asked for it, and once a day beside everything else.

use std::time::Duration;

use tokio::time::Instant;

use super::Receiving;
use super::work::Work;
use crate::disk::apply::private::Opens;
use crate::link::frame::ToSource;
use crate::os::ground;
use crate::replica::RelPath;
use crate::service::haste::Haste;
use crate::service::news::News;

/// So often every byte is compared, asked for or not.
const DAILY: Duration = Duration::from_secs(24 * 3600);

/// After a comparison that found something: what differed is copied again, and that is to be proven, too.
const AGAIN: Duration = Duration::from_secs(10);

/// Since which protocol the source can compare in no hurry.
const SINCE: u32 = 5;

/// How far a comparison of both sides is.
#[derive(Debug, Default)]
pub(super) struct Comparing {
    /// It goes on, and so.
    begun: Option<Haste>,
    /// What the applier says of an earlier one is not about this one.
    number: u64,
    /// Nobody is there to compare with: this side looks whether its own bytes are what they were.
    alone: bool,
    /// Files and bytes that each side has read.
    there: (u64, u64),
    here: (u64, u64),
    /// Files that differed here.
    strange: u64,
    /// Files that generations found meanwhile to be others than were left there.
    foreign: u64,
    /// What the source found, when it is done.
    proved: Option<u64>,
    /// This side is done.
    checked: bool,
    /// Both sides hold the same.
    agrees: Option<bool>,
    /// The databases that are still to be opened, and the one that is being.
    databases: Vec<RelPath>,
    opening: bool,
    /// Those that do not open, and why.
    broken: Vec<(String, String)>,
    /// Those for which there was no room.
    unopened: u64,
    /// When it was last told how far it is.
    told_at: Option<Instant>,
}

/// When both sides are compared.
#[derive(Debug, Default)]
pub(super) struct Comparisons {
    now: Comparing,
    /// Somebody waits for a comparison that cannot go on: it is begun as soon as the link is there again, and something whole.
    again: bool,
    /// When it is time without anybody asking; none while there is nothing whole.
    due: Option<Instant>,
    /// When the last one that found nothing is a day old; none where there was none.
    stale: Option<Instant>,
    /// Databases did not open at the last one.
    broken: bool,
    /// The mirror could not be read to its end, which is told until it can be.
    unread: bool,
}

impl Comparisons {
    /// The mirror can be used, and was proven so long ago, if it ever was.
    pub(super) fn of(proven_ago: Option<Duration>) -> Self {
        let now = Instant::now();
        let stale = proven_ago.map(|ago| now + DAILY.saturating_sub(ago));
        Self { due: Some(stale.unwrap_or(now)), stale, ..Self::default() }
    }

    /// When it is time for the next one that nobody asks for.
    pub(super) fn due(&self) -> Option<Instant> {
        self.due.filter(|_| self.now.begun.is_none())
    }

    /// There is a whole copy, which was never proven. Returns whether somebody waits for its comparison.
    pub(super) fn built(&mut self) -> bool {
        (self.due, self.stale) = (Some(Instant::now()), None);
        std::mem::take(&mut self.again)
    }

    /// Somebody asks for a comparison. Returns whether it can begin; else it does as soon as there is something whole.
    pub(super) fn asked(&mut self) -> bool {
        self.again |= self.due.is_none();
        self.due.is_some()
    }

    /// It is not what it was proven to be: it is compared soon, when what differed is copied again. Whatever is being compared has not
    /// seen all of that.
    pub(super) fn doubted(&mut self, files: u64) {
        self.stale = None;
        self.now.foreign += files;
        self.due = self.due.map(|due| due.min(Instant::now() + AGAIN));
    }

    /// The copy is to be taken anew: who waits for a comparison of what it was is told so by whoever had it begun.
    pub(super) fn called_off(&mut self) {
        self.unlinked();
        self.again = false;
    }

    /// There is no whole copy any more.
    pub(super) fn thrown_away(&mut self) {
        let again = self.again || self.now.begun == Some(Haste::AtOnce);
        let now = Comparing { number: self.now.number + 1, ..Comparing::default() };
        *self = Self { now, again, unread: self.unread, ..Self::default() };
    }

    /// The link is gone: nothing can be compared to its end.
    pub(super) fn unlinked(&mut self) {
        if !self.now.alone {
            self.again |= self.now.begun == Some(Haste::AtOnce);
            self.now = Comparing { number: self.now.number + 1, ..Comparing::default() };
        }
    }

    /// The other side is there. Returns whether a comparison that somebody asked for is to be begun again.
    pub(super) fn linked(&mut self) -> bool {
        if self.due.is_some() {
            self.due = Some(self.stale.unwrap_or_else(Instant::now));
        }
        if self.now.alone {
            // With the other side it tells more.
            self.now = Comparing { number: self.now.number + 1, ..Comparing::default() };
        }
        self.due.is_some() && std::mem::take(&mut self.again)
    }

    /// The mirror has read so much.
    pub(super) fn checking(&mut self, number: u64, (files, bytes, strange): (u64, u64, u64)) {
        if number == self.now.number {
            (self.now.here, self.now.strange) = ((files, bytes), strange);
        }
    }

    /// The mirror has read all; where it `failed` in that, one file differs at the least.
    pub(super) fn checked(&mut self, number: u64, databases: Vec<RelPath>, failed: bool) {
        if number == self.now.number {
            (self.now.checked, self.now.databases) = (true, databases);
            self.now.strange += u64::from(failed);
        }
        // That was told, whatever became of the comparison.
        self.unread |= failed;
    }

    /// A database opens, or not.
    pub(super) fn opened(&mut self, number: u64, file: &RelPath, opens: Opens) {
        if number != self.now.number {
            return;
        }
        self.now.opening = false;
        match opens {
            Opens::Yes => {}
            Opens::No(why) => self.now.broken.push((file.to_string(), why)),
            Opens::NoRoom => self.now.unopened += 1,
        }
    }

    /// The source has read so much.
    pub(super) fn proving(&mut self, files: u64, bytes: u64) {
        self.now.there = (files, bytes);
    }

    /// The source has read all.
    pub(super) fn proved(&mut self, (files, bytes): (u64, u64), differed: u64) {
        (self.now.there, self.now.proved) = ((files, bytes), Some(differed));
    }

    /// Whether both hold the same.
    pub(super) fn agreed(&mut self, agrees: bool) {
        self.now.agrees = Some(agrees);
    }
}

impl Receiving {
    /// Begins to compare both sides; where nobody is there, this one with what it wrote.
    pub(super) fn compare(&mut self, haste: Haste) -> Result<(), String> {
        // What somebody asked for waits for the other side.
        let alone = haste == Haste::Beside && (self.port.out().is_none() || self.hello.is_some());
        let number = self.comparisons.now.number + 1;
        self.comparisons.now = Comparing { begun: Some(haste), number, alone, ..Comparing::default() };
        self.applier.work(Work::Check { number, haste });
        match haste {
            _ if alone => Ok(()),
            Haste::Beside if self.port.spoken() >= SINCE => self.say(&ToSource::Scrub),
            Haste::Beside | Haste::AtOnce => self.say(&ToSource::Prove),
        }
    }

    /// Tells how far it is, not more often than a person can see: a large hole has many stretches.
    pub(super) fn tell_comparing(&mut self) {
        let (now, comparing) = (Instant::now(), &mut self.comparisons.now);
        let lately = comparing.told_at.is_some_and(|at| now.duration_since(at).as_millis() < 100);
        if lately || comparing.begun != Some(Haste::AtOnce) {
            return;
        }
        comparing.told_at = Some(now);
        let ((files_there, bytes_there), (files_here, bytes_here)) = (comparing.there, comparing.here);
        self.tell(News::Comparing { files: files_there + files_here, bytes: bytes_there + bytes_here });
    }

    /// Where all is compared, says so.
    pub(super) fn finish_comparing(&mut self) {
        let comparing = &self.comparisons.now;
        let Comparing { begun: Some(haste), checked: true, strange, foreign, here, alone, .. } = *comparing else {
            return;
        };
        // The same file may be found by both.
        let strange = strange.max(foreign);
        let differed = match (comparing.proved, comparing.agrees) {
            // What one side alone noticed is told by the proof of the whole.
            (Some(differed), Some(agrees)) => (differed + strange).max(u64::from(!agrees)),
            _ if alone => strange,
            _ => return,
        };
        // What differed is copied again: whether that opens is seen then.
        if differed == 0 && self.opens_another() {
            return;
        }
        let comparing = std::mem::take(&mut self.comparisons.now);
        self.comparisons.now.number = comparing.number;
        let (now, asked) = (Instant::now(), haste == Haste::AtOnce);
        let open = comparing.broken.is_empty();
        if differed == 0 && std::mem::replace(&mut self.comparisons.broken, !open) == open && !open {
            self.applier.work(Work::PinOldest);
        }
        if differed == 0 {
            self.tell(News::Broken { databases: comparing.broken, unopened: comparing.unopened });
            if std::mem::take(&mut self.comparisons.unread) && !self.troubled {
                self.tell(News::Trouble(None));
            }
        }
        if differed > 0 {
            // What differed is copied again as soon as the other side is there, and then all is compared, whatever comes in between.
            self.comparisons.stale = None;
        }
        if alone {
            self.comparisons.due = Some(now + DAILY);
            tracing::info!(strange, "the mirror was read alone");
            return;
        }
        // What nobody could open proves nothing, and what does not open is looked at again after each start: it is to be said.
        let proven = differed == 0 && comparing.unopened == 0 && open;
        if proven {
            self.comparisons.stale = Some(now + DAILY);
        }
        // What this disk has damaged is noted by itself, and a time or a mode that somebody changed is no damage.
        let wrong = comparing.agrees == Some(false) && strange == 0 && comparing.proved == Some(0);
        if differed == 0 || wrong {
            let same = (differed == 0).then(|| ground::now().as_second());
            self.applier.work(Work::Compared { same, is_opened: proven });
        }
        self.comparisons.due = Some(now + if differed == 0 { DAILY } else { AGAIN });
        self.tell(News::Compared { files: here.0, bytes: here.1, differed, asked, proven, wrong });
    }

    /// Has the next database opened; one after another. Returns whether one is being.
    fn opens_another(&mut self) -> bool {
        let comparing = &mut self.comparisons.now;
        if !comparing.opening
            && let Some(file) = comparing.databases.pop()
        {
            comparing.opening = true;
            self.applier.work(Work::Open { number: comparing.number, file });
        }
        self.comparisons.now.opening
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn comparing(haste: Haste) -> Comparisons {
        let mut comparisons = Comparisons::of(Some(Duration::ZERO));
        comparisons.now = Comparing { begun: Some(haste), number: 1, ..Comparing::default() };
        comparisons
    }

    #[test]
    fn who_asks_while_the_copy_is_taken_anew_is_answered_when_it_is_whole() {
        // What somebody waits for goes on then, whether it was asked for before that, or meanwhile.
        for asks in [false, true] {
            let mut comparisons = comparing(if asks { Haste::Beside } else { Haste::AtOnce });
            assert!(comparisons.asked(), "there is something whole");
            comparisons.thrown_away();
            assert!(!asks || !comparisons.asked());
            comparisons.unlinked();
            assert!(!comparisons.linked(), "there is nothing whole yet");
            assert!(comparisons.built() && !comparisons.built(), "once");
        }
        for haste in [Haste::Beside, Haste::AtOnce] {
            let mut comparisons = comparing(haste);
            comparisons.called_off();
            comparisons.thrown_away();
            assert!(!comparisons.built(), "nobody waits for it");
        }
    }

    #[test]
    fn what_was_asked_for_goes_on_with_the_next_link_and_what_is_foreign_is_compared_soon() {
        let mut comparisons = comparing(Haste::AtOnce);
        comparisons.doubted(2);
        assert!(comparisons.now.foreign == 2 && comparisons.stale.is_none());
        assert!(comparisons.due.is_some_and(|due| due <= Instant::now() + AGAIN));
        comparisons.unlinked();
        assert!(comparisons.linked() && !comparisons.linked());
    }
}
