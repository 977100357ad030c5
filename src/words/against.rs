//! What stands against taking over, as sentences.

use super::Words;
use super::told::Told;
use crate::service::status::Reason;

/// What stands against taking over, and what to do. A word of another version is shown as it is.
#[must_use]
pub fn reason(words: &Words, reason: &Reason) -> Told {
    let args = [("value", reason.value.as_str().into()), ("limit", reason.limit.as_str().into())];
    let what = match reason.check.as_str() {
        "first-copy" => words.say("check-first-copy"),
        "copy-age" => words.with("check-copy-age", &args),
        "unreadable-files" => words.with("check-unreadable-files", &args),
        "question" => words.say("check-question"),
        "disk" => words.say("check-disk"),
        "dataset" => words.with("check-dataset", &args),
        "source" => words.say("check-source"),
        "mirror-disk" => words.say("check-mirror-disk"),
        "other-machine" => words.say("check-other-machine"),
        "nobody-joined" => words.say("check-nobody-joined"),
        "licence" => words.say("check-licence"),
        "witnesses" if reason.value == "isolated" => words.say("check-witnesses-isolated"),
        "witnesses" => words.say("check-witnesses-only-this-link"),
        "twin" => words.say("check-twin"),
        other => format!("{other}: {} ({})", reason.value, reason.limit),
    };
    let todo = match reason.remedy.as_str() {
        "wait" => words.say("remedy-wait"),
        "give-right" => words.say("remedy-give-right"),
        "answer" => words.say("remedy-answer"),
        "take-up-again" => words.say("remedy-take-up-again"),
        "make-room" => words.say("remedy-make-room"),
        "bring-source-back" => words.say("remedy-bring-source-back"),
        "look-at-disk" => words.say("remedy-look-at-disk"),
        "invite" => words.say("remedy-invite"),
        "install-licence" => words.say("remedy-install-licence"),
        "join-again" => words.say("remedy-join-again"),
        "look-at-cable" => words.say("remedy-look-at-cable"),
        "look-at-other-machine" => words.say("remedy-look-at-other-machine"),
        other => other.to_owned(),
    };
    Told { what, todo }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_has_its_words() {
        let words = Words::load(Some("en"));
        let whole = |text: &str| assert!(text.contains(' ') && !text.contains(['{', '}']), "{text}");
        for check in [
            "first-copy",
            "copy-age",
            "unreadable-files",
            "question",
            "disk",
            "source",
            "mirror-disk",
            "other-machine",
            "nobody-joined",
            "licence",
            "witnesses",
            "twin",
        ] {
            for remedy in [
                "wait",
                "give-right",
                "answer",
                "make-room",
                "bring-source-back",
                "look-at-disk",
                "look-at-other-machine",
                "invite",
                "install-licence",
                "join-again",
                "look-at-cable",
            ] {
                let reason = |value: &str| Reason {
                    check: check.into(),
                    value: value.into(),
                    limit: "10 min".into(),
                    remedy: remedy.into(),
                };
                let told = self::reason(&words, &reason("12 min"));
                whole(&told.what);
                whole(&told.todo);
                assert!(told.todo != remedy && !told.what.starts_with(check), "{told:?}");
            }
        }
    }
}
