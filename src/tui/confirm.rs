//! The question before a change of server: what has the focus, and the sum that a person types where nobody but a person can
//! tell whether the other machine is dead.

use jiff::Timestamp;

use super::turn::Which;
use crate::service::status::Consent;

/// The most digits that are typed: no sum has more.
const DIGITS: usize = 3;

/// The question before a change of server.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Confirm {
    /// What is asked for.
    pub which: Which,
    /// What has the focus.
    pub spot: Spot,
    /// The sum that is to be typed, where one is.
    pub sum: Option<Sum>,
    /// Whether a person also accepts that something is lost.
    pub loses: bool,
    /// From which earlier state of the copy it is done; from the last one where none was chosen.
    pub as_of: Option<Timestamp>,
}

/// What can have the focus.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Spot {
    /// The button that changes nothing.
    Cancel,
    /// The field for the sum.
    Field,
    /// The button that does it.
    Go,
}

/// Two numbers, and what was typed as their sum.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Sum {
    /// The first.
    pub a: u32,
    /// The second.
    pub b: u32,
    /// What was typed: so many digits, and what they say.
    typed: (usize, u32),
    /// How often it was wrong.
    pub wrong: u32,
}

/// What comes of a press.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Pressed {
    /// The question is closed, and nothing is done.
    Close,
    /// It stays.
    Stay,
    /// It is closed, and done.
    Go,
}

impl Spot {
    /// Its number, as a click says it: buttons first.
    #[must_use]
    pub fn number(self) -> usize {
        match self {
            Self::Cancel => 0,
            Self::Go => 1,
            Self::Field => 2,
        }
    }

    fn of(number: usize) -> Self {
        [Self::Cancel, Self::Go].get(number).copied().unwrap_or(Self::Field)
    }
}

impl Sum {
    /// Two numbers that follow from the moment, and that a burst of a scanner does not meet.
    fn new(now: Timestamp, wrong: u32) -> Self {
        let seed = now.as_millisecond().unsigned_abs().wrapping_add(u64::from(wrong) * 1013);
        let part = |of: u64, from: u64| u32::try_from(from % of).unwrap_or(0);
        Self { a: 11 + part(80, seed / 7), b: 2 + part(8, seed / 1013), typed: (0, 0), wrong }
    }

    /// What was typed.
    #[must_use]
    pub fn typed(&self) -> String {
        let (digits, number) = self.typed;
        if digits == 0 { String::new() } else { format!("{number:0digits$}") }
    }

    fn is_right(&self) -> bool {
        self.typed.0 > 0 && self.typed.1 == self.a + self.b
    }
}

impl Confirm {
    /// The question, with what changes nothing in focus.
    #[must_use]
    pub fn new(which: Which, asks: &[Consent], now: Timestamp) -> Self {
        let sum = asks.contains(&Consent::Yes).then(|| Sum::new(now, 0));
        Self { which, spot: Spot::Cancel, sum, loses: asks.contains(&Consent::AcceptLoss), as_of: None }
    }

    /// Whether it is to be asked anew, since other consents are needed now.
    #[must_use]
    pub fn differs(&self, asks: &[Consent]) -> bool {
        self.sum.is_some() != asks.contains(&Consent::Yes) || self.loses != asks.contains(&Consent::AcceptLoss)
    }

    /// To the next thing that can have the focus.
    pub fn next(&mut self) {
        self.spot = match (self.spot, self.sum) {
            (Spot::Cancel, Some(_)) => Spot::Field,
            (Spot::Cancel, None) | (Spot::Field, _) => Spot::Go,
            (Spot::Go, _) => Spot::Cancel,
        };
    }

    /// To the one before.
    pub fn previous(&mut self) {
        self.spot = match (self.spot, self.sum) {
            (Spot::Go, Some(_)) => Spot::Field,
            (Spot::Go, None) | (Spot::Field, _) => Spot::Cancel,
            (Spot::Cancel, _) => Spot::Go,
        };
    }

    /// Another state of the copy is chosen among these, the newest first: an earlier one, or a later one.
    pub fn choose(&mut self, states: &[Timestamp], earlier: bool) {
        let at = self.as_of.and_then(|chosen| states.iter().position(|state| *state <= chosen));
        self.as_of = match (at, earlier) {
            // What was chosen is not there any more.
            (None, true) if self.as_of.is_some() => states.last().copied(),
            (None, true) => states.first().copied(),
            (Some(at), true) => states.get(at + 1).or(states.last()).copied(),
            (Some(at), false) => at.checked_sub(1).and_then(|at| states.get(at)).copied(),
            (None, false) => None,
        };
    }

    /// A digit goes into the field, wherever the focus was.
    pub fn type_in(&mut self, c: char) {
        let Some(sum) = &mut self.sum else { return };
        let (digits, number) = sum.typed;
        if let Some(digit) = c.to_digit(10)
            && digits < DIGITS
        {
            sum.typed = (digits + 1, number * 10 + digit);
        }
        self.spot = Spot::Field;
    }

    /// The last digit is taken out of the field.
    pub fn erase(&mut self) {
        let Some(sum) = &mut self.sum else { return };
        sum.typed = (sum.typed.0.saturating_sub(1), sum.typed.1 / 10);
        self.spot = Spot::Field;
    }

    /// What has the focus is pressed, or what was clicked. In the field that is the sum, and a right one leads on to the button;
    /// a wrong one gives two new numbers.
    pub fn press(&mut self, clicked: Option<usize>, now: Timestamp) -> Pressed {
        let spot = clicked.map_or(self.spot, Spot::of);
        let right = self.sum.is_none_or(|sum| sum.is_right());
        match spot {
            Spot::Cancel => return Pressed::Close,
            Spot::Go if right => return Pressed::Go,
            Spot::Field if clicked.is_some() => self.spot = Spot::Field,
            Spot::Field if right => self.spot = Spot::Go,
            Spot::Field | Spot::Go => {
                self.sum = self.sum.map(|sum| Sum::new(now, sum.wrong + 1));
                self.spot = Spot::Field;
            }
        }
        Pressed::Stay
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked() -> Confirm {
        Confirm::new(Which::Start, &[Consent::Yes], Timestamp::UNIX_EPOCH)
    }

    fn typed(confirm: &mut Confirm, text: &str) {
        text.chars().for_each(|c| confirm.type_in(c));
    }

    #[test]
    fn the_right_sum_leads_to_the_button_and_a_wrong_one_to_new_numbers() {
        let mut confirm = asked();
        let sum = confirm.sum.unwrap();
        assert_eq!((confirm.spot, confirm.press(None, Timestamp::UNIX_EPOCH)), (Spot::Cancel, Pressed::Close));
        typed(&mut confirm, &(sum.a + sum.b + 1).to_string());
        assert_eq!(confirm.press(None, Timestamp::UNIX_EPOCH), Pressed::Stay);
        let other = confirm.sum.unwrap();
        assert!((other.a, other.b) != (sum.a, sum.b) && other.typed().is_empty() && other.wrong == 1);
        assert_eq!(confirm.press(Some(Spot::Go.number()), Timestamp::UNIX_EPOCH), Pressed::Stay);
        let sum = confirm.sum.unwrap();
        typed(&mut confirm, &(sum.a + sum.b).to_string());
        assert_eq!((confirm.press(None, Timestamp::UNIX_EPOCH), confirm.spot), (Pressed::Stay, Spot::Go));
        assert_eq!(confirm.press(None, Timestamp::UNIX_EPOCH), Pressed::Go);
    }

    #[test]
    fn what_a_scanner_types_is_no_sum() {
        let mut confirm = asked();
        typed(&mut confirm, "7501031311309");
        assert_eq!(confirm.sum.unwrap().typed(), "750");
        (0..5).for_each(|_| confirm.erase());
        typed(&mut confirm, "a07");
        assert_eq!(confirm.sum.unwrap().typed(), "07");
    }

    #[test]
    fn the_focus_goes_around_both_ways() {
        let mut confirm = asked();
        let around = |confirm: &mut Confirm, step: fn(&mut Confirm)| {
            [(); 3].map(|()| {
                step(confirm);
                confirm.spot
            })
        };
        assert_eq!(around(&mut confirm, Confirm::next), [Spot::Field, Spot::Go, Spot::Cancel]);
        assert_eq!(around(&mut confirm, Confirm::previous), [Spot::Go, Spot::Field, Spot::Cancel]);
        let mut plain = Confirm::new(Which::Return, &[], Timestamp::UNIX_EPOCH);
        assert_eq!(around(&mut plain, Confirm::next), [Spot::Go, Spot::Cancel, Spot::Go]);
        assert_eq!(plain.press(None, Timestamp::UNIX_EPOCH), Pressed::Go);
    }

    #[test]
    fn an_earlier_state_is_chosen_step_by_step_and_the_last_one_again() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let states = [at(30), at(20), at(10)];
        let mut confirm = asked();
        let mut chosen = |earlier| {
            confirm.choose(&states, earlier);
            confirm.as_of
        };
        assert_eq!([true; 4].map(&mut chosen), [Some(at(30)), Some(at(20)), Some(at(10)), Some(at(10))]);
        assert_eq!([false; 4].map(&mut chosen), [Some(at(20)), Some(at(30)), None, None]);
        let mut none = asked();
        none.choose(&[], true);
        assert_eq!(none.as_of, None);
    }
}
