//! What stands below the screen of the practice shop: the lesson, what can be caused, and the truth.

use std::time::Duration;

use crate::demo::incident::{Incident, Powered};
use crate::demo::lesson::{STEPS, Seen, Step};
use crate::demo::shop::Shop;
use crate::demo::truth::Truth;
use crate::pair::{Duty, Node};
use crate::tui::{Cause, Intent, Keymap, Scope, Strip};
use crate::words::Words;

/// How long the cable is out at a break.
const BREAK: Duration = Duration::from_secs(5);
/// What of the licence passes at once.
const DAYS: Duration = Duration::from_secs(2 * 24 * 60 * 60);

/// Somebody practises.
#[derive(Debug)]
pub struct Practice {
    /// Where the lesson is; none where it was ended.
    lesson: Option<Step>,
}

impl Default for Practice {
    /// It begins with the lesson: who needs none ends it by one key.
    fn default() -> Self {
        Self { lesson: Some(Step::CutPower) }
    }
}

impl Practice {
    /// What a key means, as the shop stands.
    pub fn meant(&mut self, shop: &mut Shop, intent: Intent) -> Option<Incident> {
        let node = server(shop);
        let turn = |is_in, node| if is_in { Incident::CutCable(node) } else { Incident::JoinCable(node) };
        let main = Powered::Machine(Node::Main);
        Some(match intent {
            Intent::Power if shop.main.is_on() => Incident::CutPower(main),
            Intent::Power => Incident::BringBack(main),
            Intent::Cable => turn(shop.is_joined(Node::Main), Node::Main),
            Intent::OwnCable => turn(shop.is_joined(Node::Backup), Node::Backup),
            Intent::Break if shop.is_joined(Node::Main) => Incident::Break(Node::Main, BREAK),
            Intent::Freeze if shop.machine(node).is_frozen() => Incident::Thaw(node),
            Intent::Freeze => Incident::Freeze(node),
            Intent::FillDisk if shop.backup.is_full() => Incident::FreeDisk(Node::Backup),
            Intent::FillDisk => Incident::FillDisk(Node::Backup),
            Intent::DaysPass if shop.days_run() => Incident::Pass(DAYS),
            Intent::Lesson => {
                self.lesson = if self.lesson.is_some() { None } else { Some(Step::CutPower) };
                return None;
            }
            _ => return None,
        })
    }

    /// What the strip shows, as the shop stands.
    pub fn strip(&mut self, (words, keymap): (&Words, &Keymap), shop: &mut Shop, truth: &Truth) -> Strip {
        let (main, backup) = (shop.main.status.borrow().clone(), shop.backup.status.borrow().clone());
        let seen = Seen { is_on: shop.main.is_on(), main: main.as_deref(), backup: backup.as_deref() };
        self.lesson = self.lesson.map(|step| step.after(&seen));
        // What the main alone has is on its disk.
        let lies = truth.missing > 0 && !shop.main.is_on();
        let note = lies.then(|| words.with("demo-lies-on-main", &[("name", shop.main.name.into())]));
        Strip {
            lesson: self.lesson.map(|step| told(words, keymap, step, shop.main.name)).unwrap_or_default(),
            causes: self.causes(words, shop),
            note: note.unwrap_or_default(),
            truth: truth.line(words),
            is_well: truth.is_well(),
        }
    }

    fn causes(&self, words: &Words, shop: &mut Shop) -> Vec<Cause> {
        let node = server(shop);
        let (main_in, own_in) = (shop.is_joined(Node::Main), shop.is_joined(Node::Backup));
        let is_frozen = shop.machine(node).is_frozen();
        let either = |is: bool, keys: [&str; 2]| words.say(keys[usize::from(!is)]);
        let causes = [
            (Intent::Power, either(shop.main.is_on(), ["demo-cut-power", "demo-bring-back"]), true),
            (Intent::Cable, either(main_in, ["demo-cut-cable", "demo-join-cable"]), true),
            (Intent::OwnCable, either(own_in, ["demo-cut-own-cable", "demo-join-own-cable"]), true),
            (Intent::Break, words.say("demo-break"), main_in),
            (Intent::Freeze, either(!is_frozen, ["demo-freeze", "demo-thaw"]), true),
            (Intent::FillDisk, either(!shop.backup.is_full(), ["demo-fill-disk", "demo-free-disk"]), true),
            (Intent::DaysPass, words.say("demo-days-pass"), shop.days_run()),
            (Intent::Lesson, either(self.lesson.is_none(), ["demo-lesson", "demo-lesson-ends"]), true),
        ];
        causes.into_iter().map(|(intent, label, is_possible)| Cause { intent, label, is_possible }).collect()
    }
}

/// What the lesson says at a step.
fn told(words: &Words, keymap: &Keymap, step: Step, main: &str) -> String {
    // One key is enough, where there are two of them.
    let key = |scope, intent| {
        let hint = keymap.hint(scope, intent).unwrap_or_default();
        hint.split(' ').next().unwrap_or_default().to_owned()
    };
    let args = [
        ("main", main.into()),
        ("power", key(Scope::Demo, Intent::Power).into()),
        ("days", key(Scope::Demo, Intent::DaysPass).into()),
        ("lesson", key(Scope::Demo, Intent::Lesson).into()),
        ("start", key(Scope::Mirror, Intent::StartServer).into()),
        ("return", key(Scope::Mirror, Intent::ReturnToMain).into()),
    ];
    let said = match step {
        Step::CutPower => "lesson-cut-power",
        Step::Alarm => "lesson-alarm",
        Step::Start => "lesson-start",
        Step::Follow => "lesson-follow",
        Step::BringBack => "lesson-bring-back",
        Step::Level => "lesson-level",
        Step::Return => "lesson-return",
        Step::Over => "lesson-over",
    };
    let text = words.with(said, &args);
    let numbers = [("number", step.number().into()), ("all", STEPS.len().into()), ("text", text.into())];
    words.with("lesson-at", &numbers)
}

/// The machine that serves, or did.
fn server(shop: &Shop) -> Node {
    let serves = |status: &crate::service::Status| status.duty == Duty::Serving;
    let backup = shop.backup.status.borrow().as_deref().is_some_and(serves);
    if backup { Node::Backup } else { Node::Main }
}
