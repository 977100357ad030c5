//! The status of the copy, out of what its book knows.

use jiff::Timestamp;
use tokio::time::Instant;

use super::{Book, Stage};
use crate::pair::{Duty, Node, Pair};
use crate::replica::Grade;
use crate::service::status::{
    Ask, Call, Dataset, Licence, LicenceState, Mirror, Peer, PeerState, Phase, Server, Status, TakeOver, Trouble,
    Verdict,
};
use crate::service::takeover;

impl Book {
    fn phase(&self) -> Phase {
        let stopped =
            self.questions.iter().any(|question| matches!(question.ask, Ask::Removals { .. } | Ask::Older { .. }))
                || self.alarms.all().iter().any(|alarm| {
                    matches!(
                        alarm.trouble,
                        Trouble::DiskFull { .. } | Trouble::MirrorFails { .. } | Trouble::SourceGone { .. }
                    )
                });
        match () {
            () if self.stage == Stage::Opening => Phase::Opening,
            () if stopped || self.is_closed() => Phase::Stopped,
            () if self.operations.is_comparing() => Phase::Verifying,
            () if !self.is_usable() => Phase::FirstCopy,
            () => Phase::Following,
        }
    }

    /// How it stands.
    #[must_use]
    pub fn status(&mut self, pair: &Pair, now: Timestamp) -> Status {
        let mirror = self.mirror(now);
        let reasons = takeover::reasons(self.is_usable(), mirror.behind_ms, self.max_age_ms, self.alarms.all());
        let yes = reasons.is_empty();
        let since = self.take_over.as_ref().filter(|before| before.yes == yes).map_or(now, |before| before.since);
        let can_take_over = TakeOver { yes, since, reasons };
        self.take_over = Some(can_take_over.clone());
        let (record, grade) = (pair.record(), mirror.grade);
        Status {
            store: self.name.clone(),
            node: record.node,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            at: now,
            duty: pair.duty(),
            epoch: record.epoch,
            holder: Node::of_epoch(record.epoch),
            peer: self.peer(),
            server: Server::Stopped,
            mirror,
            datasets: vec![self.dataset(grade)],
            verdict: Verdict::Unknown,
            can_take_over,
            licence: Licence { state: LicenceState::Missing, remaining_ms: 0, ends_at: None, whole_ms: None },
            terminals: vec![],
            operation: self.operations.last().cloned(),
            maintenance: false,
            alarms: self.alarms.all().to_vec(),
            questions: self.questions.clone(),
            folders: Some(self.folders.clone()),
            machines: None,
            support: None,
            events: self.events.iter().cloned().collect(),
            pos: None,
            call: Call::default(),
            history: vec![],
            strays: false,
            plans: vec![],
            returns_in_ms: None,
            counters: vec![],
            numbered: vec![],
            found: vec![],
            drilled: None,
            states: vec![],
            starts_in_ms: None,
            devices: vec![],
            stalled: vec![],
            maintained: None,
        }
    }

    /// What time the mirror is of, if it is of use: what was acknowledged and cannot be applied is not in it.
    #[must_use]
    pub fn as_of(&self) -> Option<Timestamp> {
        let unapplied = self.doubts.unapplied.as_ref().map(|(_, as_of)| *as_of);
        self.is_usable().then(|| unapplied.unwrap_or(self.as_of).timestamp()).flatten()
    }

    fn mirror(&self, now: Timestamp) -> Mirror {
        let clock = Instant::now();
        let millis = |since: Instant| u64::try_from(clock.duration_since(since).as_millis()).unwrap_or(u64::MAX);
        let behind = self.behind.map(|(since, bytes, files)| (millis(since), bytes, files));
        let (behind_ms, bytes, files) = behind.unwrap_or_default();
        let lacks_ms = self.doubts.unapplied.as_ref().and(self.as_of()).map_or(0, |as_of| age_ms(as_of, now));
        let (files_came, bytes_came) = if self.is_usable() { (0, 0) } else { self.came };
        Mirror {
            position: self.position,
            // From who is not heard there may be changes since then.
            behind_ms: behind_ms.max(self.silent_since.map_or(0, millis)).max(lacks_ms),
            behind_bytes: bytes.saturating_sub(bytes_came),
            behind_files: files.saturating_sub(files_came),
            behind_at_least: self.is_closed() || lacks_ms > 0,
            grade: self.is_usable().then_some(self.grade),
            copying: self.copying.clone(),
            sign_ago_ms: self.sign_at.map(millis),
            last_change_ago_ms: self.last_change.map(|(at, _)| millis(at)),
            verified_at: self.verified_at,
            as_of: self.as_of(),
            phase: self.phase(),
            caught_up: self.has_caught_up(),
        }
    }

    fn peer(&self) -> Peer {
        // Both halves are in this process: what one says is heard at once, for as long as there is a link.
        let duty = (self.link != PeerState::Unknown).then_some(Duty::Serving);
        Peer {
            state: self.link,
            heard_ago_ms: None,
            round_trip_ms: None,
            duty,
            server: None,
            unmet: None,
            loss_percent: 0,
            history: vec![],
        }
    }

    fn dataset(&self, grade: Option<Grade>) -> Dataset {
        let told = self.told.clone().unwrap_or_default();
        let (files, bytes) = if self.is_usable() { (told.files, told.bytes) } else { self.came };
        let grade = if told.unreadable.is_empty() { grade } else { grade.map(|_| Grade::Incomplete) };
        Dataset {
            name: self.name.clone(),
            kinds: told.kinds,
            grade,
            files,
            bytes,
            changed_at: self.last_change.map(|(_, at)| at),
            unreadable: told.unreadable,
            special: told.special,
            unsteady_since: self.unsteady_since,
            dumped_at: None,
            plain: self.doubts.plain.iter().map(|(file, why)| format!("{file} ({why})")).collect(),
        }
    }
}

/// How old what is of that time is, in milliseconds; nothing by a clock that was ahead.
#[must_use]
pub fn age_ms(as_of: Timestamp, now: Timestamp) -> u64 {
    u64::try_from(now.duration_since(as_of).as_millis()).unwrap_or(0)
}
