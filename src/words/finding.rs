//! What an examination of a machine found, and what to do where it is not well.

use super::told::Told;
use super::unmet::unmet;
use super::{FluentValue, Words, figures};
use crate::pair::Node;
use crate::service::finding::{Finding, Found, Hindrance};

/// What was examined, and what to do where it is not well.
#[must_use]
pub fn finding(words: &Words, finding: &Finding) -> Told {
    let node = words.say(match finding.node {
        Node::Main => "check-main",
        Node::Backup => "check-backup",
    });
    let well = finding.found.is_well();
    let told = |[good, bad, todo]: [&str; 3], args: &[(&str, FluentValue<'_>)]| Told {
        what: format!("{node} {}", words.with(if well { good } else { bad }, args)),
        todo: if well { String::new() } else { words.with(todo, args) },
    };
    let text = |text: &Option<String>| FluentValue::from(text.clone().unwrap_or_default());
    let bytes = |bytes: u64| FluentValue::from(figures::bytes(words, bytes));
    match &finding.found {
        Found::Folder { dataset, folder, error } => {
            let args = [("name", dataset.as_str().into()), ("folder", folder.as_str().into()), ("error", text(error))];
            told(["check-folder", "check-folder-wrong", "check-folder-wrong-do"], &args)
        }
        Found::Rights { unreadable, first } => told(
            ["check-rights", "check-rights-wrong", "check-rights-wrong-do"],
            &[("n", (*unreadable).into()), ("first", text(first))],
        ),
        Found::Room { free_bytes, needed_bytes } => told(
            ["check-room", "check-room-wrong", "check-room-wrong-do"],
            &[("free", bytes(*free_bytes)), ("needed", bytes(*needed_bytes))],
        ),
        Found::Name { address, error } => told(
            ["check-name", "check-name-wrong", "check-name-wrong-do"],
            &[("address", address.as_str().into()), ("error", text(error))],
        ),
        Found::Connection { why: Some(why), talks: false, .. } => {
            let Told { what, todo } = unmet(words, why);
            Told { what: format!("{node} {what}"), todo }
        }
        Found::Connection { address, .. } => told(
            ["check-connection", "check-connection-wrong", "check-connection-wrong-do"],
            &[("address", address.as_str().into())],
        ),
        Found::Device { name, address, error } => {
            let args = [("name", name.as_str().into()), ("address", address.as_str().into()), ("error", text(error))];
            told(["check-device", "check-device-wrong", "check-device-wrong-do"], &args)
        }
        Found::Heartbeat { port, .. } => told(
            ["check-heartbeat", "check-heartbeat-wrong", "check-heartbeat-wrong-do"],
            &[("port", port.to_string().into())],
        ),
        Found::Clocks { ahead_ms } => {
            let apart = figures::span(words, ahead_ms.unwrap_or(0).unsigned_abs());
            told(["check-clocks", "check-clocks-wrong", "check-clocks-wrong-do"], &[("apart", apart.into())])
        }
        Found::Versions { ours, theirs } => told(
            ["check-versions", "check-versions-wrong", "check-versions-wrong-do"],
            &[("ours", ours.as_str().into()), ("theirs", text(theirs))],
        ),
        Found::Start { what, why: Some(why) } => {
            let Told { what, todo } = hindered(words, what, why);
            Told { what: format!("{node} {what}"), todo }
        }
        Found::Start { what, why: None } => {
            told(["check-start", "check-start-wrong", "check-start-not-there-do"], &[("what", what.as_str().into())])
        }
        Found::Server { outside } => told(
            ["check-server", "check-server-wrong", "check-server-wrong-do"],
            &[("files", outside.join(", ").into())],
        ),
    }
}
/// Why the POS server program `what` cannot be started, and what to do.
#[must_use]
pub fn hindered(words: &Words, what: &str, why: &Hindrance) -> Told {
    let [bad, todo] = match why {
        Hindrance::NotThere => ["check-start-wrong", "check-start-not-there-do"],
        Hindrance::NotExecutable => ["check-start-wrong", "check-start-not-executable-do"],
        Hindrance::EnabledAtBoot => ["check-start-enabled", "check-start-enabled-do"],
        Hindrance::NoSystemd => ["check-start-wrong", "check-start-no-systemd-do"],
    };
    let args = [("what", what.into())];
    Told { what: words.with(bad, &args), todo: words.with(todo, &args) }
}
