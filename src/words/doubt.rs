//! What makes a copy doubtful, as sentences.

use super::refusal::refusal;
use super::told::Told;
use super::{FluentValue, Words};
use crate::service::status::Doubt;

/// What it is, and what to do.
#[must_use]
pub fn doubt(words: &Words, doubt: &Doubt) -> Told {
    let told =
        |what, todo, args: &[(&str, FluentValue<'_>)]| Told { what: words.with(what, args), todo: words.say(todo) };
    let text = |text: &String| FluentValue::from(text.clone());
    match doubt {
        Doubt::Database { file, why, more } => {
            let args = [("file", text(file)), ("why", text(why)), ("n", (*more).into())];
            told("doubt-database", "doubt-database-do", &args)
        }
        Doubt::Rotten { files, first } => {
            told("doubt-rotten", "doubt-rotten-do", &[("n", (*files).into()), ("first", text(first))])
        }
        Doubt::Unsteady { dataset, .. } => told("doubt-unsteady", "doubt-unsteady-do", &[("dataset", text(dataset))]),
        Doubt::NotRestored { dataset, why } => {
            let args = [("dataset", text(dataset)), ("why", text(why))];
            told("doubt-not-restored", "doubt-not-restored-do", &args)
        }
        Doubt::Restoring { minutes } => {
            told("doubt-restoring", "doubt-restoring-do", &[("minutes", (*minutes).into())])
        }
        Doubt::NotDumped { dataset, why } => {
            told("doubt-not-dumped", "doubt-not-dumped-do", &[("dataset", text(dataset)), ("why", text(why))])
        }
        Doubt::NotAside { dataset, why } => {
            let args = [("dataset", text(dataset)), ("why", text(why))];
            Told { what: words.with("doubt-not-aside", &args), todo: words.with("doubt-not-aside-do", &args) }
        }
        Doubt::DrillFailed { why, .. } => {
            told("doubt-drill-failed", "doubt-drill-failed-do", &[("why", refusal(words, why).into())])
        }
        Doubt::DrillOld { days } => told("doubt-drill-old", "doubt-drill-old-do", &[("days", (*days).into())]),
        Doubt::Unopened { dataset, databases } => {
            let args = [("dataset", text(dataset)), ("n", (*databases).into())];
            told("doubt-unopened", "doubt-unopened-do", &args)
        }
        Doubt::ProofOld { dataset, days } => {
            told("doubt-proof-old", "doubt-proof-old-do", &[("dataset", text(dataset)), ("days", (*days).into())])
        }
        Doubt::MuchChanged { dataset, percent, .. } => {
            let args = [("dataset", text(dataset)), ("percent", (*percent).into())];
            told("doubt-much-changed", "doubt-much-changed-do", &args)
        }
    }
}

/// That it is over.
#[must_use]
pub fn mended(words: &Words, doubt: &Doubt) -> String {
    words.say(match doubt {
        Doubt::Database { .. } => "mended-database",
        Doubt::Rotten { .. } => "mended-rotten",
        Doubt::Unsteady { .. } => "mended-unsteady",
        Doubt::NotRestored { .. } => "mended-not-restored",
        Doubt::Restoring { .. } => "mended-restoring",
        Doubt::NotDumped { .. } => "mended-not-dumped",
        Doubt::NotAside { .. } => "mended-not-aside",
        Doubt::DrillFailed { .. } | Doubt::DrillOld { .. } => "mended-drill",
        Doubt::Unopened { .. } => "mended-unopened",
        Doubt::ProofOld { .. } => "mended-proof-old",
        Doubt::MuchChanged { .. } => "mended-much-changed",
    })
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    #[test]
    fn every_doubt_has_its_words() {
        let (words, text, at) = (Words::load(Some("en")), || "POS-R".to_owned(), Timestamp::UNIX_EPOCH);
        for wrong in [
            Doubt::Database { file: text(), why: "row 7 is missing".to_owned(), more: 0 },
            Doubt::Database { file: text(), why: "row 7 is missing".to_owned(), more: 2 },
            Doubt::Rotten { files: 1, first: text() },
            Doubt::Rotten { files: 2, first: text() },
            Doubt::Unsteady { dataset: text(), since: at },
            Doubt::DrillFailed { at, why: crate::service::refusal::WhyNot::NoServer },
            Doubt::DrillOld { days: 31 },
            Doubt::Unopened { dataset: text(), databases: 1 },
            Doubt::Unopened { dataset: text(), databases: 2 },
            Doubt::ProofOld { dataset: text(), days: 3 },
            Doubt::NotRestored { dataset: text(), why: "no such role".to_owned() },
            Doubt::Restoring { minutes: 2 },
            Doubt::NotDumped { dataset: text(), why: "no such role".to_owned() },
            Doubt::NotAside { dataset: text(), why: "no such role".to_owned() },
            Doubt::MuchChanged { dataset: text(), percent: 80, at },
        ] {
            let Told { what, todo } = doubt(&words, &wrong);
            for said in [what, todo, mended(&words, &wrong)] {
                assert!(said.contains(' ') && !said.contains(['{', '}']), "{said}");
            }
        }
    }
}
