//! What is wrong, since when, and what has become wrong or is mended.

use jiff::Timestamp;

use super::event::What;
use super::trouble::{Alarm, Trouble};

/// What is wrong, the worst first.
#[derive(Debug, Default)]
pub struct Alarms(Vec<Alarm>);

impl Alarms {
    /// What is wrong now.
    #[must_use]
    pub fn all(&self) -> &[Alarm] {
        &self.0
    }

    /// These are the troubles now. Returns what has become wrong, and what is mended.
    pub fn weigh(&mut self, troubles: impl IntoIterator<Item = Trouble>, now: Timestamp) -> Vec<What> {
        let mut what = vec![];
        let before = std::mem::take(&mut self.0);
        for trouble in troubles {
            let code = trouble.code().to_owned();
            let same = before.iter().find(|alarm| alarm.code == code);
            if same.is_none() {
                what.push(What::Trouble(trouble.clone()));
            }
            let since = same.map_or(now, |alarm| alarm.since);
            self.0.push(Alarm { code, trouble, since });
        }
        let mended = before.into_iter().filter(|old| !self.0.iter().any(|alarm| alarm.code == old.code));
        what.extend(mended.map(|alarm| What::Mended(alarm.trouble)));
        what
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trouble_is_said_once_and_its_end_once() {
        let mut alarms = Alarms::default();
        let held = |files| Trouble::Held { files };
        let at = |second| Timestamp::from_second(second).unwrap();
        assert_eq!(alarms.weigh([held(1)], at(1)), [What::Trouble(held(1))]);
        assert_eq!(alarms.weigh([held(2)], at(2)), []);
        assert_eq!((&alarms.all()[0].trouble, alarms.all()[0].since), (&held(2), at(1)));
        assert_eq!(alarms.weigh([], at(3)), [What::Mended(held(2))]);
    }
}
