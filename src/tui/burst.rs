//! A barcode scanner is a keyboard that types digits and Enter faster than any hand. Such a burst is no decision.

use std::time::Duration;

use crokey::{KeyCombination, OneToThree};
use crossterm::event::KeyCode;

use super::keymap::types_a_character;

/// Keys that follow one another within this are one run.
const GAP: Duration = Duration::from_millis(30);
/// From this many keys on, a run is a scanner's.
const LONG: usize = 4;

/// Which keys decide something.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Deciding {
    /// Digits and Enter.
    DigitsAndEnter,
    /// Enter alone: where text is typed, a digit is text.
    Enter,
}

/// Holds digits and Enter back for a moment, until it is known whether a hand pressed them. `now` is the time since any
/// fixed moment.
#[derive(Default, Debug)]
pub struct Burst {
    held: Vec<KeyCombination>,
    run: usize,
    last: Duration,
}

impl Burst {
    /// Takes a key in, and gives back the keys that are known now to come from a hand, in order.
    pub fn press(&mut self, now: Duration, key: KeyCombination, deciding: Deciding) -> Vec<KeyCombination> {
        let mut known = self.expire(now);
        if types_a_character(key) || key.codes == OneToThree::One(KeyCode::Enter) {
            self.run += 1;
            self.last = now;
            if decides(key, deciding) {
                self.held.push(key);
            } else {
                // A letter decides nothing by itself, but scanners type letters, too: it counts, and is not held.
                known.push(key);
            }
        } else {
            known.extend(self.end_run());
            known.push(key);
        }
        known
    }

    /// When [`Burst::expire`] is to be called; none while nothing is held.
    #[must_use]
    pub fn due(&self) -> Option<Duration> {
        (!self.held.is_empty()).then_some(self.last + GAP)
    }

    /// Gives back the keys that were held and are known now to come from a hand.
    pub fn expire(&mut self, now: Duration) -> Vec<KeyCombination> {
        if now >= self.last + GAP { self.end_run() } else { vec![] }
    }

    fn end_run(&mut self) -> Vec<KeyCombination> {
        let long = std::mem::take(&mut self.run) >= LONG;
        let held = std::mem::take(&mut self.held);
        if long { vec![] } else { held }
    }
}

fn decides(key: KeyCombination, deciding: Deciding) -> bool {
    match key.codes {
        OneToThree::One(KeyCode::Enter) => true,
        OneToThree::One(KeyCode::Char('0'..='9')) => deciding == Deciding::DigitsAndEnter,
        _ => false,
    }
}
