//! The heartbeat of the other machine: whether it is heard, how long the way takes, and what is lost on it. Time is an
//! argument.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

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
    /// What was lost on the connection before.
    lost_before: u8,
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
            lost_before: 0,
            round_trip: None,
            closed_at: None,
            began: now,
            seconds: VecDeque::new(),
        }
    }

    /// A new connection: its key is used as soon as both have it; the one before is still understood.
    pub fn connected(&mut self, session: u64, secret: &[u8; 32], now: Instant) {
        self.lost_before = self.loss_percent();
        // Who called has heard that it is welcome. Who was called cannot know whether that has come yet.
        let known = Known { session, key: Key::of(secret), highest: 0, shared: !self.main };
        self.known.insert(0, known);
        self.known.truncate(2);
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
        self.heard_at = Some(now);
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
        (self.heard_at, self.beat_at, self.closed_at) = (Some(now), Some(now), None);
        if is_newest {
            self.heard.retain(|number| number + COUNTED > pulse.number);
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
        // Where beats are lost, some may be missing just when a connection ends.
        let is_sound = self.loss_percent().max(self.lost_before) < LOSSY;
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
mod tests {
    use super::*;

    struct Two {
        main: Heart,
        backup: Heart,
        now: Instant,
    }

    fn two() -> Two {
        let now = Instant::now();
        let (mut main, mut backup) = (Heart::new(true, now), Heart::new(false, now));
        main.connected(1, &[9; 32], now);
        backup.connected(1, &[9; 32], now);
        Two { main, backup, now }
    }

    impl Two {
        /// One beat each way, of which those of the main arrive if `arrives`.
        fn beat(&mut self, arrives: bool) {
            self.now += BEAT;
            let beat = self.main.beat(1, 0, self.now).unwrap();
            if arrives {
                self.backup.hear(&beat, self.now).unwrap();
            }
            let beat = self.backup.beat(1, 0, self.now).unwrap();
            self.main.hear(&beat, self.now + Duration::from_millis(7)).unwrap();
        }
    }

    #[test]
    fn silence_is_late_then_lost_and_over_with_one_beat() {
        let mut two = two();
        (0..10).for_each(|_| two.beat(true));
        let heard = two.now;
        let state = |two: &Two, after: Duration| two.backup.state(heard + after);
        assert_eq!(state(&two, Duration::from_millis(999)), PeerState::Healthy);
        assert_eq!(state(&two, LATE), PeerState::Late);
        assert_eq!(state(&two, LOST), PeerState::Lost);
        two.now += LOST;
        two.beat(true);
        assert_eq!(two.backup.state(two.now), PeerState::Healthy);
    }

    #[test]
    fn who_hangs_up_and_is_silent_is_lost_sooner() {
        let mut two = two();
        two.beat(true);
        two.backup.closed(two.now);
        assert_eq!(two.backup.state(two.now + BEAT), PeerState::Healthy);
        assert_eq!(two.backup.state(two.now + CLOSED), PeerState::Lost);
        two.beat(true);
        assert_eq!(two.backup.state(two.now + CLOSED), PeerState::Healthy, "it still beats");
    }

    #[test]
    fn the_way_and_the_losses_are_measured() {
        let mut two = two();
        (0..200).for_each(|number| two.beat(number % 5 != 3));
        assert_eq!(two.backup.loss_percent(), 20);
        assert_eq!(two.main.loss_percent(), 0);
        assert_eq!(two.main.round_trip(), Some(Duration::from_millis(7)));
        let history = two.backup.history(10, two.now);
        assert!(history.len() == 10 && history.iter().all(|beats| *beats == 4), "{history:?}");
    }

    #[test]
    fn on_a_lossy_line_a_connection_that_ends_is_no_sign() {
        let mut two = two();
        (0..200).for_each(|number| two.beat(number % 10 != 3));
        two.backup.closed(two.now);
        assert_eq!(two.backup.state(two.now + CLOSED), PeerState::Healthy);
        two.backup.connected(2, &[8; 32], two.now);
        two.backup.closed(two.now);
        assert_eq!(two.backup.state(two.now + CLOSED), PeerState::Healthy, "nor on the next connection");
        assert_eq!(two.backup.state(two.now + LOST), PeerState::Lost);
    }

    #[test]
    fn what_comes_by_another_way_does_not_lengthen_the_way() {
        let mut two = two();
        two.beat(true);
        two.main.felt(two.now + Duration::from_millis(150));
        two.now += BEAT;
        let beat = two.main.beat(1, 0, two.now).unwrap();
        two.backup.hear(&beat, two.now).unwrap();
        assert_eq!(two.backup.round_trip(), two.main.round_trip());
    }

    #[test]
    fn an_old_beat_and_one_of_nobody_say_nothing() {
        let mut two = two();
        let old = two.main.beat(1, 0, two.now).unwrap();
        two.beat(true);
        assert_eq!(two.backup.hear(&old, two.now), None);
        let own = Pulse { session: 1, number: 99, ..Pulse::default() };
        assert_eq!(two.main.hear(&two.main.known[0].key.seal(&own, true), two.now), None, "sent back");
        let stranger = Key::of(&[7; 32]).seal(&Pulse { session: 1, number: 999, ..Pulse::default() }, true);
        assert_eq!(two.backup.hear(&stranger, two.now), None);
    }

    #[test]
    fn while_a_new_connection_is_made_both_are_heard() {
        let mut two = two();
        (0..10).for_each(|_| two.beat(true));
        // The main has welcomed the backup, whose line delays that: it still speaks as before, and so does the main.
        two.main.connected(2, &[8; 32], two.now);
        for _ in 0..30 {
            two.beat(true);
            assert_eq!(two.main.state(two.now), PeerState::Healthy);
            assert_eq!(two.backup.state(two.now), PeerState::Healthy);
        }
        two.backup.connected(2, &[8; 32], two.now);
        (0..2).for_each(|_| two.beat(true));
        let of_now = two.main.beat(1, 0, two.now).unwrap();
        assert_eq!(session_of(&of_now), Some(2), "both have the new key");
        assert_eq!((two.main.loss_percent(), two.backup.loss_percent()), (0, 0));
    }

    #[test]
    fn who_is_heard_and_does_not_hear_is_known() {
        let mut two = two();
        (0..10).for_each(|_| two.beat(true));
        assert!(two.main.unheard(two.now).unwrap() < LATE && two.backup.unheard(two.now).unwrap() < LATE);
        (0..30).for_each(|_| two.beat(false));
        assert!(two.main.unheard(two.now).unwrap() >= BEAT * 30, "what it sends does not come");
        assert_eq!(two.main.state(two.now), PeerState::Healthy, "and yet the other one is heard");
        (0..2).for_each(|_| two.beat(true));
        assert!(two.main.unheard(two.now).unwrap() < LATE);
    }
}
