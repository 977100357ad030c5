//! What the terminals saw of the other machine, and the verdict that follows. Two machines cannot tell a dead one from a cut
//! cable; who stands elsewhere can. Pure: time is an argument.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::link::identity::MachineId;
use crate::pair::Node;
use crate::service::status::Verdict;
use crate::terminal::speech::Vote;
use crate::terminal::way::FRESH;

/// A terminal that was heard within so long before the silence is asked.
const ELECTORATE: Duration = Duration::from_secs(60);
/// A terminal that has called a machine in vain for so long misses it. Before, it may just be calling it again, as one that has
/// begun, or woken, a moment ago.
const CALLED: Duration = Duration::from_secs(3);

/// What a terminal told last.
#[derive(Clone, PartialEq, Debug)]
pub struct Witness {
    /// Its key.
    pub id: MachineId,
    /// What it is called.
    pub name: String,
    /// What it sees.
    pub vote: Vote,
    /// When it told that.
    pub heard_at: Instant,
    /// When it came in first.
    pub since: Instant,
    /// It is connected.
    pub is_here: bool,
}

/// What all of them say of the other machine.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Count {
    /// Those that are asked.
    pub all: usize,
    /// Those that are heard now.
    pub heard: usize,
    /// Of those, how many miss the other machine.
    pub miss: usize,
    /// How many of all that are heard have just seen its POS server answer.
    pub saw: usize,
}

impl Witness {
    /// Whether what it told is of now.
    #[must_use]
    pub fn is_fresh(&self, now: Instant) -> bool {
        self.is_here && now.saturating_duration_since(self.heard_at) < FRESH
    }

    /// Whether it reaches `node`.
    #[must_use]
    pub fn reaches(&self, node: Node, now: Instant) -> bool {
        self.is_fresh(now) && self.vote.of(node).reached
    }

    /// Whether it calls `node`, and gets no answer.
    #[must_use]
    pub fn misses(&self, node: Node, now: Instant) -> bool {
        let sight = self.vote.of(node);
        let is_long = sight.missed_ms.is_some_and(|ms| Duration::from_millis(ms) >= CALLED);
        self.is_fresh(now) && !sight.reached && is_long
    }

    /// Whether it has just seen the POS server of `node` answer.
    #[must_use]
    pub fn saw(&self, node: Node, now: Instant) -> bool {
        let told_ago = now.saturating_duration_since(self.heard_at);
        let seen_ago = self.vote.of(node).answered_ago_ms.map(|ms| Duration::from_millis(ms).saturating_add(told_ago));
        self.is_fresh(now) && seen_ago.is_some_and(|ago| ago < FRESH)
    }
}

/// What they say of `other`, which has been silent here for so long. Asked are those that were here before that; that somebody has seen
/// its POS server answer counts whoever it is.
#[must_use]
pub fn count(witnesses: &[Arc<Witness>], other: Node, silent: Duration, now: Instant) -> Count {
    let ago = |at: Instant| now.saturating_duration_since(at);
    let is_asked =
        |one: &&Arc<Witness>| ago(one.since) >= silent && ago(one.heard_at) <= silent.saturating_add(ELECTORATE);
    let asked: Vec<_> = witnesses.iter().filter(is_asked).collect();
    Count {
        all: asked.len(),
        heard: asked.iter().filter(|one| one.is_fresh(now)).count(),
        miss: asked.iter().filter(|one| one.misses(other, now)).count(),
        saw: witnesses.iter().filter(|one| one.saw(other, now)).count(),
    }
}

impl Count {
    /// The verdict about a machine that is silent here.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        match self {
            Self { saw, .. } if *saw > 0 => Verdict::OnlyThisLink,
            Self { all: 0, .. } => Verdict::Unknown,
            Self { heard: 0, .. } => Verdict::Isolated,
            Self { all, miss, .. } if miss * 2 > *all => Verdict::MainDown,
            _ => Verdict::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::link::identity::Identity;
    use crate::terminal::speech::Sight;

    const SILENT: Duration = Duration::from_secs(5);

    fn witness(name: &str, now: Instant) -> Witness {
        let id = Identity::make().unwrap().id();
        let since = now.checked_sub(Duration::from_secs(300)).unwrap();
        Witness { id, name: name.into(), vote: Vote::default(), heard_at: now, since, is_here: true }
    }

    fn sees(mut witness: Witness, reached: bool, answered_ago_ms: Option<u64>) -> Witness {
        let missed_ms = (!reached).then_some(4_000);
        witness.vote.main = Sight { reached, missed_ms, answered_ago_ms, ..Sight::default() };
        witness
    }

    fn verdict(witnesses: &[Witness], now: Instant) -> Verdict {
        let witnesses: Vec<Arc<Witness>> = witnesses.iter().cloned().map(Arc::new).collect();
        count(&witnesses, Node::Main, SILENT, now).verdict()
    }

    #[test]
    fn each_row_of_the_table() {
        let now = Instant::now();
        let one = || witness("CAJA", now);
        let misses = || sees(one(), false, Some(9_000));
        let reaches = || sees(one(), true, None);
        let works = || sees(one(), true, Some(400));
        let gone = || Witness { heard_at: now.checked_sub(Duration::from_secs(20)).unwrap(), is_here: false, ..one() };
        let long_gone =
            || Witness { heard_at: now.checked_sub(Duration::from_secs(70)).unwrap(), is_here: false, ..one() };
        assert_eq!(verdict(&[], now), Verdict::Unknown, "nobody to ask");
        assert_eq!(verdict(&[long_gone()], now), Verdict::Unknown, "it was switched off before");
        assert_eq!(verdict(&[gone(), gone()], now), Verdict::Isolated);
        assert_eq!(verdict(&[misses(), misses(), gone()], now), Verdict::MainDown);
        assert_eq!(verdict(&[misses(), gone()], now), Verdict::Unknown, "half is no majority");
        assert_eq!(verdict(&[misses(), misses(), misses(), works()], now), Verdict::OnlyThisLink, "one has seen it");
        assert_eq!(verdict(&[reaches(), reaches(), misses()], now), Verdict::Unknown, "its machine is there");
        assert_eq!(verdict(&[misses(), long_gone(), long_gone()], now), Verdict::MainDown, "those off are not asked");
    }

    #[test]
    fn who_has_just_begun_or_come_in_says_nothing_of_a_dead_machine_and_much_of_a_living_one() {
        let now = Instant::now();
        let calls = |ms| {
            let mut witness = witness("CAJA", now);
            witness.vote.main.missed_ms = Some(ms);
            witness
        };
        assert_eq!(verdict(&[calls(4_000), calls(4_000)], now), Verdict::MainDown);
        assert_eq!(verdict(&[calls(4_000), calls(900)], now), Verdict::Unknown, "one may be about to reach it");
        let new = |witness: Witness| Witness { since: now.checked_sub(SILENT / 2).unwrap(), ..witness };
        assert_eq!(verdict(&[new(calls(4_000)), new(calls(4_000))], now), Verdict::Unknown, "the silence is older");
        let works = new(sees(witness("CAJA", now), true, Some(100)));
        assert_eq!(verdict(&[calls(4_000), calls(4_000), works], now), Verdict::OnlyThisLink);
    }

    #[test]
    fn what_was_seen_grows_old_also_while_nobody_tells_anything() {
        let now = Instant::now();
        let works = sees(witness("CAJA", now), true, Some(3_000));
        assert!(works.saw(Node::Main, now) && !works.saw(Node::Main, now + Duration::from_millis(600)));
        assert!(works.reaches(Node::Main, now) && !works.reaches(Node::Main, now + FRESH));
    }
}
