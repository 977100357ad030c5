//! Typed values as sentences: what happened, what is wrong, what is asked, and what to do about it.

use super::unmet::unmet;
use super::{FluentValue, Words, doubt, figures, licence, served};
use crate::replica::Grade;
use crate::service::event::What;
use crate::service::status::{Ask, Trouble};

/// Something that stands in the way, and the way round it; a sentence each.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Told {
    /// What it is.
    pub what: String,
    /// What to do.
    pub todo: String,
}

/// A question, and what each answer does; a sentence each.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Asked {
    /// What happened.
    pub what: String,
    /// What follows from keeping the mirror as it is.
    pub keeping: String,
    /// What follows from taking the change over.
    pub taking: String,
}

/// What happened.
#[must_use]
pub fn event(words: &Words, what: &What) -> String {
    let file = |key: &str, file: &str| words.with(key, &[("file", file.into())]);
    match what {
        What::Opened { redone: 0 } => words.say("event-opened"),
        What::Opened { redone } => words.with("event-opened-redone", &[("n", (*redone).into())]),
        What::FirstCopy { found: 0 } => words.say("event-first-copy"),
        What::FirstCopy { found } => words.with("event-first-copy-goes-on", &[("n", (*found).into())]),
        What::Generation { files, gone, bytes, grade, took_ms, .. } => {
            generation(words, (*files, *gone), *bytes, *grade, *took_ms)
        }
        What::Verified { files, bytes, differed: 0 } => {
            words.with("event-verified", &[("files", (*files).into()), ("bytes", figures::bytes(words, *bytes).into())])
        }
        What::Verified { files, differed, .. } => {
            words.with("event-verified-differed", &[("differed", (*differed).into()), ("files", (*files).into())])
        }
        What::Strange { file: name } => file("event-strange", name),
        What::SetAside { file: name, to } => {
            words.with("event-set-aside", &[("file", name.as_str().into()), ("to", to.as_str().into())])
        }
        What::Trouble(wrong) => coded(wrong.code(), &trouble(words, wrong).what),
        What::Mended(wrong) => coded(wrong.code(), &mended(words, wrong)),
        What::Asked(ask) => question(words, ask).what,
        What::Answered { question, accepted } => answered(words, question, *accepted),
        What::Special { file: name } => file("event-special", name),
        What::Licence(news) => licence::event(words, news),
        What::Noted(what) => super::noted::noted(words, what),
        What::HistoryDropped { left } => words.with("event-history-dropped", &[("n", (*left).into())]),
    }
}

fn coded(code: &str, sentence: &str) -> String {
    format!("{code} {sentence}")
}

fn generation(words: &Words, (files, gone): (u64, u64), bytes: u64, grade: Grade, took_ms: u64) -> String {
    let key = match (files, gone) {
        (0, 0) => "event-copied-names",
        (_, 0) => "event-copied",
        (0, _) => "event-copied-gone",
        (_, _) => "event-copied-both",
    };
    words.with(
        key,
        &[
            ("files", files.into()),
            ("gone", gone.into()),
            ("bytes", figures::bytes(words, bytes).into()),
            ("took", figures::span(words, took_ms).into()),
            ("grade", super::grade::grade(words, grade).into()),
        ],
    )
}

fn answered(words: &Words, ask: &Ask, accepted: Option<bool>) -> String {
    let key = match (ask, accepted) {
        (Ask::Removals { .. }, Some(true)) => "event-removals-taken",
        (Ask::Removals { .. }, Some(false)) => "event-removals-kept",
        (Ask::Removals { .. }, None) => "event-removals-back",
        (Ask::Older { .. }, Some(true)) => "event-older-taken",
        (Ask::Older { .. }, Some(false)) => "event-older-kept",
        (Ask::Older { .. }, None) => "event-older-back",
        (Ask::Emptied { .. }, Some(true)) => "event-emptied-taken",
        (Ask::Emptied { .. }, Some(false)) => "event-emptied-kept",
        (Ask::Emptied { .. }, None) => "event-emptied-back",
    };
    words.say(key)
}

/// What is wrong, and what to do.
#[must_use]
pub fn trouble(words: &Words, trouble: &Trouble) -> Told {
    let told =
        |what, todo, args: &[(&str, FluentValue<'_>)]| Told { what: words.with(what, args), todo: words.say(todo) };
    let room = |[what, todo]: [&str; 2], needed, free| Told {
        what: words.with(
            what,
            &[("needed", figures::bytes(words, needed).into()), ("free", figures::bytes(words, free).into())],
        ),
        todo: words.say(todo),
    };
    match trouble {
        Trouble::DiskFull { needed_bytes, free_bytes } => {
            let what = if *needed_bytes == 0 { "trouble-disk-full" } else { "trouble-disk-full-by" };
            room([what, "trouble-disk-full-do"], *needed_bytes, *free_bytes)
        }
        Trouble::NoRoomAside { needed_bytes, free_bytes } => {
            room(["trouble-no-room-aside", "trouble-no-room-aside-do"], *needed_bytes, *free_bytes)
        }
        Trouble::MirrorFails { error } => {
            told("trouble-mirror-fails", "trouble-mirror-fails-do", &[("error", error.as_str().into())])
        }
        Trouble::DatasetStopped { dataset, why, more } => served::dataset_stopped(words, (dataset, why), *more),
        Trouble::SourceGone { error } => {
            told("trouble-source-gone", "trouble-source-gone-do", &[("error", error.as_str().into())])
        }
        Trouble::Held { files } => told("trouble-held", "trouble-held-do", &[("n", (*files).into())]),
        Trouble::Unreadable { files, first } => told(
            "trouble-unreadable",
            "trouble-unreadable-do",
            &[("n", (*files).into()), ("first", first.as_str().into())],
        ),
        Trouble::Silent { why } => match why {
            None => told("trouble-silent", "trouble-silent-do", &[]),
            Some(why) => unmet(words, why),
        },
        Trouble::Unanswered { why } => match why {
            None => told("trouble-unanswered", "trouble-unanswered-do", &[]),
            Some(why) => {
                let Told { what, todo } = told("trouble-unanswered", "trouble-unanswered-do", &[]);
                Told { what: format!("{what} {}", unmet(words, why).what), todo }
            }
        },
        Trouble::KeyTwice { from } => served::key_twice(words, from),
        Trouble::RecordUnsaved { error } => served::record_unsaved(words, error),
        Trouble::CopyOld { age_ms, limit_ms } => copy_old(words, *age_ms, *limit_ms),
        Trouble::MirrorStopped { for_ms } => {
            told("trouble-stopped", "trouble-stopped-do", &[("for", figures::span(words, *for_ms).into())])
        }
        Trouble::Versions { ours, theirs } => {
            let args = [("ours", ours.as_str().into()), ("theirs", theirs.as_str().into())];
            told("trouble-versions", "trouble-versions-do", &args)
        }
        Trouble::DiskLow { free_bytes } => room(["trouble-disk-low", "trouble-disk-low-do"], 0, *free_bytes),
        Trouble::EpochUnproven { epoch } => served::unproven(words, *epoch),
        Trouble::StandsStill => told("trouble-stands-still", "trouble-stands-still-do", &[]),
        Trouble::StoppedAlone => told("trouble-stopped-alone", "trouble-stopped-alone-do", &[]),
        Trouble::DevicesMissed { main, backup } => served::devices_missed(words, main, backup),
        Trouble::EventsWait { waiting, for_ms } => served::events_wait(words, *waiting, *for_ms),
        Trouble::Doubt(wrong) => doubt::doubt(words, wrong),
        Trouble::Licence(wrong) => licence::trouble(words, wrong),
        Trouble::Unwatched { rescan_ms } => {
            told("trouble-unwatched", "trouble-unwatched-do", &[("every", figures::span(words, *rescan_ms).into())])
        }
        Trouble::ServerStray { found } => served::stray(words, found),
        Trouble::ServerDown { here, why } => served::down(words, *here, why.as_ref()),
        Trouble::WatchLimit { rescan_ms } => {
            told("trouble-watch-limit", "trouble-watch-limit-do", &[("every", figures::span(words, *rescan_ms).into())])
        }
    }
}

fn copy_old(words: &Words, age_ms: u64, limit_ms: u64) -> Told {
    let args = [("age", figures::span(words, age_ms).into()), ("limit", figures::span(words, limit_ms).into())];
    Told { what: words.with("trouble-copy-old", &args), todo: words.say("trouble-copy-old-do") }
}

fn mended(words: &Words, trouble: &Trouble) -> String {
    let key = match trouble {
        Trouble::Doubt(wrong) => return doubt::mended(words, wrong),
        Trouble::Licence(wrong) => return licence::mended(words, wrong),
        Trouble::DiskFull { .. } => "mended-disk-full",
        Trouble::NoRoomAside { .. } => "mended-no-room-aside",
        Trouble::MirrorFails { .. } => "mended-mirror-fails",
        Trouble::DatasetStopped { .. } => "mended-dataset-stopped",
        Trouble::RecordUnsaved { .. } => "mended-record-unsaved",
        Trouble::KeyTwice { .. } => "mended-key-twice",
        Trouble::SourceGone { .. } => "mended-source-gone",
        Trouble::Held { .. } => "mended-held",
        Trouble::Unreadable { .. } => "mended-unreadable",
        Trouble::WatchLimit { .. } | Trouble::Unwatched { .. } => "mended-watch-limit",
        Trouble::Silent { .. } => "mended-silent",
        Trouble::Unanswered { .. } => "mended-unanswered",
        Trouble::CopyOld { .. } => "mended-copy-old",
        Trouble::MirrorStopped { .. } => "mended-stopped",
        Trouble::Versions { .. } => "mended-versions",
        Trouble::DiskLow { .. } => "mended-disk-low",
        Trouble::ServerStray { .. } => "mended-stray",
        Trouble::ServerDown { .. } => "mended-server",
        Trouble::EpochUnproven { .. } => "mended-unproven",
        Trouble::StandsStill => "mended-stands-still",
        Trouble::StoppedAlone => "mended-stopped-alone",
        Trouble::DevicesMissed { .. } => "mended-devices",
        Trouble::EventsWait { .. } => "mended-events-wait",
    };
    words.say(key)
}

/// What is asked, and what each answer does.
#[must_use]
pub fn question(words: &Words, ask: &Ask) -> Asked {
    match ask {
        Ask::Removals { gone, of } => {
            let args = [("gone", (*gone).into()), ("of", (*of).into())];
            Asked {
                what: words.with("question-removals", &args),
                keeping: words.say("question-removals-keeping"),
                taking: words.with("question-removals-taking", &args),
            }
        }
        Ask::Older { files } => {
            let first = files.first().map_or("", String::as_str);
            let args = [("n", files.len().into()), ("first", first.into())];
            Asked {
                what: words.with("question-older", &args),
                keeping: words.say("question-older-keeping"),
                taking: words.say("question-older-taking"),
            }
        }
        Ask::Emptied { files } => {
            let first = files.first().map_or("", String::as_str);
            let args = [("n", files.len().into()), ("first", first.into())];
            Asked {
                what: words.with("question-emptied", &args),
                keeping: words.say("question-emptied-keeping"),
                taking: words.with("question-emptied-taking", &args),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::event::Event;
    use crate::service::status::{Stray, Unmet};

    fn troubles() -> Vec<Trouble> {
        vec![
            Trouble::DiskFull { needed_bytes: 0, free_bytes: 4096 },
            Trouble::DiskFull { needed_bytes: 1 << 31, free_bytes: 4096 },
            Trouble::MirrorFails { error: "Input/output error".into() },
            Trouble::DatasetStopped { dataset: "images".into(), why: "it cannot be read".into(), more: 0 },
            Trouble::DatasetStopped { dataset: "images".into(), why: "it cannot be read".into(), more: 2 },
            Trouble::SourceGone { error: "No such file or directory".into() },
            Trouble::Held { files: 1 },
            Trouble::Unreadable { files: 2, first: "POS-R".into() },
            Trouble::WatchLimit { rescan_ms: 30_000 },
            Trouble::Unwatched { rescan_ms: 3000 },
            Trouble::Silent { why: None },
            Trouble::Silent { why: Some(Unmet::NoPlace) },
            Trouble::Unanswered { why: None },
            Trouble::Unanswered { why: Some(Unmet::NoPlace) },
            Trouble::CopyOld { age_ms: 700_000, limit_ms: 600_000 },
            Trouble::MirrorStopped { for_ms: 75_000 },
            Trouble::Versions { ours: "0.1.0".to_owned(), theirs: "0.2.0".to_owned() },
            Trouble::NoRoomAside { needed_bytes: 64_000_000, free_bytes: 12_000_000 },
            Trouble::DiskLow { free_bytes: 12_000_000 },
            Trouble::ServerStray { found: Stray::Process { pid: 7 } },
            Trouble::ServerDown { here: false, why: None },
            Trouble::EpochUnproven { epoch: 7 },
            Trouble::RecordUnsaved { error: "no space".to_owned() },
            Trouble::KeyTwice { from: "192.168.1.77".to_owned() },
            Trouble::EventsWait { waiting: 1, for_ms: 600_000 },
        ]
    }

    fn events() -> Vec<What> {
        let copied =
            |files, gone| What::Generation { seq: 7, files, gone, bytes: 4096, grade: Grade::Exact, took_ms: 9 };
        let files = || vec!["POS-Q.Seq".into()];
        let asks = [Ask::Removals { gone: 7, of: 9 }, Ask::Emptied { files: files() }, Ask::Older { files: files() }];
        let mut all = vec![
            What::Opened { redone: 0 },
            What::Opened { redone: 1 },
            What::FirstCopy { found: 0 },
            What::FirstCopy { found: 3 },
            copied(0, 0),
            copied(1, 0),
            copied(0, 1),
            copied(2, 2),
            What::Verified { files: 7, bytes: 4096, differed: 0 },
            What::Verified { files: 7, bytes: 4096, differed: 1 },
            What::Strange { file: "POS-R".into() },
            What::SetAside { file: "POS-R".into(), to: "/x".into() },
            What::Special { file: "socket".into() },
            What::HistoryDropped { left: 3 },
        ];
        all.extend(troubles().into_iter().flat_map(|wrong| [What::Trouble(wrong.clone()), What::Mended(wrong)]));
        for ask in asks {
            all.push(What::Asked(ask.clone()));
            all.extend(
                [Some(true), Some(false), None].map(|accepted| What::Answered { question: ask.clone(), accepted }),
            );
        }
        all
    }

    /// A brace left over is a key without a sentence or a sentence without its figure.
    fn whole(sentence: &str) {
        assert!(!sentence.is_empty() && !sentence.contains(['{', '}']), "{sentence}");
    }

    #[test]
    fn everything_has_its_words() {
        let words = Words::load(Some("en"));
        for what in events() {
            whole(&event(&words, &what));
        }
        for told in troubles().iter().map(|wrong| trouble(&words, wrong)) {
            whole(&told.what);
            whole(&told.todo);
        }
    }

    #[test]
    fn what_is_told_arrives_as_it_was_written() {
        let at = jiff::Timestamp::UNIX_EPOCH;
        for what in events() {
            let event = Event { at, what };
            let said = serde_json::to_string(&event).unwrap();
            assert_eq!(serde_json::from_str::<Event>(&said).unwrap(), event, "{said}");
        }
    }

    #[test]
    fn plurals() {
        let words = Words::load(Some("en"));
        let one = What::Generation { seq: 1, files: 1, gone: 0, bytes: 200, grade: Grade::Exact, took_ms: 40 };
        assert_eq!(event(&words, &one), "1 file copied, 200 B in 0.0 s: exact");
    }
}
