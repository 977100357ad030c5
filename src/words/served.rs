//! What is wrong with the POS server program and the shop's other programs, and what to do.

use super::told::Told;
use super::{FluentValue, Words, figures};
use crate::pair::Epoch;
use crate::service::status::{Down, Stray};

/// The program runs where it should not.
#[must_use]
pub fn stray(words: &Words, found: &Stray) -> Told {
    let told = |[what, todo]: [&str; 2], args: &[(&str, FluentValue<'_>)]| Told {
        what: words.with(what, args),
        todo: words.with(todo, args),
    };
    match found {
        Stray::Process { pid } => {
            told(["trouble-stray-process", "trouble-stray-process-do"], &[("pid", pid.to_string().into())])
        }
        Stray::Unit { unit } => {
            told(["trouble-stray-unit", "trouble-stray-unit-do"], &[("unit", unit.as_str().into())])
        }
        Stray::Port { address } => {
            told(["trouble-stray-port", "trouble-stray-port-do"], &[("address", address.as_str().into())])
        }
    }
}

/// The other machine says that an epoch is in force, and cannot prove it.
#[must_use]
pub fn unproven(words: &Words, epoch: Epoch) -> Told {
    let what = words.with("trouble-unproven", &[("epoch", epoch.to_string().into())]);
    Told { what, todo: words.say("trouble-unproven-do") }
}

/// A second machine has the key of the other one.
#[must_use]
pub fn key_twice(words: &Words, from: &str) -> Told {
    Told { what: words.with("trouble-key-twice", &[("from", from.into())]), todo: words.say("trouble-key-twice-do") }
}

/// Who the server is cannot be noted on this machine.
#[must_use]
pub fn record_unsaved(words: &Words, error: &str) -> Told {
    let what = words.with("trouble-record-unsaved", &[("error", error.into())]);
    Told { what, todo: words.say("trouble-record-unsaved-do") }
}

/// A dataset is not mirrored any more, for this reason; and others.
#[must_use]
pub fn dataset_stopped(words: &Words, (dataset, why): (&str, &str), more: u64) -> Told {
    let args = [("name", dataset.into()), ("why", why.into()), ("more", more.into())];
    Told { what: words.with("trouble-dataset-stopped", &args), todo: words.with("trouble-dataset-stopped-do", &args) }
}

/// Devices that both machines must reach are not reached: from the main these, from the backup those.
#[must_use]
pub fn devices_missed(words: &Words, main: &[String], backup: &[String]) -> Told {
    let from = |key, missed: &[String]| words.with(key, &[("names", missed.join(", ").into())]);
    let what = match (main, backup) {
        (_, []) => from("trouble-devices-main", main),
        ([], _) => from("trouble-devices-backup", backup),
        _ if main == backup => from("trouble-devices-both", main),
        _ => format!("{} {}", from("trouble-devices-main", main), from("trouble-devices-backup", backup)),
    };
    Told { what, todo: words.say("trouble-devices-do") }
}

/// The shop's program that is told of events takes none.
#[must_use]
pub fn events_wait(words: &Words, waiting: u64, for_ms: u64) -> Told {
    let args = [("n", waiting.into()), ("for", figures::span(words, for_ms).into())];
    Told { what: words.with("trouble-events-wait", &args), todo: words.say("trouble-events-wait-do") }
}

/// The program does not answer; `why`, where it is the one of this machine.
#[must_use]
pub fn down(words: &Words, here: bool, why: Option<&Down>) -> Told {
    let told = |[what, todo]: [&str; 2], args: &[(&str, FluentValue<'_>)]| Told {
        what: words.with(what, args),
        todo: words.with(todo, args),
    };
    if !here {
        return told(["trouble-server-far", "trouble-server-far-do"], &[]);
    }
    match why {
        Some(Down::Ended { code: Some(code) }) => {
            told(["trouble-server-ended", "trouble-server-ended-do"], &[("code", code.to_string().into())])
        }
        Some(Down::Ended { code: None }) => told(["trouble-server-gone", "trouble-server-ended-do"], &[]),
        Some(Down::NotReady { after_ms }) => told(
            ["trouble-server-not-ready", "trouble-server-not-ready-do"],
            &[("after", figures::span(words, *after_ms).into())],
        ),
        Some(Down::CannotStart { what, error }) => told(
            ["trouble-server-cannot", "trouble-server-cannot-do"],
            &[("what", what.as_str().into()), ("error", error.as_str().into())],
        ),
        Some(Down::EnabledAtBoot { unit }) => {
            told(["trouble-server-enabled", "trouble-server-enabled-do"], &[("unit", unit.as_str().into())])
        }
        Some(Down::Vetoed { hook }) => {
            told(["trouble-server-vetoed", "trouble-server-vetoed-do"], &[("hook", hook.as_str().into())])
        }
        Some(Down::NoSystemd { unit }) => {
            told(["trouble-server-no-systemd", "trouble-server-no-systemd-do"], &[("unit", unit.as_str().into())])
        }
        Some(Down::NoAnswer | Down::Other) | None => told(["trouble-server-silent", "trouble-server-silent-do"], &[]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_has_its_words() {
        let words = Words::load(Some("en"));
        let unit = || "pos.service".to_owned();
        let strays =
            [Stray::Process { pid: 7 }, Stray::Unit { unit: unit() }, Stray::Port { address: "127.0.0.1:9000".into() }];
        let downs = [
            Down::Ended { code: Some(3) },
            Down::Ended { code: None },
            Down::NotReady { after_ms: 60_000 },
            Down::NoAnswer,
            Down::CannotStart { what: "/opt/pos/server".into(), error: "No such file or directory".into() },
            Down::EnabledAtBoot { unit: unit() },
            Down::NoSystemd { unit: unit() },
            Down::Vetoed { hook: "before_serve".into() },
            Down::Other,
        ];
        let mut all: Vec<Told> = strays.iter().map(|found| stray(&words, found)).collect();
        all.extend(downs.iter().map(|why| down(&words, true, Some(why))));
        all.push(down(&words, false, None));
        for told in all {
            for sentence in [told.what, told.todo] {
                assert!(!sentence.is_empty() && !sentence.contains(['{', '}']), "{sentence}");
                assert!(!sentence.starts_with("trouble-"), "{sentence}");
            }
        }
    }
}
