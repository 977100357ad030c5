//! Operations: what they are, how they ended, and how long they took.

use jiff::Timestamp;

use super::refusal::refusal;
use super::{Words, figures};
use crate::service::refusal::WhyNot;
use crate::service::status::{Operation, OperationKind, OperationState};

/// What it is, in a few words.
#[must_use]
pub fn kind(words: &Words, kind: OperationKind) -> String {
    words.say(match kind {
        OperationKind::Verify => "operation-verify",
        OperationKind::Reseed => "operation-reseed",
        OperationKind::Promote => "operation-promote",
        OperationKind::Return => "operation-return",
        OperationKind::Switch => "operation-switch",
        OperationKind::Start => "operation-start",
        OperationKind::Drill => "operation-drill",
        OperationKind::Adopt => "operation-adopt",
    })
}

/// How it stands, in a word.
#[must_use]
pub fn state(words: &Words, state: OperationState) -> String {
    words.say(match state {
        OperationState::Running => "operation-running",
        OperationState::Done => "operation-done",
        OperationState::Refused => "operation-refused",
        OperationState::Failed => "operation-failed",
    })
}

/// Why it was refused or failed, a sentence each.
#[must_use]
pub fn why_not(words: &Words, operation: &Operation) -> Vec<String> {
    operation.why_not.iter().map(|why| one(words, why)).collect()
}

/// The same one after the other, where they stand in one line.
#[must_use]
pub fn sentences(words: &Words, operation: &Operation) -> String {
    why_not(words, operation).iter().map(|why| sentence(why)).collect::<Vec<_>>().join(" ")
}

fn sentence(why: &str) -> String {
    let mut letters = why.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    let end = if why.ends_with(['.', '!', '?']) || why.contains(" --") { "" } else { "." };
    format!("{first}{}{end}", letters.as_str())
}

fn one(words: &Words, why: &str) -> String {
    if let Some(files) = why.strip_prefix("differed: ") {
        return words.with("operation-differed", &[("files", files.parse().unwrap_or(0_u64).into())]);
    }
    if why == "interrupted" {
        return words.say("operation-interrupted");
    }
    let known = serde_json::from_str(why).or_else(|_| serde_json::from_value(serde_json::json!({ "is": why })));
    match known {
        Ok(why) if why != WhyNot::Other => refusal(words, &why),
        _ => why.to_owned(),
    }
}

/// How long it took, or has taken until `now`.
#[must_use]
pub fn took(words: &Words, operation: &Operation, now: Timestamp) -> String {
    let end = operation.ended_at.unwrap_or(now);
    let ms = end.as_millisecond() - operation.started_at.as_millisecond();
    figures::span(words, u64::try_from(ms).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_in_one_line_are_sentences() {
        let all = ["there is no complete copy yet", "Nothing was done.", "for example --counter receipt=7", "état"];
        let said = all.map(sentence);
        assert_eq!(
            said,
            ["There is no complete copy yet.", "Nothing was done.", "For example --counter receipt=7", "État."]
        );
    }

    #[test]
    fn every_reason_is_a_sentence() {
        let words = Words::load(Some("en"));
        let asked = serde_json::to_string(&WhyNot::NotAsked { question: 3 }).unwrap();
        for (why, said) in [
            ("differed: 3", "3 files"),
            ("differed: 1", "1 file "),
            ("interrupted", "ended"),
            ("no-copy", "no complete copy"),
            (&asked, "3"),
            ("the disk is on fire", "the disk is on fire"),
        ] {
            let one = one(&words, why);
            assert!(one.contains(said) && !one.contains(['{', '}']), "{why}: {one}");
        }
    }
}
