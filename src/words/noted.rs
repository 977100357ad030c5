//! What happens to the service itself, and what people do with it.

use super::{FluentValue, Words};
use crate::pair::{Duty, Node};
use crate::service::event::Noted;

/// What happened; a sentence.
#[must_use]
pub fn noted(words: &Words, noted: &Noted) -> String {
    let with = |key: &str, name: &str, value: &str| words.with(key, &[(name, FluentValue::from(value.to_owned()))]);
    match noted {
        Noted::Began { version } => with("noted-began", "version", version),
        Noted::Ended => words.say("noted-ended"),
        Noted::Epoch { epoch, holder } => {
            let key = match holder {
                Node::Main => "noted-epoch-main",
                Node::Backup => "noted-epoch-backup",
            };
            with(key, "epoch", &epoch.to_string())
        }
        Noted::Duty { duty } => words.say(match duty {
            Duty::Serving => "noted-duty-serving",
            Duty::Mirroring => "noted-duty-mirroring",
            Duty::Waiting => "noted-duty-waiting",
        }),
        Noted::Invited => words.say("noted-invited"),
        Noted::TerminalInvited { name } => with("noted-terminal-invited", "name", name),
        Noted::TerminalJoined { name } => with("noted-terminal-joined", "name", name),
        Noted::MessageSent { text } => with("noted-message-sent", "text", text),
        Noted::Joined { machine } => with("noted-joined", "machine", machine),
        Noted::Muted => words.say("noted-muted"),
        Noted::MaintenanceBegan { until } => {
            let until = super::figures::date(words, *until, &jiff::tz::TimeZone::system());
            with("noted-maintenance-began", "until", &until)
        }
        Noted::MaintenanceEnded => words.say("noted-maintenance-ended"),
        Noted::Revoked { machine } => with("noted-revoked", "machine", machine),
        Noted::Configured { revision } => with("noted-configured", "revision", &revision.to_string()),
        Noted::Kept { files, to } => {
            words.with("noted-kept", &[("files", (*files).into()), ("to", to.as_str().into())])
        }
        Noted::SteppedBack { to } => {
            with("noted-stepped-back", "to", &super::figures::date(words, *to, &jiff::tz::TimeZone::system()))
        }
        Noted::Numbered { name, last, next, suspect } => {
            let number = |number: &Option<u64>| number.map_or_else(|| "?".to_owned(), |number| number.to_string());
            let (first, end) = suspect.map_or((None, None), |(first, end)| (Some(first), end));
            let args = [
                ("name", name.as_str().into()),
                ("last", number(last).into()),
                ("next", next.as_str().into()),
                ("first", number(&first).into()),
                ("end", number(&end).into()),
            ];
            words.with(numbered(suspect.as_ref()), &args)
        }
        Noted::GivenUp { name } => with("noted-given-up", "name", name),
        Noted::RescueRead { name } => with("noted-rescue-read", "name", name),
        Noted::RescueExported { name, to } => {
            words.with("noted-rescue-exported", &[("name", name.as_str().into()), ("to", to.as_str().into())])
        }
        Noted::HistoryForgotten => words.say("noted-history-forgotten"),
        Noted::RescueDeleting { name, files, bytes } => {
            let size = super::figures::bytes(words, *bytes);
            let args = [("name", name.as_str().into()), ("files", (*files).into()), ("size", size.into())];
            words.with("noted-rescue-deleting", &args)
        }
        Noted::RescueDeleted { name } => with("noted-rescue-deleted", "name", name),
        Noted::RecordLost { kept } if kept.is_empty() => words.say("noted-record-gone"),
        Noted::RecordLost { kept } => with("noted-record-lost", "kept", kept),
        Noted::NumbersLost { kept } => with("noted-numbers-lost", "kept", kept),
        Noted::DiaryDamaged { kept } => with("noted-diary-damaged", "kept", kept),
        Noted::DiaryFails { error } => with("noted-diary-fails", "error", error),
        Noted::DiaryWorks => words.say("noted-diary-works"),
    }
}

/// The sentence that a number was set, where these may have been given out.
fn numbered(suspect: Option<&(u64, Option<u64>)>) -> &'static str {
    match suspect {
        Some((_, Some(_))) => "noted-numbered",
        Some((_, None)) => "noted-numbered-series",
        None => "noted-numbered-only",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_that_is_noted_has_its_words() {
        let words = Words::load(Some("en"));
        let text = || "CAJA-3".to_owned();
        for what in [
            Noted::Began { version: text() },
            Noted::Ended,
            Noted::MaintenanceBegan { until: jiff::Timestamp::UNIX_EPOCH },
            Noted::MaintenanceEnded,
            Noted::Epoch { epoch: 3, holder: Node::Main },
            Noted::Epoch { epoch: 4, holder: Node::Backup },
            Noted::Duty { duty: Duty::Serving },
            Noted::Duty { duty: Duty::Mirroring },
            Noted::Duty { duty: Duty::Waiting },
            Noted::Invited,
            Noted::TerminalInvited { name: text() },
            Noted::TerminalJoined { name: text() },
            Noted::MessageSent { text: text() },
            Noted::Joined { machine: text() },
            Noted::Muted,
            Noted::Revoked { machine: text() },
            Noted::Configured { revision: 3 },
            Noted::Kept { files: 1, to: text() },
            Noted::Kept { files: 9, to: text() },
            Noted::SteppedBack { to: jiff::Timestamp::UNIX_EPOCH },
            Noted::Numbered { name: text(), last: Some(3), next: "53".to_owned(), suspect: Some((4, Some(53))) },
            Noted::Numbered { name: text(), last: Some(3), next: "B".to_owned(), suspect: Some((4, None)) },
            Noted::Numbered { name: text(), last: None, next: "B".to_owned(), suspect: None },
            Noted::GivenUp { name: text() },
            Noted::RescueRead { name: text() },
            Noted::RescueExported { name: text(), to: text() },
            Noted::HistoryForgotten,
            Noted::RescueDeleting { name: text(), files: 2, bytes: 80 },
            Noted::RescueDeleted { name: text() },
            Noted::RecordLost { kept: text() },
            Noted::RecordLost { kept: String::new() },
            Noted::NumbersLost { kept: text() },
            Noted::DiaryDamaged { kept: text() },
            Noted::DiaryFails { error: text() },
            Noted::DiaryWorks,
        ] {
            let said = noted(&words, &what);
            assert!(said.contains(' ') && !said.contains(['{', '}']), "{said}");
        }
    }
}
