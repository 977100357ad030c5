//! What the terminals saw of the other machine, and the verdict that follows. Two machines cannot tell a dead one from a cut
//! cable; who stands elsewhere can. Pure: time is an argument.

use std::time::Duration;

use tokio::time::Instant;

use crate::link::identity::MachineId;
use crate::pair::Node;
use crate::service::status::Verdict;
use crate::terminal::speech::Vote;

/// A terminal that was heard within so long before the silence is asked.
const ELECTORATE: Duration = Duration::from_secs(60);
/// What was told longer ago says nothing of now.
const FRESH: Duration = Duration::from_millis(3500);

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
    /// Of those, how many do not reach the other machine.
    pub miss: usize,
    /// Of those, how many have just seen its POS server answer.
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

    /// Whether it has just seen the POS server of `node` answer.
    #[must_use]
    pub fn saw(&self, node: Node, now: Instant) -> bool {
        let told_ago = now.saturating_duration_since(self.heard_at);
        let seen_ago = self.vote.of(node).answered_ago_ms.map(|ms| Duration::from_millis(ms).saturating_add(told_ago));
        self.is_fresh(now) && seen_ago.is_some_and(|ago| ago < FRESH)
    }
}

/// What they say of `other`, which has been silent here for so long.
#[must_use]
pub fn count(witnesses: &[Witness], other: Node, silent: Duration, now: Instant) -> Count {
    let within = silent.saturating_add(ELECTORATE);
    let asked = |one: &&Witness| now.saturating_duration_since(one.heard_at) <= within;
    let heard: Vec<_> = witnesses.iter().filter(asked).filter(|one| one.is_fresh(now)).collect();
    Count {
        all: witnesses.iter().filter(asked).count(),
        heard: heard.len(),
        miss: heard.iter().filter(|one| !one.reaches(other, now)).count(),
        saw: heard.iter().filter(|one| one.saw(other, now)).count(),
    }
}

impl Count {
    /// The verdict about a machine that is silent here.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        match self {
            Self { all: 0, .. } => Verdict::Unknown,
            Self { heard: 0, .. } => Verdict::Isolated,
            Self { saw, .. } if *saw > 0 => Verdict::OnlyThisLink,
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
        Witness { id, name: name.into(), vote: Vote::default(), heard_at: now, is_here: true }
    }

    fn sees(mut witness: Witness, reached: bool, answered_ago_ms: Option<u64>) -> Witness {
        witness.vote.main = Sight { reached, answered_ago_ms, ..Sight::default() };
        witness
    }

    fn verdict(witnesses: &[Witness], now: Instant) -> Verdict {
        count(witnesses, Node::Main, SILENT, now).verdict()
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
    fn what_was_seen_grows_old_also_while_nobody_tells_anything() {
        let now = Instant::now();
        let works = sees(witness("CAJA", now), true, Some(3_000));
        assert!(works.saw(Node::Main, now) && !works.saw(Node::Main, now + Duration::from_millis(600)));
        assert!(works.reaches(Node::Main, now) && !works.reaches(Node::Main, now + FRESH));
    }
}
