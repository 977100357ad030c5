//! Plans of changes of server: what is examined, and the steps.

use super::Words;
use crate::service::status::{Checked, Lack, Step};

/// A step, as something that is done. `other` is what the other machine is called.
#[must_use]
pub fn step(words: &Words, step: Step, other: &str) -> String {
    let key = match step {
        Step::CloseMirror => "step-close-mirror",
        Step::TakeEpoch => "step-take-epoch",
        Step::SetNumbers => "step-set-numbers",
        Step::StartServer => "step-start-server",
        Step::OtherLevel => "step-other-level",
        Step::OtherWaits => "step-other-waits",
        Step::SetAside => "step-set-aside",
        Step::CopyBack => "step-copy-back",
        Step::Pause => "step-pause",
        Step::LastChanges => "step-last-changes",
        Step::Compare => "step-compare",
        Step::HandOver => "step-hand-over",
        Step::CopyMirror => "step-copy-mirror",
        Step::StartTraining => "step-start-training",
        Step::CleanUp => "step-clean-up",
        Step::NameMain => "step-name-main",
        Step::Other => "step-other",
    };
    words.with(key, &[("other", other.to_owned().into())])
}

/// What may be missing in the copy.
#[must_use]
pub fn lack(words: &Words, lack: &Lack) -> String {
    let label = ("label", lack.label.as_str().into());
    if !lack.seen.is_empty() {
        return words.with("lack-seen", &[label, ("seen", lack.seen.join(", ").into())]);
    }
    let Some(held) = lack.held.map(|held| ("held", held.into())) else {
        return words.with("lack-uncounted", &[label]);
    };
    match lack.at_most {
        None => words.with("lack-unknown", &[label, held]),
        Some(0) => words.with("lack-none", &[label, held]),
        Some(most) => words.with("lack-at-most", &[label, ("n", most.into()), held]),
    }
}

/// What is examined, in a few words.
#[must_use]
pub fn check(words: &Words, check: Checked) -> String {
    words.say(match check {
        Checked::Duty => "checked-duty",
        Checked::Verdict => "checked-verdict",
        Checked::Goodbye => "checked-goodbye",
        Checked::Copy => "checked-copy",
        Checked::CopyAge => "checked-copy-age",
        Checked::Datasets => "checked-datasets",
        Checked::Questions => "checked-questions",
        Checked::Proven => "checked-proven",
        Checked::Licence => "checked-licence",
        Checked::Server => "checked-server",
        Checked::ServerVersion => "checked-server-version",
        Checked::Numbers => "checked-numbers",
        Checked::Room => "checked-room",
        Checked::Line => "checked-line",
        Checked::Free => "checked-free",
        Checked::Other => "checked-other",
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::status::OperationKind;

    #[test]
    fn every_step_and_check_has_its_words() {
        let words = Words::load(Some("en"));
        let kinds = [OperationKind::Promote, OperationKind::Switch, OperationKind::Return, OperationKind::Start];
        for one in kinds.into_iter().chain([OperationKind::Adopt, OperationKind::Drill]).flat_map(OperationKind::steps)
        {
            let said = step(&words, *one, "SERVIDOR");
            assert!(said.contains(' ') && !said.contains(['{', '}']), "{said}");
        }
        let some = |at_most, seen: &[&str]| Lack {
            label: "orders".to_owned(),
            held: Some(1040),
            at_most,
            seen: seen.iter().map(|seen| (*seen).to_owned()).collect(),
        };
        let uncounted = Lack { held: None, ..some(None, &[]) };
        let seen = some(None, &["CAJA-2 1041", "CAJA-5 1042"]);
        for one in [some(None, &[]), some(Some(0), &[]), some(Some(3), &[]), uncounted, seen] {
            let said = lack(&words, &one);
            assert!(said.contains("orders") && !said.contains(['{', '}']), "{said}");
        }
        for one in [Checked::Duty, Checked::Verdict, Checked::Proven, Checked::ServerVersion, Checked::Other] {
            assert!(!check(&words, one).contains(['{', '}']));
        }
    }
}
