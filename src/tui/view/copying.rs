//! What is copied now, the datasets, the events.

use super::Seen;
use crate::replica::Grade;
use crate::service::Status;
use crate::service::event::{Event, LicenceNews, Noted, What};
use crate::service::status::{Dataset, PeerState};
use crate::tui::theme::Tone;
use crate::words::{figures, grade, told};

/// A name and what is to be said of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fact {
    /// The name.
    pub label: String,
    /// What there is to say.
    pub value: String,
}

/// Something that goes on, and how far it is.
#[derive(Clone, PartialEq, Debug)]
pub struct Progress {
    /// The name of the line.
    pub label: String,
    /// What goes on: `05 POS-Q.Seq`.
    pub what: String,
    /// How far it is, in thousandths; none when that is not known.
    pub permille: Option<u16>,
    /// The figures behind the bar.
    pub figures: String,
}

/// One dataset.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DatasetLine {
    /// Its name.
    pub name: String,
    /// How sure it is.
    pub grade: String,
    /// Whether that is well.
    pub tone: Tone,
    /// "6 files"
    pub files: String,
    /// "212 MiB"
    pub size: String,
    /// "changed 10:41:58"
    pub changed: String,
    /// What of it needs a look, a sentence each.
    pub notes: Vec<String>,
}

/// What happened.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Events {
    /// The name of the list.
    pub label: String,
    /// The events, the newest first.
    pub lines: Vec<EventLine>,
}

/// One event.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EventLine {
    /// When.
    pub time: String,
    /// What.
    pub text: String,
    /// How much it matters.
    pub tone: Tone,
}

/// A part of `of`, in thousandths; more than all of it is all of it.
#[must_use]
pub fn permille(done: u64, of: u64) -> u16 {
    if of == 0 {
        return 1000;
    }
    u16::try_from(u128::from(done.min(of)) * 1000 / u128::from(of)).unwrap_or(1000)
}

/// The source and the mirror.
#[must_use]
pub fn folders(seen: &Seen<'_>, status: &Status) -> Vec<Fact> {
    let fact = |label: &str, value: &str| Fact { label: seen.words.say(label), value: value.to_owned() };
    let folders = status.folders.as_ref();
    folders.map_or_else(Vec::new, |folders| {
        vec![fact("label-source", &folders.source), fact("label-mirror", &folders.dest)]
    })
}

/// The file that is copied now.
#[must_use]
pub fn copying(seen: &Seen<'_>, status: &Status) -> Progress {
    let words = seen.words;
    let label = words.say("label-copying");
    let Some(copying) = &status.mirror.copying else {
        return Progress { label, what: words.say("copying-nothing"), permille: None, figures: String::new() };
    };
    let permille = permille(copying.done_bytes, copying.total_bytes);
    let percent = words.with("percent", &[("n", (permille / 10).into())]);
    let (number, files) = (("number", copying.number.into()), ("files", copying.files.into()));
    let place = if copying.files == 0 {
        words.with("copying-file", &[number])
    } else {
        words.with("copying-file-of", &[number, files])
    };
    Progress {
        label,
        what: format!("{:02} {}", copying.number, copying.file),
        permille: Some(permille),
        figures: format!("{}  {place}", crate::tui::widgets::fit::pad_left(&percent, 5)),
    }
}

/// How far the mirror is behind its source, now.
#[must_use]
pub fn behind(seen: &Seen<'_>, status: &Status) -> String {
    let mirror = &status.mirror;
    if mirror.behind_ms == 0 && mirror.behind_bytes == 0 && !mirror.behind_at_least {
        // What there is no copy of cannot be behind.
        return if mirror.as_of.is_none() { String::new() } else { seen.words.say("behind-not") };
    }
    // It has grown since it was said.
    let since = seen.now.timestamp().duration_since(status.at).as_millis();
    let age = mirror.behind_ms.saturating_add(u64::try_from(since).unwrap_or(0));
    let age = ("age", figures::span(seen.words, age).into());
    let bytes = ("bytes", figures::bytes_in(seen.words, mirror.behind_bytes, mirror.behind_files).into());
    match (mirror.behind_at_least, mirror.behind_bytes + mirror.behind_files) {
        (true, _) => seen.words.with("behind-at-least", &[age]),
        (false, 0) => seen.words.with("behind", &[age]),
        (false, _) => seen.words.with("behind-bytes", &[age, bytes]),
    }
}

/// How many names a dataset's line names before it says how many more there are.
const NAMED: usize = 3;

/// The datasets.
#[must_use]
pub fn datasets(seen: &Seen<'_>, status: &Status) -> Vec<DatasetLine> {
    let unheard = status.machines.is_some() && status.peer.state == PeerState::Unknown;
    let line = |dataset: &Dataset| {
        let words = seen.words;
        // Only the main says how many files there are.
        let counted = |figure: String| if unheard && dataset.files == 0 { String::new() } else { figure };
        let changed = dataset.changed_at.map(|at| figures::moment(words, at, seen.now));
        DatasetLine {
            name: dataset.name.clone(),
            grade: grade_of(seen, dataset),
            tone: grade_tone(dataset.grade),
            files: counted(words.with("files", &[("n", dataset.files.into())])),
            size: counted(figures::bytes(words, dataset.bytes)),
            changed: changed.map(|at| words.with("changed", &[("at", at.into())])).unwrap_or_default(),
            notes: notes(seen, dataset),
        }
    };
    status.datasets.iter().map(line).collect()
}

/// How sure the copy of a dataset is; of one that is dumped, as of when.
fn grade_of(seen: &Seen<'_>, dataset: &Dataset) -> String {
    let words = seen.words;
    match (dataset.grade, dataset.dumped_at) {
        (None, _) => words.say("grade-none"),
        (Some(_), Some(at)) => words.with("grade-exact-as-of", &[("at", figures::moment(words, at, seen.now).into())]),
        (Some(grade), None) => grade::grade(words, grade),
    }
}

fn notes(seen: &Seen<'_>, dataset: &Dataset) -> Vec<String> {
    let words = seen.words;
    let mut notes = vec![];
    if !dataset.unreadable.is_empty() {
        let names = dataset.unreadable.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
        let more = dataset.unreadable.len().saturating_sub(NAMED);
        let more = if more == 0 { String::new() } else { words.with("and-more", &[("n", more.into())]) };
        notes.push(words.with("note-unreadable", &[("names", format!("{names}{more}").into())]));
    }
    if let Some(since) = dataset.unsteady_since {
        let since = figures::moment(words, since, seen.now);
        notes.push(words.with("note-unsteady", &[("at", since.into())]));
    }
    if let Some(first) = dataset.plain.first() {
        let args = [("n", dataset.plain.len().into()), ("first", first.as_str().into())];
        notes.push(words.with("note-plain", &args));
    }
    if !dataset.special.is_empty() {
        notes.push(words.with("note-special", &[("n", dataset.special.len().into())]));
    }
    notes
}

/// How a grade is coloured.
#[must_use]
pub fn grade_tone(grade: Option<Grade>) -> Tone {
    match grade {
        Some(Grade::Exact | Grade::Steady) => Tone::Ok,
        Some(Grade::Unsteady | Grade::Incomplete) => Tone::Warn,
        None => Tone::Quiet,
    }
}

/// The events, the newest first: it is read from above, and what does not fit is the oldest.
#[must_use]
pub fn events(seen: &Seen<'_>, status: &Status) -> Events {
    let line = |event: &Event| EventLine {
        time: figures::moment(seen.words, event.at, seen.now),
        text: told::event(seen.words, &event.what),
        tone: event_tone(&event.what),
    };
    Events { label: seen.words.say("label-events"), lines: status.events.iter().rev().map(line).collect() }
}

fn event_tone(what: &What) -> Tone {
    match what {
        What::Trouble(trouble) if !trouble.is_hint() => Tone::Alarm,
        What::Mended(_) | What::Verified { differed: 0, .. } => Tone::Ok,
        What::Trouble(_)
        | What::Noted(
            Noted::RecordLost { .. }
            | Noted::NumbersLost { .. }
            | Noted::DiaryDamaged { .. }
            | Noted::DiaryFails { .. },
        )
        | What::Strange { .. }
        | What::Asked(_)
        | What::Special { .. }
        | What::Licence(LicenceNews::Left { .. } | LicenceNews::Stopped | LicenceNews::ClockSet { .. })
        | What::Verified { .. }
        | What::Generation { grade: Grade::Unsteady | Grade::Incomplete, .. } => Tone::Warn,
        What::Opened { .. }
        | What::FirstCopy { .. }
        | What::Generation { .. }
        | What::SetAside { .. }
        | What::Answered { .. }
        | What::Licence(LicenceNews::Began | LicenceNews::Ended)
        | What::Noted(_)
        | What::HistoryDropped { .. } => Tone::Plain,
    }
}
