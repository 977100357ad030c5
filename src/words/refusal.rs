//! Why the service does not do what it was asked.

use super::told::Told;
use super::{Words, figures};
use crate::service::refusal::WhyNot;

/// Why it is not done, and what to do; a sentence.
#[must_use]
pub fn refusal(words: &Words, why: &WhyNot) -> String {
    let one = |key: &str, (name, said): (&str, &str)| words.with(key, &[(name, said.into())]);
    let two = |key: &str, (a, one): (&str, &str), (b, two): (&str, &str)| {
        words.with(key, &[(a, one.into()), (b, two.into())])
    };
    let (span, size) = (|ms: u64| figures::span(words, ms), |bytes: u64| figures::bytes(words, bytes));
    match why {
        WhyNot::OnlyMain => words.say("refusal-only-main"),
        WhyNot::NoStore => words.say("refusal-no-store"),
        WhyNot::ByHand => words.say("refusal-by-hand"),
        WhyNot::Unheard => words.say("refusal-unheard"),
        WhyNot::OtherOlder => words.say("refusal-other-older"),
        WhyNot::NoAnswer => words.say("refusal-no-answer"),
        WhyNot::AllThereIs => words.say("refusal-all-there-is"),
        WhyNot::NoCopy => words.say("refusal-no-copy"),
        WhyNot::Comparing => words.say("refusal-comparing"),
        WhyNot::NotAsked { question } => words.with("refusal-not-asked", &[("question", question.to_string().into())]),
        WhyNot::NoSuchMachine { name, backup } => two("refusal-no-such-machine", ("name", name), ("backup", backup)),
        WhyNot::NobodyJoined => words.say("refusal-nobody-joined"),
        WhyNot::System { error } => one("refusal-system", ("error", error)),
        WhyNot::NoCommand { error } => one("refusal-no-command", ("error", error)),
        WhyNot::ServesAlready => words.say("refusal-serves"),
        WhyNot::MainServes => words.say("refusal-main-serves"),
        WhyNot::NothingToAdopt => words.say("refusal-nothing-to-adopt"),
        WhyNot::OnlyInPlaceOfMain => words.say("refusal-only-in-place-of-main"),
        WhyNot::BackupServes => words.say("refusal-backup-serves"),
        WhyNot::CompareFirst => words.say("refusal-compare-first"),
        WhyNot::ServesNot => words.say("refusal-serves-not"),
        WhyNot::WasServer => words.say("refusal-was-server"),
        WhyNot::WasNoServer => words.say("refusal-was-no-server"),
        WhyNot::OtherHealthy => words.say("refusal-healthy"),
        WhyNot::CopyOld { age_ms, limit_ms } => {
            two("refusal-copy-old", ("age", &span(*age_ms)), ("limit", &span(*limit_ms)))
        }
        WhyNot::QuestionOpen => words.say("refusal-question"),
        WhyNot::NobodyKnows => words.say("refusal-nobody-knows"),
        WhyNot::Parted => words.say("refusal-parted"),
        WhyNot::NoLicence => words.say("refusal-no-licence"),
        WhyNot::LicenceOver => words.say("refusal-licence-over"),
        WhyNot::CopyDiffers => words.say("refusal-copy-differs"),
        WhyNot::QuestionFirst => words.say("refusal-question-first"),
        WhyNot::NoServer => words.say("refusal-no-server"),
        WhyNot::ServerHindered { what, why } => {
            let Told { what, todo } = super::finding::hindered(words, what, why);
            words.with("refusal-server-hindered", &[("what", what.into()), ("todo", todo.into())])
        }
        WhyNot::ServerVersions { ours, theirs } => two("refusal-server-versions", ("ours", ours), ("theirs", theirs)),
        WhyNot::NoRoom { free_bytes, needed_bytes } => {
            two("refusal-no-room", ("free", &size(*free_bytes)), ("needed", &size(*needed_bytes)))
        }
        WhyNot::Busy { kind } => words.with("refusal-busy", &[("what", super::operation::kind(words, *kind).into())]),
        WhyNot::TurnsAlready => words.say("refusal-turns-already"),
        WhyNot::NothingRuns => words.say("refusal-nothing-runs"),
        WhyNot::TooLate => words.say("refusal-too-late"),
        WhyNot::ServerLives => words.say("refusal-server-lives"),
        WhyNot::NotLevel { limit_ms } => one("refusal-not-level", ("limit", &span(*limit_ms))),
        WhyNot::DatasetLacks { name, why } => two("refusal-dataset-lacks", ("name", name), ("why", why)),
        WhyNot::DatasetStopped { name, why } => two("refusal-dataset-stopped", ("name", name), ("why", why)),
        WhyNot::NoSuchDataset { name } => one("refusal-no-such-dataset", ("name", name)),
        WhyNot::GoesOn { name } => one("refusal-goes-on", ("name", name)),
        WhyNot::StopRefused => words.say("refusal-stop-refused"),
        WhyNot::ServerDown { why } => {
            let told = super::served::down(words, true, why.as_ref());
            words.with("refusal-server-down", &[("what", told.what.into()), ("todo", told.todo.into())])
        }
        WhyNot::HandedBack => words.say("refusal-handed-back"),
        WhyNot::Cancelled { by } => one("refusal-cancelled", ("by", by)),
        WhyNot::Other => words.say("cli-strange"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::finding::Hindrance;
    use crate::service::status::OperationKind;

    #[test]
    fn every_refusal_has_its_words() {
        let words = Words::load(Some("en"));
        let text = || "CAJA-9 is no machine".to_owned();
        for why in [
            WhyNot::OnlyMain,
            WhyNot::NoStore,
            WhyNot::ByHand,
            WhyNot::Unheard,
            WhyNot::OtherOlder,
            WhyNot::NoAnswer,
            WhyNot::AllThereIs,
            WhyNot::NoCopy,
            WhyNot::Comparing,
            WhyNot::NotAsked { question: 3 },
            WhyNot::NoSuchMachine { name: text(), backup: text() },
            WhyNot::NobodyJoined,
            WhyNot::System { error: text() },
            WhyNot::NoCommand { error: text() },
            WhyNot::ServesAlready,
            WhyNot::MainServes,
            WhyNot::BackupServes,
            WhyNot::NothingToAdopt,
            WhyNot::OnlyInPlaceOfMain,
            WhyNot::CompareFirst,
            WhyNot::ServesNot,
            WhyNot::WasServer,
            WhyNot::WasNoServer,
            WhyNot::OtherHealthy,
            WhyNot::CopyOld { age_ms: 700_000, limit_ms: 600_000 },
            WhyNot::QuestionOpen,
            WhyNot::NobodyKnows,
            WhyNot::Parted,
            WhyNot::NoLicence,
            WhyNot::LicenceOver,
            WhyNot::CopyDiffers,
            WhyNot::QuestionFirst,
            WhyNot::NoServer,
            WhyNot::ServerHindered { what: text(), why: Hindrance::NotThere },
            WhyNot::ServerVersions { ours: text(), theirs: text() },
            WhyNot::NoRoom { free_bytes: 1, needed_bytes: 2 },
            WhyNot::Busy { kind: OperationKind::Return },
            WhyNot::TurnsAlready,
            WhyNot::NothingRuns,
            WhyNot::TooLate,
            WhyNot::ServerLives,
            WhyNot::NotLevel { limit_ms: 30_000 },
            WhyNot::StopRefused,
            WhyNot::DatasetLacks { name: text(), why: text() },
            WhyNot::DatasetStopped { name: text(), why: text() },
            WhyNot::NoSuchDataset { name: text() },
            WhyNot::GoesOn { name: text() },
            WhyNot::ServerDown { why: None },
            WhyNot::HandedBack,
            WhyNot::Cancelled { by: text() },
            WhyNot::Other,
        ] {
            let said = refusal(&words, &why);
            assert!(said.contains(' ') && !said.contains(['{', '}']), "{said}");
        }
    }
}
