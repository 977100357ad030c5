//! Two hearts, and a line between them.

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
fn a_lossy_line_is_not_sound_because_it_was_connected_anew() {
    let mut two = two();
    (0..200).for_each(|number| two.beat(number % 10 != 3));
    // The second of these says nothing of the line yet when the third is made.
    for session in 2..4 {
        two.backup.connected(session, &[8; 32], two.now);
        two.backup.closed(two.now);
        assert_eq!(two.backup.state(two.now + CLOSED), PeerState::Healthy, "connection {session}");
    }
    two.main.connected(4, &[7; 32], two.now);
    two.backup.connected(4, &[7; 32], two.now);
    (0..2).for_each(|_| two.beat(true));
    two.backup.closed(two.now);
    assert_eq!(two.backup.state(two.now + CLOSED), PeerState::Healthy, "nor is what was heard since enough");
    (0..300).for_each(|_| two.beat(true));
    two.backup.closed(two.now);
    assert_eq!(two.backup.state(two.now + CLOSED), PeerState::Lost, "it has been sound for a minute");
}

#[test]
fn who_does_not_listen_does_not_take_that_for_silence() {
    let mut two = two();
    for _ in 0..10 {
        two.beat(true);
        two.backup.listened(two.now);
    }
    // This machine stands still, as one does that is far too busy.
    two.now += LOST * 3;
    two.backup.listened(two.now);
    assert_eq!(two.backup.state(two.now), PeerState::Healthy, "nobody listened");
    assert!(two.backup.silent(two.now).unwrap() >= LOST, "and yet it is said how long nothing was heard");
    assert!(two.backup.unheard(two.now).unwrap() < LATE, "nor did it send anything");
    let still = two.now;
    while two.now + BEAT < still + LOST {
        assert_ne!(two.backup.state(two.now), PeerState::Lost);
        two.now += BEAT;
        two.backup.listened(two.now);
    }
    assert_eq!(two.backup.state(still + LOST), PeerState::Lost, "now it was listened, and nothing came");
    two.beat(true);
    two.backup.listened(two.now);
    assert_eq!(two.backup.state(two.now + LOST), PeerState::Lost, "what was excused before is over");
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
fn calls_that_came_to_nothing_make_nobody_mute() {
    let mut two = two();
    (0..10).for_each(|_| two.beat(true));
    // The line takes the answers: each time the main has a new key, and the backup has none.
    for session in 2..20 {
        two.main.connected(session, &[8; 32], two.now);
        for _ in 0..25 {
            two.now += BEAT;
            let beat = two.backup.beat(1, 0, two.now).unwrap();
            assert!(two.main.hear(&beat, two.now).is_some(), "call {session}");
            let beat = two.main.beat(1, 0, two.now).unwrap();
            assert!(two.backup.hear(&beat, two.now).is_some(), "call {session}");
        }
    }
    two.main.connected(20, &[7; 32], two.now);
    two.backup.connected(20, &[7; 32], two.now);
    (0..2).for_each(|_| two.beat(true));
    assert_eq!(session_of(&two.main.beat(1, 0, two.now).unwrap()), Some(20));
    assert!(two.main.known.len() <= KEYS);
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
