//! Reads a script. Every fault in it is found at once, before anything is started.

use std::str::SplitWhitespace;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::de::IntoDeserializer;
use serde::de::value::{Error as Unknown, StrDeserializer};

use super::{Condition, Expected, Line, Script, What, When};
use crate::demo::incident::{Incident, Powered};
use crate::demo::places::TILLS;
use crate::pair::Node;
use crate::words::Words;

/// Something in a script that is not as it should be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fault {
    /// The line, from 1.
    pub line: usize,
    /// What it is.
    pub kind: FaultKind,
}

/// What can be wrong in a script.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum FaultKind {
    /// There is nothing like that to do.
    NoSuchThing(String),
    /// There is nothing like that to wait for.
    NoSuchCondition(String),
    /// There is nothing like that to expect.
    NoSuchExpectation(String),
    /// A word is missing, or is another than it may be; one of these.
    Wanted(String, &'static str),
    /// This is one word too many.
    TooMany(String),
    /// That time is over when the line before it has been reached.
    Backwards,
    /// Nothing comes after the end.
    AfterTheEnd,
}

impl Fault {
    /// The fault as a line: where it is, what it is, what to do.
    #[must_use]
    pub fn tell(&self, words: &Words, name: &str) -> String {
        let with = |key: &str, word: &String| words.with(key, &[("word", word.as_str().into())]);
        let what = match &self.kind {
            FaultKind::NoSuchThing(word) => with("demo-script-no-such-thing", word),
            FaultKind::NoSuchCondition(word) => with("demo-script-no-such-condition", word),
            FaultKind::NoSuchExpectation(word) => with("demo-script-no-such-expectation", word),
            FaultKind::Wanted(word, wanted) => {
                words.with("demo-script-wanted", &[("word", word.as_str().into()), ("wanted", (*wanted).into())])
            }
            FaultKind::TooMany(word) => with("demo-script-too-many", word),
            FaultKind::Backwards => words.say("demo-script-backwards"),
            FaultKind::AfterTheEnd => words.say("demo-script-after-the-end"),
        };
        format!("{name}:{}: {what}", self.line)
    }
}

/// The machines.
const NODES: &str = "main, backup";
/// What can be without power.
const POWERED: &str = "main, backup, CAJA-1, CAJA-2, CAJA-4, CAJA-5";
/// A time.
const TIME: &str = "5s, 2m, 2d";

impl Script {
    /// Reads the `text` of the file `name`.
    pub fn parse(text: &str, name: &str) -> Result<Self, Vec<Fault>> {
        let (mut lines, mut faults): (Vec<Line>, Vec<Fault>) = (vec![], vec![]);
        let mut last_at = Duration::ZERO;
        for (index, line) in text.lines().enumerate() {
            let number = index + 1;
            let text = line.split('#').next().unwrap_or_default().trim();
            if text.is_empty() {
                continue;
            }
            let mut fault = |kind| faults.push(Fault { line: number, kind });
            if lines.last().is_some_and(|last| last.what == What::End) {
                fault(FaultKind::AfterTheEnd);
                break;
            }
            let (when, what) = match read(&mut Said(text.split_whitespace())) {
                Ok(read) => read,
                Err(kind) => {
                    fault(kind);
                    continue;
                }
            };
            if let When::At(at) = when {
                if at < last_at {
                    fault(FaultKind::Backwards);
                }
                last_at = at;
            }
            lines.push(Line { number, when, what, text: text.to_owned() });
        }
        if faults.is_empty() { Ok(Self { name: name.to_owned(), lines }) } else { Err(faults) }
    }
}

/// The words of a line that are not read yet.
struct Said<'t>(SplitWhitespace<'t>);

impl<'t> Said<'t> {
    fn word(&mut self) -> &'t str {
        self.0.next().unwrap_or_default()
    }

    /// The next word, of which `read` makes something; `wanted` says what it may be.
    fn one<T>(&mut self, wanted: &'static str, read: impl FnOnce(&str) -> Option<T>) -> Result<T, FaultKind> {
        let word = self.word();
        read(word).ok_or_else(|| FaultKind::Wanted(word.to_owned(), wanted))
    }

    /// The next word, as statuses write it.
    fn named<T: DeserializeOwned>(&mut self, wanted: &'static str) -> Result<T, FaultKind> {
        self.one(wanted, |word| {
            let word: StrDeserializer<'_, Unknown> = word.into_deserializer();
            T::deserialize(word).ok()
        })
    }

    fn node(&mut self) -> Result<Node, FaultKind> {
        self.named(NODES)
    }

    fn powered(&mut self) -> Result<Powered, FaultKind> {
        self.one(POWERED, |word| match word {
            "main" => Some(Powered::Machine(Node::Main)),
            "backup" => Some(Powered::Machine(Node::Backup)),
            till => TILLS.iter().position(|name| *name == till).map(Powered::Till),
        })
    }

    fn time(&mut self) -> Result<Duration, FaultKind> {
        self.one(TIME, |word| humantime::parse_duration(word).ok())
    }

    fn number(&mut self) -> Result<usize, FaultKind> {
        self.one("0, 1, 2", |word| word.parse().ok())
    }
}

fn read(said: &mut Said<'_>) -> Result<(When, What), FaultKind> {
    let first = said.word();
    let (when, verb) = match first {
        "at" => (When::At(said.time()?), said.word()),
        "when" => (When::Comes(condition(said.word())?), said.word()),
        _ => (When::AtOnce, first),
    };
    let what = what(verb, said)?;
    match said.word() {
        "" => Ok((when, what)),
        more => Err(FaultKind::TooMany(more.to_owned())),
    }
}

fn condition(word: &str) -> Result<Condition, FaultKind> {
    Ok(match word {
        "alarm" => Condition::Alarm,
        "offered" => Condition::Offered,
        "ready" => Condition::Ready,
        "in-step" => Condition::InStep,
        "locked" => Condition::Locked,
        _ => return Err(FaultKind::NoSuchCondition(word.to_owned())),
    })
}

fn what(verb: &str, said: &mut Said<'_>) -> Result<What, FaultKind> {
    // Of a frozen thing is said what it is: `freeze pos main`.
    let pos = |said: &mut Said<'_>| said.one("pos", |word| (word == "pos").then_some(()));
    Ok(match verb {
        "cut-power" => What::Cause(Incident::CutPower(said.powered()?)),
        "bring-back" => What::Cause(Incident::BringBack(said.powered()?)),
        "cut-cable" => What::Cause(Incident::CutCable(said.node()?)),
        "join-cable" => What::Cause(Incident::JoinCable(said.node()?)),
        "break" => What::Cause(Incident::Break(said.node()?, said.time()?)),
        "freeze" => {
            pos(said)?;
            What::Cause(Incident::Freeze(said.node()?))
        }
        "thaw" => {
            pos(said)?;
            What::Cause(Incident::Thaw(said.node()?))
        }
        "pass" => What::Cause(Incident::Pass(said.time()?)),
        "fill-disk" => What::Cause(Incident::FillDisk(said.node()?)),
        "free-disk" => What::Cause(Incident::FreeDisk(said.node()?)),
        "promote" | "return" | "switch" | "adopt" | "drill" => What::Command(verb.to_owned()),
        "expect" => What::Expect(expected(said)?),
        "end" => What::End,
        _ => return Err(FaultKind::NoSuchThing(verb.to_owned())),
    })
}

fn expected(said: &mut Said<'_>) -> Result<Expected, FaultKind> {
    let word = said.word();
    Ok(match word {
        "duty" => Expected::Duty(said.node()?, said.named("serving, mirroring, waiting")?),
        "verdict" => {
            let verdicts = "healthy, server-stopped, main-down, only-this-link, isolated, unknown";
            Expected::Verdict(said.node()?, said.named(verdicts)?)
        }
        "licence" => Expected::Licence(said.named("missing, ready, running, expired")?),
        "terminals" => Expected::Terminals(said.node()?, said.number()?),
        "alarm" => {
            let alarm = |word: &str| (word.len() == 7).then(|| word.to_owned());
            Expected::Alarm(said.node()?, said.one("PEER-101, MIR-103", alarm)?)
        }
        "missing" => Expected::Missing(said.number()?),
        "set-aside" => Expected::SetAside(said.number()?),
        "double" => Expected::Double(said.number()?),
        "numbers-twice" => Expected::NumbersTwice(said.number()?),
        _ => return Err(FaultKind::NoSuchExpectation(word.to_owned())),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pair::Duty;
    use crate::service::status::{LicenceState, Verdict};

    #[test]
    fn every_line_that_the_contract_names_is_read() {
        let text = "# a story\n\nat 3s cut-power main  # now\nwhen alarm promote\nat 5s break main 5s\nfreeze pos main\n\
                    expect duty backup serving\nexpect verdict backup main-down\nexpect licence running\nexpect missing 0\n\
                    at 8s pass 2d\nwhen offered return\nat 22s end\n";
        let script = Script::parse(text, "a.txt").unwrap();
        let said: Vec<_> = script.lines.iter().map(|line| (line.number, line.when, line.what.clone())).collect();
        let seconds = Duration::from_secs;
        assert_eq!(
            said,
            [
                (3, When::At(seconds(3)), What::Cause(Incident::CutPower(Powered::Machine(Node::Main)))),
                (4, When::Comes(Condition::Alarm), What::Command("promote".into())),
                (5, When::At(seconds(5)), What::Cause(Incident::Break(Node::Main, seconds(5)))),
                (6, When::AtOnce, What::Cause(Incident::Freeze(Node::Main))),
                (7, When::AtOnce, What::Expect(Expected::Duty(Node::Backup, Duty::Serving))),
                (8, When::AtOnce, What::Expect(Expected::Verdict(Node::Backup, Verdict::MainDown))),
                (9, When::AtOnce, What::Expect(Expected::Licence(LicenceState::Running))),
                (10, When::AtOnce, What::Expect(Expected::Missing(0))),
                (11, When::At(seconds(8)), What::Cause(Incident::Pass(seconds(2 * 86_400)))),
                (12, When::Comes(Condition::Offered), What::Command("return".into())),
                (13, When::At(seconds(22)), What::End),
            ]
        );
        assert_eq!(script.lines[0].text, "at 3s cut-power main");
    }

    #[test]
    fn every_fault_is_told_at_once_with_its_line() {
        let text = "cut-power CAJA-9\nat soon promote\nwhen pigs return\nexplode\nat 9s return now\nat 3s promote\n\
                    expect duty main sleeping\nexpect luck\nfill-disk all\nfreeze main\nend\npromote\n";
        let faults = Script::parse(text, "a.txt").unwrap_err();
        let words = Words::load(Some("en"));
        let told: Vec<String> = faults.iter().map(|fault| fault.tell(&words, "a.txt")).collect();
        let wanted = [
            "a.txt:1: \"CAJA-9\"",
            "a.txt:2: \"soon\"",
            "a.txt:3: \"pigs\"",
            "a.txt:4: \"explode\"",
            "a.txt:5: \"now\"",
            "a.txt:7: \"sleeping\"",
            "a.txt:8: \"luck\"",
            "a.txt:9: \"all\"",
            "a.txt:10: \"main\"",
            "a.txt:12: ",
        ];
        for (told, wanted) in told.iter().zip(wanted) {
            assert!(told.starts_with(wanted) && told.len() > wanted.len() + 5, "{told} / {wanted}");
        }
        assert_eq!(told.len(), wanted.len(), "{told:?}");
        let back = Script::parse("at 9s promote\nat 3s return\n", "a.txt").unwrap_err();
        assert_eq!(back, [Fault { line: 2, kind: FaultKind::Backwards }]);
    }
}
