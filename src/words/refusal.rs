//! Why the service does not do what it was asked.

use super::told::Told;
use super::{Words, figures};
use crate::service::refusal::{NoDrill, WhyNot};

/// Why it is not done, and what to do; a sentence.
#[must_use]
pub fn refusal(words: &Words, why: &WhyNot) -> String {
    let said = said(words, why);
    let said: Vec<_> = said.into_iter().map(|(name, value)| (name, value.into())).collect();
    words.with(key(why), &said)
}

/// The sentence about a database that is mirrored by dumps.
fn dump_key(why: &WhyNot) -> &'static str {
    match why {
        WhyNot::NotDumped { .. } => "refusal-not-dumped",
        WhyNot::NotAside { .. } => "refusal-not-aside",
        WhyNot::NothingToGiveUp { .. } => "refusal-nothing-to-give-up",
        _ => "refusal-not-restored",
    }
}

/// The sentence about a number that must not repeat.
fn number_key(why: &WhyNot) -> &'static str {
    match why {
        WhyNot::NumberGiven { last: None, .. } => "refusal-no-such-number",
        WhyNot::NumberGiven { .. } => "refusal-number-given",
        WhyNot::NumberAsked { .. } => "refusal-number-asked",
        _ => "refusal-number-not-set",
    }
}

/// The sentence about a terminal that is to join.
fn terminal_key(why: &WhyNot) -> &'static str {
    match why {
        WhyNot::NoTerminalName { .. } => "refusal-no-terminal-name",
        WhyNot::TerminalThere { .. } => "refusal-terminal-there",
        _ => "refusal-no-terminals",
    }
}

/// The sentence.
fn key(why: &WhyNot) -> &'static str {
    match why {
        WhyNot::OnlyMain => "refusal-only-main",
        WhyNot::NotAllowed { .. } => "refusal-not-allowed",
        WhyNot::WrongPin => "refusal-wrong-pin",
        WhyNot::NoStore => "refusal-no-store",
        WhyNot::ByHand => "refusal-by-hand",
        WhyNot::Unheard => "refusal-unheard",
        WhyNot::OtherOlder => "refusal-other-older",
        WhyNot::NoAnswer => "refusal-no-answer",
        WhyNot::AllThereIs => "refusal-all-there-is",
        WhyNot::NoCopy => "refusal-no-copy",
        WhyNot::Comparing => "refusal-comparing",
        WhyNot::NotAsked { .. } => "refusal-not-asked",
        WhyNot::NoSuchMachine { .. } => "refusal-no-such-machine",
        WhyNot::NobodyJoined => "refusal-nobody-joined",
        WhyNot::NoTerminals | WhyNot::NoTerminalName { .. } | WhyNot::TerminalThere { .. } => terminal_key(why),
        WhyNot::OnlyThisLink { .. } => "refusal-only-this-link",
        WhyNot::Isolated { .. } => "refusal-isolated",
        WhyNot::System { .. } => "refusal-system",
        WhyNot::NoCommand { .. } => "refusal-no-command",
        WhyNot::ServesAlready => "refusal-serves",
        WhyNot::MainServes => "refusal-main-serves",
        WhyNot::NothingToAdopt => "refusal-nothing-to-adopt",
        WhyNot::OnlyInPlaceOfMain => "refusal-only-in-place-of-main",
        WhyNot::BackupServes => "refusal-backup-serves",
        WhyNot::CompareFirst => "refusal-compare-first",
        WhyNot::ServesNot => "refusal-serves-not",
        WhyNot::WasServer => "refusal-was-server",
        WhyNot::WasNoServer => "refusal-was-no-server",
        WhyNot::OtherHealthy => "refusal-healthy",
        WhyNot::CopyOld { .. } => "refusal-copy-old",
        WhyNot::TooLongAgo { oldest } => oldest.map_or("refusal-no-earlier-state", |_| "refusal-too-long-ago"),
        WhyNot::QuestionOpen => "refusal-question",
        WhyNot::NobodyKnows => "refusal-nobody-knows",
        WhyNot::Parted => "refusal-parted",
        WhyNot::Twin => "refusal-twin",
        WhyNot::NoLicence => "refusal-no-licence",
        WhyNot::LicenceOver => "refusal-licence-over",
        WhyNot::CopyDiffers => "refusal-copy-differs",
        WhyNot::QuestionFirst => "refusal-question-first",
        WhyNot::NoServer => "refusal-no-server",
        WhyNot::ServerHindered { .. } => "refusal-server-hindered",
        WhyNot::ServerVersions { .. } => "refusal-server-versions",
        WhyNot::NoRoom { .. } => "refusal-no-room",
        WhyNot::Busy { .. } => "refusal-busy",
        WhyNot::NumberAsked { .. } | WhyNot::NumberNotSet { .. } | WhyNot::NumberGiven { .. } => number_key(why),
        WhyNot::NotRestored { .. }
        | WhyNot::NotDumped { .. }
        | WhyNot::NotAside { .. }
        | WhyNot::NothingToGiveUp { .. } => dump_key(why),
        WhyNot::NoNumberWaits => "refusal-no-number-waits",
        WhyNot::TurnsAlready => "refusal-turns-already",
        WhyNot::NothingRuns => "refusal-nothing-runs",
        WhyNot::TooLate => "refusal-too-late",
        WhyNot::ServerLives => "refusal-server-lives",
        WhyNot::NotLevel { .. } => "refusal-not-level",
        WhyNot::DatasetLacks { .. } => "refusal-dataset-lacks",
        WhyNot::DatasetStopped { .. } => "refusal-dataset-stopped",
        WhyNot::NoSuchDataset { .. } => "refusal-no-such-dataset",
        WhyNot::GoesOn { .. } => "refusal-goes-on",
        WhyNot::StopRefused => "refusal-stop-refused",
        WhyNot::ServerDown { .. } => "refusal-server-down",
        WhyNot::Drill(why) => no_drill(why),
        WhyNot::HandedBack => "refusal-handed-back",
        WhyNot::Cancelled { .. } => "refusal-cancelled",
        WhyNot::Other => "cli-strange",
    }
}

fn no_drill(why: &NoDrill) -> &'static str {
    match why {
        NoDrill::NoSale { error: None } => "refusal-no-sale",
        NoDrill::NoSale { error: Some(_) } => "refusal-no-sale-tried",
        NoDrill::Left { .. } => "refusal-drill-left",
        NoDrill::NotApart => "refusal-not-apart",
        NoDrill::OnlyMirror => "refusal-only-mirror",
        NoDrill::GivenUp => "refusal-drill-given-up",
        NoDrill::Other => "cli-strange",
    }
}

/// What is said in it.
fn said(words: &Words, why: &WhyNot) -> Vec<(&'static str, String)> {
    let told = |Told { what, todo }: Told| vec![("what", what), ("todo", todo)];
    let span = |ms: u64| figures::span(words, ms);
    let bytes = |bytes: u64| figures::bytes(words, bytes);
    match why {
        WhyNot::NotAllowed { needs } => vec![("needs", needs.name().to_owned())],
        WhyNot::NotAsked { question } => vec![("question", question.to_string())],
        WhyNot::NoSuchMachine { name, backup } => vec![("name", name.clone()), ("backup", backup.clone())],
        WhyNot::System { error } | WhyNot::NoCommand { error } => {
            vec![("error", error.clone())]
        }
        WhyNot::TooLongAgo { oldest: Some(oldest) } => {
            vec![("oldest", figures::date(words, *oldest, &jiff::tz::TimeZone::system()))]
        }
        WhyNot::Drill(NoDrill::NoSale { error: Some(error) }) => vec![("error", error.clone())],
        WhyNot::Drill(NoDrill::Left { name, why }) => vec![("name", name.clone()), ("why", why.clone())],
        WhyNot::CopyOld { age_ms, limit_ms } => vec![("age", span(*age_ms)), ("limit", span(*limit_ms))],
        WhyNot::ServerHindered { what, why } => told(super::finding::hindered(words, what, why)),
        WhyNot::ServerVersions { ours, theirs } => vec![("ours", ours.clone()), ("theirs", theirs.clone())],
        WhyNot::NoRoom { free_bytes, needed_bytes } => {
            vec![("free", bytes(*free_bytes)), ("needed", bytes(*needed_bytes))]
        }
        WhyNot::Busy { kind } => vec![("what", super::operation::kind(words, *kind))],
        WhyNot::NumberAsked { name, last, proposed } => {
            let unknown = || words.say("number-unknown");
            let last = last.map_or_else(unknown, |last| last.to_string());
            vec![
                ("name", name.clone()),
                ("last", last),
                ("proposed", proposed.clone().unwrap_or_else(|| "N".to_owned())),
            ]
        }
        WhyNot::NumberGiven { name, number, last } => {
            let last = last.map_or_else(String::new, |last| last.to_string());
            vec![("name", name.clone()), ("number", number.to_string()), ("last", last)]
        }
        WhyNot::NotLevel { limit_ms } => vec![("limit", span(*limit_ms))],
        WhyNot::NumberNotSet { name, why }
        | WhyNot::NotRestored { name, why }
        | WhyNot::NotDumped { name, why }
        | WhyNot::NotAside { name, why }
        | WhyNot::DatasetLacks { name, why }
        | WhyNot::DatasetStopped { name, why } => {
            vec![("name", name.clone()), ("why", why.clone())]
        }
        WhyNot::NoSuchDataset { name }
        | WhyNot::NothingToGiveUp { name }
        | WhyNot::GoesOn { name }
        | WhyNot::NoTerminalName { name }
        | WhyNot::TerminalThere { name } => vec![("name", name.clone())],
        WhyNot::OnlyThisLink { saw, all } => vec![("saw", saw.to_string()), ("all", all.to_string())],
        WhyNot::Isolated { all } => vec![("all", all.to_string())],
        WhyNot::ServerDown { why } => told(super::served::down(words, true, why.as_ref())),
        WhyNot::Cancelled { by } => vec![("by", by.clone())],
        _ => vec![],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::finding::Hindrance;
    use crate::service::refusal::Role;
    use crate::service::status::OperationKind;

    #[test]
    fn every_refusal_of_a_drill_has_its_words() {
        let words = Words::load(Some("en"));
        let left = NoDrill::Left { name: "books".to_owned(), why: "busy".to_owned() };
        for why in [left, NoDrill::NoSale { error: None }, NoDrill::NotApart, NoDrill::OnlyMirror, NoDrill::GivenUp] {
            let said = refusal(&words, &WhyNot::Drill(why));
            assert!(said.contains(' ') && !said.contains(['{', '}']), "{said}");
        }
    }

    #[test]
    fn every_refusal_has_its_words() {
        let words = Words::load(Some("en"));
        let text = || "CAJA-9 is no machine".to_owned();
        for why in [
            WhyNot::OnlyMain,
            WhyNot::Drill(NoDrill::NoSale { error: Some(text()) }),
            WhyNot::NoNumberWaits,
            WhyNot::NotAllowed { needs: Role::Support },
            WhyNot::WrongPin,
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
            WhyNot::NoTerminals,
            WhyNot::NoTerminalName { name: text() },
            WhyNot::TerminalThere { name: text() },
            WhyNot::OnlyThisLink { saw: 12, all: 14 },
            WhyNot::Isolated { all: 14 },
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
            WhyNot::Twin,
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

    #[test]
    fn a_number_that_is_asked_about_is_named_and_so_is_what_to_type() {
        let words = Words::load(Some("en"));
        let name = || "receipt".to_owned();
        let asked = |last, proposed: Option<&str>| {
            let proposed = proposed.map(str::to_owned);
            refusal(&words, &WhyNot::NumberAsked { name: name(), last, proposed })
        };
        assert!(asked(Some(3), Some("53")).contains("--counter receipt=53"));
        assert!(asked(None, None).contains("--counter receipt=N"));
        let not_set = refusal(&words, &WhyNot::NumberNotSet { name: name(), why: "no such table".to_owned() });
        assert!(not_set.contains("receipt") && not_set.contains("no such table"), "{not_set}");
    }
}
