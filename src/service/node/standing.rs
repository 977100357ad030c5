//! How a machine of a store stands: what each dataset's book says, joined, and what only the whole machine knows.

use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use super::far::Far;
use super::heart::Heart;
use super::pos::Program;
use crate::config::store::Store;
use crate::pair::{Duty, Node, Pair};
use crate::replica::Position;
use crate::service::alarms::Alarms;
use crate::service::book::showing::age_ms;
use crate::service::event::{Event, What};
use crate::service::member::role;
use crate::service::status::{
    Alarm, EVENTS, Machines, Operation, Peer, PeerState, Phase, Reason, Server, Status, Support, Trouble, Unmet,
    Verdict,
};

/// Numbers of questions of one dataset; those of the next begin behind them.
pub const QUESTIONS: u64 = 1_000_000;

/// Room on the disk with less than so many bytes, and less than one part in twenty, is little.
const LITTLE: u64 = 2 << 30;

/// So long a machine that was never heard may take to begin its day.
const BEGINNING: Duration = Duration::from_secs(10);
/// So long nothing has come the way that changes go, though the machines hear each other: the copy has stopped.
const STOPPED_MS: u64 = 60_000;
/// So long nothing that is sent to the other machine comes there, before that is said.
const UNHEARD: Duration = Duration::from_secs(5);
/// So long the two do not talk, before that is said.
const APART: Duration = Duration::from_secs(20);

/// What only the whole machine knows.
#[derive(Debug, Default)]
pub struct Standing {
    alarms: Alarms,
    events: Vec<Event>,
}

/// What the standing is made of.
pub struct Known<'k> {
    /// What is set.
    pub store: &'k Store,
    /// Who serves.
    pub pair: &'k Pair,
    /// The other machine's heart.
    pub heart: &'k Heart,
    /// What the other machine does, how its POS server is, and its program's version, as it said last.
    pub theirs: Option<(Duty, Server, String)>,
    /// Why it could not be called, if it could not.
    pub unmet: Option<Unmet>,
    /// Since when the two do not talk, if they do not.
    pub apart: Option<Instant>,
    /// Another machine has this one's key.
    pub has_twin: bool,
    /// The POS server program of this machine, where one is set.
    pub program: Option<&'k Program>,
    /// That of the other one.
    pub far: Far,
    /// What the terminals say of it, where it is silent here.
    pub witnessed: Option<Verdict>,
    /// The home.
    pub home: &'k Path,
    /// What else is wrong, as others know it.
    pub others: Vec<Trouble>,
}

impl Standing {
    /// Something happened that only the whole machine knows.
    pub fn noted(&mut self, what: What, now: Timestamp) {
        self.events.push(Event { at: now, what });
    }

    /// Completes `status`, which the datasets' books or the other machine gave. Returns what has happened by that.
    pub fn complete(&mut self, status: &mut Status, known: &Known<'_>, now: Timestamp) -> Vec<What> {
        let clock = Instant::now();
        let record = known.pair.record();
        status.store.clone_from(&known.store.name);
        status.node = role(known.store, record.node);
        (status.duty, status.epoch) = (known.pair.duty(), record.epoch);
        status.holder = role(known.store, Node::of_epoch(record.epoch));
        status.strays = record.strays;
        status.at = now;
        status.version = super::meet::version();
        status.folders = None;
        status.machines = Some(machines(known.store));
        status.support = support(&known.store.support);
        status.peer = peer(known, clock);
        let silent = match status.peer.state {
            PeerState::Healthy | PeerState::Late => None,
            PeerState::Lost => known.heart.silent(clock),
            // Since when it was silent before this service began, nobody knows: perhaps since the copy was made.
            PeerState::Unknown => {
                status.mirror.as_of.map(|as_of| known.heart.age(clock).max(Duration::from_millis(age_ms(as_of, now))))
            }
        };
        if let Some(silent) = silent {
            let silent_ms = u64::try_from(silent.as_millis()).unwrap_or(u64::MAX);
            status.mirror.behind_at_least = true;
            status.mirror.behind_ms = status.mirror.behind_ms.max(silent_ms);
        }
        status.server = known.program.map_or(Server::Stopped, |program| program.stands);
        status.pos = known.program.map(Program::told);
        let judged = known.far.judge(status.peer.state, clock).filter(|_| known.program.is_some());
        let (verdict, down) = judged.unzip();
        status.verdict = verdict.unwrap_or(match status.peer.state {
            PeerState::Healthy | PeerState::Late => Verdict::Healthy,
            PeerState::Lost | PeerState::Unknown => known.witnessed.unwrap_or(Verdict::Unknown),
        });
        let what = self.weigh(known, status, down, now);
        // What the other machine says, too, is said once.
        let is_own = |alarm: &Alarm| self.alarms.all().iter().any(|own| own.code == alarm.code);
        status.alarms.retain(|alarm| !is_own(alarm) && !matches!(alarm.trouble, Trouble::ServerDown { .. }));
        status.alarms.extend(self.alarms.all().iter().cloned());
        status.events.extend(self.events.iter().cloned());
        status.events.sort_by_key(|event| event.at);
        let over = status.events.len().saturating_sub(EVENTS);
        status.events.drain(..over);
        unheard(status);
        let stopped = status.alarms.iter().filter(|alarm| matches!(alarm.trouble, Trouble::DatasetStopped { .. }));
        let stopped: Vec<Alarm> = stopped.filter(|_| status.duty != Duty::Serving).cloned().collect();
        let reasons = crate::service::takeover::reasons(true, 0, 0, &stopped);
        status.can_take_over.yes &= reasons.is_empty();
        status.can_take_over.reasons.extend(reasons);
        if known.has_twin {
            // Both would take the same epoch.
            let [check, value, limit, remedy] = ["twin", "two", "one", "join-again"].map(str::to_owned);
            status.can_take_over.yes = false;
            status.can_take_over.reasons.insert(0, Reason { check, value, limit, remedy });
        }
        locked(status);
        age(status, known);
        what
    }

    fn weigh(&mut self, known: &Known<'_>, status: &Status, down: Option<Trouble>, now: Timestamp) -> Vec<What> {
        let why = known.unmet.clone();
        let is_missed = match (status.peer.state, &why) {
            (_, Some(Unmet::NobodyJoined)) | (PeerState::Healthy | PeerState::Late, _) => false,
            (PeerState::Lost, _) | (PeerState::Unknown, Some(_)) => true,
            (PeerState::Unknown, None) => known.heart.age(Instant::now()) >= BEGINNING,
        };
        let silent = is_missed.then_some(Trouble::Silent { why });
        let unanswered = unanswered(known, status.peer.state, Instant::now());
        let limit_ms = u64::try_from(known.store.mirror.max_age.as_millis()).unwrap_or(u64::MAX);
        let usable = status.mirror.grade.is_some();
        // In the morning both begin: until the other one is missed, an old copy calls nobody.
        let is_met = status.peer.state != PeerState::Unknown || is_missed;
        let old = (usable && is_met && status.mirror.behind_ms > limit_ms)
            .then_some(Trouble::CopyOld { age_ms: status.mirror.behind_ms, limit_ms });
        let heard = matches!(status.peer.state, PeerState::Healthy | PeerState::Late);
        let stopped = status
            .mirror
            .sign_ago_ms
            .filter(|ago| heard && *ago > STOPPED_MS)
            .map(|for_ms| Trouble::MirrorStopped { for_ms });
        let ours = super::meet::version();
        let versions = known
            .theirs
            .as_ref()
            .filter(|(_, _, theirs)| *theirs != ours)
            .map(|(_, _, theirs)| Trouble::Versions { ours, theirs: theirs.clone() });
        let low = crate::os::room(known.home)
            .filter(|room| room.free < LITTLE && room.free < room.all / 20)
            .map(|room| Trouble::DiskLow { free_bytes: room.free });
        let server = known.program.into_iter().flat_map(|program| program.troubles(status.duty)).chain(down);
        let all = [silent, unanswered, old, stopped, versions, low];
        let what = self.alarms.weigh(server.chain(all.into_iter().flatten()).chain(known.others.clone()), now);
        self.events.extend(what.iter().map(|what| Event { at: now, what: what.clone() }));
        let over = self.events.len().saturating_sub(EVENTS);
        self.events.drain(..over);
        what
    }
}

/// The other machine is heard: whether it can be reached.
fn unanswered(known: &Known<'_>, state: PeerState, clock: Instant) -> Option<Trouble> {
    let is_heard = matches!(state, PeerState::Healthy | PeerState::Late);
    let is_deaf = known.heart.unheard(clock).is_some_and(|unheard| unheard >= UNHEARD);
    let is_apart = known.apart.is_some_and(|since| clock.saturating_duration_since(since) >= APART);
    (is_heard && (is_deaf || is_apart)).then(|| Trouble::Unanswered { why: known.unmet.clone() })
}

fn peer(known: &Known<'_>, clock: Instant) -> Peer {
    let millis = |time: std::time::Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    let (duty, server) = known.theirs.as_ref().map(|(duty, server, _)| (*duty, *server)).unzip();
    Peer {
        state: known.heart.state(clock),
        heard_ago_ms: known.heart.silent(clock).map(millis),
        round_trip_ms: known.heart.round_trip().map(millis),
        duty,
        server,
        unmet: known.unmet.clone().filter(|_| !known.heart.is_heard(clock)),
        loss_percent: known.heart.loss_percent(),
        history: known.heart.history(60, clock),
    }
}

/// What the machines are called, by their home roles.
fn machines(store: &Store) -> Machines {
    let (mut main, mut backup) = (store.main.name.clone(), store.backup.name.clone());
    if store.is_adopted {
        std::mem::swap(&mut main, &mut backup);
    }
    Machines { main, backup }
}

/// Whom to ask, if that is set.
fn support(set: &crate::config::alarm::Support) -> Option<Support> {
    let support = Support { name: set.name.clone(), telephone: set.telephone.clone() };
    (support.name.is_some() || support.telephone.is_some()).then_some(support)
}

/// Of a mirror that is not heard the machine that serves knows only how it stood.
fn unheard(status: &mut Status) {
    if status.duty != Duty::Serving || matches!(status.peer.state, PeerState::Healthy | PeerState::Late) {
        return;
    }
    let [check, value, limit, remedy] = match status.peer.unmet {
        Some(Unmet::NobodyJoined) => ["nobody-joined", "none", "one", "invite"],
        _ => ["other-machine", "silent", "heard", "look-at-other-machine"],
    }
    .map(str::to_owned);
    let answer = &mut status.can_take_over;
    answer.yes = false;
    // Whether there is one, only the other machine knows.
    answer.reasons.retain(|reason| reason.check != "first-copy");
    answer.reasons.insert(0, Reason { check, value, limit, remedy });
}

/// What the terminals saw may stand against it.
fn locked(status: &mut Status) {
    let value = match status.verdict {
        Verdict::OnlyThisLink => "only-this-link",
        Verdict::Isolated => "isolated",
        Verdict::Healthy | Verdict::ServerStopped | Verdict::MainDown | Verdict::Unknown => return,
    };
    if status.duty != Duty::Serving {
        let [check, value, limit, remedy] = ["witnesses", value, "main-down", "look-at-cable"].map(str::to_owned);
        status.can_take_over.yes = false;
        status.can_take_over.reasons.insert(0, Reason { check, value, limit, remedy });
    }
}

/// The age of a copy counts with the silence.
fn age(status: &mut Status, known: &Known<'_>) {
    let limit = known.store.mirror.max_age;
    let is_old = u128::from(status.mirror.behind_ms) > limit.as_millis();
    if !is_old || status.can_take_over.reasons.iter().any(|reason| reason.check == "copy-age") {
        return;
    }
    let minutes = |ms: u64| format!("{} min", ms / 60_000);
    status.can_take_over.yes = false;
    status.can_take_over.reasons.push(Reason {
        check: "copy-age".to_owned(),
        value: minutes(status.mirror.behind_ms),
        limit: format!("{} min", limit.as_secs() / 60),
        remedy: "wait".to_owned(),
    });
}

/// Numbers the questions of the dataset `number` so that those of all differ.
pub fn number(status: &mut Status, number: u64) {
    for question in &mut status.questions {
        question.id += number * QUESTIONS;
    }
}

/// Adds a dataset that has stopped to those that go on.
pub fn append(all: &mut Status, next: Status) {
    place(all, next.mirror.position);
    all.datasets.extend(next.datasets);
    all.events.extend(next.events);
    join_operation(all, next.operation);
}

/// What is done is done with all of them.
fn join_operation(all: &mut Status, next: Option<Operation>) {
    if let (Some(mine), Some(theirs)) = (&mut all.operation, next) {
        mine.join(&theirs);
    }
}

fn place(all: &mut Status, next: Position) {
    let position = &mut all.mirror.position;
    let mut rolling = position.checksum.roll();
    rolling.feed(&next.checksum.0);
    *position = Position { seq: position.seq + next.seq, checksum: rolling.end() };
}

/// Joins how another dataset stands to how those before stand.
pub fn join(all: &mut Status, next: Status) {
    place(all, next.mirror.position);
    let (mine, theirs) = (&mut all.mirror, next.mirror);
    mine.behind_ms = mine.behind_ms.max(theirs.behind_ms);
    mine.behind_bytes += theirs.behind_bytes;
    mine.behind_files += theirs.behind_files;
    mine.behind_at_least |= theirs.behind_at_least;
    mine.grade = mine.grade.zip(theirs.grade).map(|(a, b)| a.max(b));
    mine.copying = theirs.copying.or(mine.copying.take());
    mine.sign_ago_ms = [mine.sign_ago_ms, theirs.sign_ago_ms].into_iter().flatten().max();
    mine.last_change_ago_ms = [mine.last_change_ago_ms, theirs.last_change_ago_ms].into_iter().flatten().min();
    mine.verified_at = mine.verified_at.zip(theirs.verified_at).map(|(a, b)| a.min(b));
    mine.as_of = mine.as_of.zip(theirs.as_of).map(|(a, b)| a.min(b));
    mine.caught_up &= theirs.caught_up;
    let weight = |phase: Phase| match phase {
        Phase::Following => 0,
        Phase::Verifying => 1,
        Phase::FirstCopy => 2,
        Phase::Opening => 3,
        Phase::Stopped => 4,
    };
    if weight(theirs.phase) > weight(mine.phase) {
        mine.phase = theirs.phase;
    }
    all.datasets.extend(next.datasets);
    for alarm in next.alarms {
        let is_it = |known: &Alarm| known.code == alarm.code && known.trouble.dataset() == alarm.trouble.dataset();
        if !all.alarms.iter().any(is_it) {
            all.alarms.push(alarm);
        }
    }
    all.questions.extend(next.questions);
    all.events.extend(next.events);
    let take = &mut all.can_take_over;
    take.since = if take.yes == next.can_take_over.yes {
        take.since.min(next.can_take_over.since)
    } else {
        next.can_take_over.since
    };
    take.yes &= next.can_take_over.yes;
    for reason in next.can_take_over.reasons {
        if !take.reasons.contains(&reason) {
            take.reasons.push(reason);
        }
    }
    join_operation(all, next.operation);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pair::Node;
    use crate::service::book::Book;
    use crate::service::status::Folders;

    const STORE: &str = "store = \"Centro\"\n[main]\naddress = \"10.0.0.1:7410\"\n[backup]\naddress = \"10.0.0.2:7410\"\n\
        [[dataset]]\nname = \"pos\"\nmain = \"/srv/pos\"\n";

    /// The codes of the alarms where the copy last gave a sign so long ago, and the other machine is heard or not.
    fn alarms(sign_ago_ms: Option<u64>, heard: bool) -> Vec<String> {
        let (store, pair, now) = (Store::parse(STORE).unwrap(), Pair::new(Node::Backup), Timestamp::now());
        let mut heart = Heart::new(false, Instant::now());
        if heard {
            heart.connected(1, &[0; 32], Instant::now());
        }
        let mut status = Book::new("pos", Folders::default()).status(&pair, now);
        status.mirror.sign_ago_ms = sign_ago_ms;
        let home = Path::new("/");
        let known = Known {
            store: &store,
            pair: &pair,
            heart: &heart,
            theirs: None,
            unmet: None,
            apart: None,
            has_twin: false,
            home,
            program: None,
            far: Far::default(),
            witnessed: None,
            others: vec![],
        };
        Standing::default().complete(&mut status, &known, now);
        status.alarms.into_iter().map(|alarm| alarm.code).filter(|code| code == "MIR-305").collect()
    }

    #[test]
    fn a_copy_that_gives_no_sign_has_stopped_where_the_machines_hear_each_other() {
        assert_eq!(alarms(Some(STOPPED_MS + 1), true), ["MIR-305"]);
        assert!(alarms(Some(STOPPED_MS), true).is_empty(), "it may take a while");
        assert!(alarms(Some(STOPPED_MS + 1), false).is_empty(), "that the other machine is silent says enough");
        assert!(alarms(None, true).is_empty(), "nothing was expected yet");
    }
}
