//! The heartbeat of the other machine: whether it is heard, how long the way takes, and what is lost on it. Time is an
//! argument.
//!
//! - `tests`: two hearts, and a line between them

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

use crate::link::pulse::{Key, Pulse, session_of};
use crate::service::status::PeerState;

/// Time between two beats.
pub const BEAT: Duration = Duration::from_millis(200);
/// Heard longer ago than this is late.
pub const LATE: Duration = Duration::from_secs(1);
/// Heard longer ago than this is lost.
pub const LOST: Duration = Duration::from_millis(2500);
/// So long after the connection was closed by the other side, who is not heard is lost.
pub const CLOSED: Duration = Duration::from_millis(700);
/// Of a hundred beats so many are lost on a line on which silence alone tells who is lost.
const LOSSY: u8 = 2;
/// So long a line counts as such after it was one, however many connections there were since.
const REMEMBERED: Duration = Duration::from_secs(60);
/// Who has not listened for longer was not at work: that time says nothing of the other machine.
const INATTENTIVE: Duration = Duration::from_millis(500);
/// Connections whose keys are understood.
const KEYS: usize = 4;

/// Beats whose going is remembered, to know how long the way there and back took.
const SENT: usize = 64;
/// Beats over which losses are counted: a minute.
const COUNTED: u64 = 300;
/// Seconds of history.
const HISTORY: usize = 120;

/// The heartbeats to and from the other machine.
pub struct Heart {
    /// Whether this is the machine that was set up as main.
    main: bool,
    /// The newest connections, the newest first.
    known: Vec<Known>,
    number: u64,
    sent: VecDeque<(u64, Instant)>,
    /// When the newest beat was sent of which the other machine has said that it came.
    echoed_at: Option<Instant>,
    heard_at: Option<Instant>,
    /// When a heartbeat came last.
    beat_at: Option<Instant>,
    /// Numbers of the beats that were heard, of the last [`COUNTED`].
    heard: VecDeque<u64>,
    /// When so many were known to be lost last that silence alone tells.
    lossy_at: Option<Instant>,
    /// When this machine last listened whether anything had come.
    listened_at: Instant,
    /// So long it has not listened since the other one was heard.
    inattentive: Duration,
    round_trip: Option<Duration>,
    closed_at: Option<Instant>,
    began: Instant,
    /// Beats heard in each second since the heart began, the newest last.
    seconds: VecDeque<(u64, u8)>,
}

/// A connection that gave a key.
struct Known {
    session: u64,
    key: Key,
    /// The number of the newest beat that came with it.
    highest: u64,
    /// The other machine has this key, too.
    shared: bool,
}

impl Heart {
    /// One that has heard nothing yet.
    #[must_use]
    pub fn new(main: bool, now: Instant) -> Self {
        Self {
            main,
            known: vec![],
            number: 0,
            sent: VecDeque::new(),
            echoed_at: None,
            heard_at: None,
            beat_at: None,
            heard: VecDeque::new(),
            lossy_at: None,
            listened_at: now,
            inattentive: Duration::ZERO,
            round_trip: None,
            closed_at: None,
            began: now,
            seconds: VecDeque::new(),
        }
    }

    /// A new connection: its key is used as soon as both have it; those before are still understood.
    pub fn connected(&mut self, session: u64, secret: &[u8; 32], now: Instant) {
        // Who called has heard that it is welcome. Who was called cannot know whether that has come yet.
        let known = Known { session, key: Key::of(secret), highest: 0, shared: !self.main };
        self.known.insert(0, known);
        if self.known.len() > KEYS {
            // However often it has called in vain since: the other machine speaks with the last key that it has.
            let last = self.known.len() - 1;
            let is_spoken = self.known.iter().position(|known| known.shared) == Some(last);
            self.known.remove(last - usize::from(is_spoken));
        }
        self.closed_at = None;
        self.echoed_at = Some(now);
        self.heard.clear();
        self.felt(now);
    }

    /// The connection was closed, or is not taken any more.
    pub fn closed(&mut self, now: Instant) {
        self.closed_at.get_or_insert(now);
    }

    /// Something came from the other machine by another way.
    pub fn felt(&mut self, now: Instant) {
        (self.heard_at, self.inattentive) = (Some(now), Duration::ZERO);
    }

    /// All that had come by `now` was heard. What is not heard while this machine itself does not get to listen, because it is
    /// too busy or stood still, is not silence of the other one.
    pub fn listened(&mut self, now: Instant) {
        let gap = now.saturating_duration_since(self.listened_at);
        self.listened_at = now;
        if gap <= INATTENTIVE {
            return;
        }
        let late = gap.checked_sub(BEAT).unwrap_or_default();
        self.inattentive += late.min(self.silent(now).unwrap_or_default());
        // Nor was anything sent that could have been answered, or a call taken.
        for at in [&mut self.echoed_at, &mut self.closed_at].into_iter().flatten() {
            *at = (*at + late).min(now);
        }
    }

    /// The next beat to send; none before the first connection.
    pub fn beat(&mut self, epoch: u64, state: u8, now: Instant) -> Option<Vec<u8>> {
        let known = self.known.iter().find(|known| known.shared).or(self.known.first())?;
        self.number += 1;
        self.sent.push_back((self.number, now));
        if self.sent.len() > SENT {
            self.sent.pop_front();
        }
        // What came by another way says nothing of how long the beat that is echoed was held.
        let held = self.beat_at.map_or(Duration::ZERO, |at| now.saturating_duration_since(at));
        let held_us = u32::try_from(held.as_micros()).unwrap_or(u32::MAX);
        let (session, echo) = (known.session, known.highest);
        let pulse = Pulse { session, number: self.number, echo, held_us, epoch, state };
        Some(known.key.seal(&pulse, self.main))
    }

    /// Takes in a datagram. Returns what it says, if the other machine said it, and it is news.
    pub fn hear(&mut self, bytes: &[u8], now: Instant) -> Option<Pulse> {
        let session = session_of(bytes)?;
        let at = self.known.iter().position(|known| known.session == session)?;
        let known = &mut self.known[at];
        let pulse = known.key.open(bytes, !self.main)?;
        known.shared = true;
        let is_newest = at == 0;
        if is_newest && !self.heard.contains(&pulse.number) && pulse.number + COUNTED > known.highest {
            self.heard.push_back(pulse.number);
        }
        if pulse.number <= known.highest {
            return None;
        }
        known.highest = pulse.number;
        self.felt(now);
        (self.beat_at, self.closed_at) = (Some(now), None);
        if is_newest {
            self.heard.retain(|number| number + COUNTED > pulse.number);
            if self.loss_percent() >= LOSSY {
                self.lossy_at = Some(now);
            }
        }
        if let Some((_, at)) = self.sent.iter().find(|(number, _)| *number == pulse.echo) {
            let way = now.saturating_duration_since(*at);
            self.round_trip = Some(way.saturating_sub(Duration::from_micros(pulse.held_us.into())));
            self.echoed_at = self.echoed_at.max(Some(*at));
        }
        let second = now.saturating_duration_since(self.began).as_secs();
        match self.seconds.back_mut() {
            Some((last, beats)) if *last == second => *beats = beats.saturating_add(1),
            _ => self.seconds.push_back((second, 1)),
        }
        if self.seconds.len() > HISTORY {
            self.seconds.pop_front();
        }
        Some(pulse)
    }

    /// Whether the other machine is heard.
    #[must_use]
    pub fn state(&self, now: Instant) -> PeerState {
        let Some(silent) = self.silent(now) else { return PeerState::Unknown };
        let silent = silent.saturating_sub(self.inattentive);
        // Where beats are lost, some may be missing just when a connection ends.
        let is_sound = self.lossy_at.is_none_or(|at| now.saturating_duration_since(at) >= REMEMBERED);
        let hung_up = is_sound && self.closed_at.is_some_and(|at| now.saturating_duration_since(at) >= CLOSED);
        match silent {
            silent if silent >= LOST || hung_up && silent >= CLOSED => PeerState::Lost,
            silent if silent >= LATE => PeerState::Late,
            _ => PeerState::Healthy,
        }
    }

    /// Whether the other machine is heard, be it late.
    #[must_use]
    pub fn is_heard(&self, now: Instant) -> bool {
        matches!(self.state(now), PeerState::Healthy | PeerState::Late)
    }

    /// How long this one has listened.
    #[must_use]
    pub fn age(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.began)
    }

    /// Whether heartbeats come, whatever else is heard.
    #[must_use]
    pub fn beats(&self, now: Instant) -> bool {
        self.beat_at.is_some_and(|at| now.saturating_duration_since(at) < LOST)
    }

    /// How long nothing that was sent to the other machine is known to have come there; none where nothing was sent.
    #[must_use]
    pub fn unheard(&self, now: Instant) -> Option<Duration> {
        self.echoed_at.map(|at| now.saturating_duration_since(at))
    }

    /// How long it has not been heard; none if it never was.
    #[must_use]
    pub fn silent(&self, now: Instant) -> Option<Duration> {
        self.heard_at.map(|at| now.saturating_duration_since(at))
    }

    /// The time there and back, when it was measured last.
    #[must_use]
    pub fn round_trip(&self) -> Option<Duration> {
        self.round_trip
    }

    /// Of a hundred beats in the last minute, how many were lost.
    #[must_use]
    pub fn loss_percent(&self) -> u8 {
        let Some(first) = self.heard.iter().min() else { return 0 };
        let highest = self.known.first().map_or(0, |known| known.highest);
        let expected = highest.saturating_sub(*first) + 1;
        let lost = expected.saturating_sub(self.heard.len() as u64);
        u8::try_from(lost * 100 / expected.max(1)).unwrap_or(100)
    }

    /// Beats heard in each of the last seconds, the oldest first; the one that runs is left out.
    #[must_use]
    pub fn history(&self, seconds: u64, now: Instant) -> Vec<u8> {
        let this = now.saturating_duration_since(self.began).as_secs();
        let beats = |second: u64| self.seconds.iter().find(|(at, _)| *at == second).map_or(0, |(_, beats)| *beats);
        (this.saturating_sub(seconds)..this).map(beats).collect()
    }
}

#[cfg(test)]
mod tests;
