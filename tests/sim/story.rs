//! What happened, told in order: what each machine did in the words of `story.rs` of the core, and what was done to them.

use std::cell::RefCell;
use std::fmt::{Debug, Write};

use espejo::os::ground;
use tokio::time::Instant;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Metadata, Subscriber, span};

thread_local! {
    static TOLD: RefCell<Option<Told>> = const { RefCell::new(None) };
}

struct Told {
    began: Instant,
    lines: Vec<Line>,
}

/// One thing that happened.
#[derive(Clone, PartialEq, Eq)]
struct Line {
    at_ms: u128,
    text: String,
    /// It is one of the story itself, not of what the services note beside it.
    is_story: bool,
}

/// Begins a new story.
pub fn begin() {
    TOLD.set(Some(Told { began: Instant::now(), lines: vec![] }));
}

/// Something is done to the machines, or was seen of them.
pub fn tell(text: String) {
    add(text, true);
}

fn add(text: String, is_story: bool) {
    TOLD.with_borrow_mut(|told| {
        if let Some(told) = told {
            told.lines.push(Line { at_ms: told.began.elapsed().as_millis(), text, is_story });
        }
    });
}

/// The story so far; `all`: with all that the services noted.
pub fn told(all: bool) -> String {
    TOLD.with_borrow(|told| {
        let lines = told.iter().flat_map(|told| &told.lines).filter(|line| all || line.is_story);
        lines.fold(String::new(), |mut text, line| {
            let _ = writeln!(text, "{:>9}.{:03} {}", line.at_ms / 1000, line.at_ms % 1000, line.text);
            text
        })
    })
}

/// Hears what the services note.
pub struct Ear;

impl Subscriber for Ear {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_event() && metadata.target().starts_with("espejo") && *metadata.level() <= Level::DEBUG
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut words = Words::default();
        event.record(&mut words);
        let is_story = *event.metadata().level() == Level::DEBUG;
        let who = if ground::process().is_multiple_of(2) { "main" } else { "backup" };
        add(format!("{who:<6} {}{}", words.message, words.others), is_story);
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

#[derive(Default)]
struct Words {
    message: String,
    others: String,
}

impl Visit for Words {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let _ = match field.name() {
            "message" => write!(self.message, "{value:?}"),
            name => write!(self.others, " {name}={value:?}"),
        };
    }
}
