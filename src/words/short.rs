//! Why something cannot be done now, in the few words that stand beside a key; [`refusal`](super::refusal) says it at length.

use super::{FluentValue, Words, figures};
use crate::service::refusal::{NoDrill, WhyNot};
use crate::service::status::OperationKind;

/// Why not, in a few words, as the end of a sentence. `other` is what the other machine is called.
#[must_use]
pub fn short(words: &Words, why: &WhyNot, other: &str) -> String {
    let say = |key: &str| words.say(key);
    let named = |key: &str| words.with(key, &[("name", other.into())]);
    let of = |key: &str, name: &str| words.with(key, &[("name", FluentValue::from(name.to_owned()))]);
    let span = |ms: u64| figures::span(words, ms);
    match why {
        WhyNot::OnlyMain => say("short-only-main"),
        WhyNot::NotAllowed { .. } | WhyNot::WrongPin => say("short-not-allowed"),
        WhyNot::NoStore | WhyNot::ByHand => say("short-no-store"),
        WhyNot::Unheard | WhyNot::NoAnswer | WhyNot::AllThereIs => named("short-unheard"),
        WhyNot::OtherOlder => named("short-other-older"),
        WhyNot::NoCopy => say("short-no-copy"),
        WhyNot::Comparing => say("short-comparing"),
        WhyNot::NotAsked { .. } => say("short-not-asked"),
        WhyNot::NoSuchMachine { .. } | WhyNot::NobodyJoined => say("short-nobody-joined"),
        WhyNot::NoTerminals | WhyNot::NoTerminalName { .. } | WhyNot::TerminalThere { .. } => say("short-no-terminal"),
        WhyNot::OnlyThisLink { saw, all } => {
            two(words, "short-only-this-link", ("saw", saw.to_string()), ("all", all.to_string()))
        }
        WhyNot::Isolated { .. } => say("short-isolated"),
        WhyNot::System { error } | WhyNot::NoCommand { error } => error.clone(),
        WhyNot::ServesAlready => say("short-serves"),
        WhyNot::MainServes | WhyNot::NothingToAdopt => say("short-main-serves"),
        WhyNot::BackupServes => say("short-backup-serves"),
        WhyNot::ServesNot | WhyNot::OnlyInPlaceOfMain => say("short-serves-not"),
        WhyNot::WasServer => say("short-was-server"),
        WhyNot::WasNoServer => say("short-was-no-server"),
        WhyNot::OtherHealthy => named("short-healthy"),
        WhyNot::CopyOld { age_ms, limit_ms } => {
            two(words, "short-copy-old", ("age", span(*age_ms)), ("limit", span(*limit_ms)))
        }
        WhyNot::TooLongAgo { .. } => say("short-too-long-ago"),
        WhyNot::QuestionOpen | WhyNot::QuestionFirst => say("short-question"),
        WhyNot::NobodyKnows | WhyNot::Parted => named("short-nobody-knows"),
        WhyNot::Twin => say("short-twin"),
        WhyNot::NoLicence => say("short-no-licence"),
        WhyNot::LicenceOver => say("short-licence-over"),
        WhyNot::CopyDiffers | WhyNot::CompareFirst => say("short-copy-differs"),
        WhyNot::NoServer => say("short-no-server"),
        WhyNot::ServerHindered { what, .. } => words.with("short-server-hindered", &[("what", what.as_str().into())]),
        WhyNot::ServerVersions { ours, theirs } => {
            two(words, "short-server-versions", ("ours", ours.clone()), ("theirs", theirs.clone()))
        }
        WhyNot::NoRoom { free_bytes, needed_bytes } => {
            let size = |bytes: u64| figures::bytes(words, bytes);
            two(words, "short-no-room", ("free", size(*free_bytes)), ("needed", size(*needed_bytes)))
        }
        WhyNot::Busy { kind } => busy(words, *kind),
        WhyNot::NumberAsked { name, .. } | WhyNot::NumberNotSet { name, .. } | WhyNot::NumberGiven { name, .. } => {
            of("short-number", name)
        }
        WhyNot::NotRestored { name, .. } | WhyNot::NotDumped { name, .. } | WhyNot::NotAside { name, .. } => {
            of("short-dump-failed", name)
        }
        WhyNot::TurnsAlready => say("short-turns-already"),
        WhyNot::NothingRuns | WhyNot::NoNumberWaits | WhyNot::NothingToGiveUp { .. } => say("short-nothing-runs"),
        WhyNot::TooLate => say("short-too-late"),
        WhyNot::ServerLives => named("short-server-lives"),
        WhyNot::NotLevel { limit_ms } => words.with("short-not-level", &[("limit", span(*limit_ms).into())]),
        WhyNot::DatasetLacks { name, .. } | WhyNot::DatasetStopped { name, .. } => of(dataset(why), name),
        WhyNot::NoSuchDataset { name } => of("short-no-such-dataset", name),
        WhyNot::GoesOn { name } => of("short-goes-on", name),
        WhyNot::StopRefused => say("short-stop-refused"),
        WhyNot::ServerDown { .. } => say("short-server-down"),
        WhyNot::Drill(why) => say(no_drill(why)),
        WhyNot::HandedBack => named("short-handed-back"),
        WhyNot::Cancelled { by } => words.with("short-cancelled", &[("by", by.as_str().into())]),
        WhyNot::Other => say("short-other"),
    }
}

fn two(words: &Words, key: &str, (a, one): (&str, String), (b, other): (&str, String)) -> String {
    words.with(key, &[(a, FluentValue::from(one)), (b, FluentValue::from(other))])
}

/// That a dataset is not as it should be.
fn dataset(why: &WhyNot) -> &'static str {
    if matches!(why, WhyNot::DatasetLacks { .. }) { "short-dataset-lacks" } else { "short-dataset-stopped" }
}

fn no_drill(why: &NoDrill) -> &'static str {
    match why {
        NoDrill::NoSale { .. } => "short-no-sale",
        NoDrill::Left { .. } => "short-drill-left",
        NoDrill::NotApart => "short-not-apart",
        NoDrill::OnlyMirror => "short-only-mirror",
        NoDrill::GivenUp => "short-drill-given-up",
        NoDrill::Other => "short-other",
    }
}

/// That an operation of this kind runs.
#[must_use]
pub fn busy(words: &Words, kind: OperationKind) -> String {
    words.say(match kind {
        OperationKind::Verify => "short-comparing",
        OperationKind::Reseed => "short-busy-reseed",
        OperationKind::Drill => "short-busy-drill",
        OperationKind::Promote | OperationKind::Start => "short-busy-start",
        OperationKind::Return => "short-busy-return",
        OperationKind::Switch => "short-busy-switch",
        OperationKind::Adopt => "short-busy-adopt",
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::finding::Hindrance;

    #[test]
    fn few_words_for_every_reason() {
        let words = Words::load(Some("en"));
        let text = || "CAJA-9".to_owned();
        for why in [
            WhyNot::OnlyMain,
            WhyNot::Drill(NoDrill::NotApart),
            WhyNot::Drill(NoDrill::NoSale { error: None }),
            WhyNot::Drill(NoDrill::Left { name: String::new(), why: String::new() }),
            WhyNot::Busy { kind: OperationKind::Drill },
            WhyNot::NoStore,
            WhyNot::ByHand,
            WhyNot::Unheard,
            WhyNot::AllThereIs,
            WhyNot::OtherOlder,
            WhyNot::NoCopy,
            WhyNot::Comparing,
            WhyNot::NotAsked { question: 3 },
            WhyNot::NoSuchMachine { name: text(), backup: text() },
            WhyNot::NobodyJoined,
            WhyNot::NoTerminals,
            WhyNot::OnlyThisLink { saw: 12, all: 14 },
            WhyNot::Isolated { all: 14 },
            WhyNot::ServesAlready,
            WhyNot::MainServes,
            WhyNot::ServesNot,
            WhyNot::WasServer,
            WhyNot::WasNoServer,
            WhyNot::OtherHealthy,
            WhyNot::CopyOld { age_ms: 700_000, limit_ms: 600_000 },
            WhyNot::QuestionOpen,
            WhyNot::QuestionFirst,
            WhyNot::TurnsAlready,
            WhyNot::NobodyKnows,
            WhyNot::NoLicence,
            WhyNot::LicenceOver,
            WhyNot::CopyDiffers,
            WhyNot::NoServer,
            WhyNot::ServerHindered { what: text(), why: Hindrance::NotThere },
            WhyNot::ServerVersions { ours: text(), theirs: text() },
            WhyNot::NoRoom { free_bytes: 1, needed_bytes: 2 },
            WhyNot::Busy { kind: OperationKind::Return },
            WhyNot::Busy { kind: OperationKind::Promote },
            WhyNot::Busy { kind: OperationKind::Reseed },
            WhyNot::NothingRuns,
            WhyNot::TooLate,
            WhyNot::ServerLives,
            WhyNot::NotLevel { limit_ms: 30_000 },
            WhyNot::StopRefused,
            WhyNot::ServerDown { why: None },
            WhyNot::HandedBack,
            WhyNot::Cancelled { by: text() },
            WhyNot::Other,
        ] {
            let said = short(&words, &why, "SERVIDOR");
            // A row of 80 cells has 39 for it, behind the key and "not now: ".
            assert!(said.contains(' ') && !said.contains(['{', '}']) && said.chars().count() <= 39, "{why:?}: {said}");
        }
    }
}
