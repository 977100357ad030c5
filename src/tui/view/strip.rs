//! The strip of a practice shop, with the keys of what can be caused.

use super::Seen;
use crate::tui::intent::{Intent, Scope};
use crate::tui::strip::Strip;

/// The strip.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StripView {
    /// What can be caused.
    pub causes: Vec<CauseView>,
    /// What the lesson says; empty where there is none.
    pub lesson: String,
    /// What explains the line below it.
    pub note: String,
    /// The line of truth.
    pub truth: String,
    /// Whether that is as it should be.
    pub is_well: bool,
}

/// Something that can be caused.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CauseView {
    /// Its key.
    pub key: String,
    /// What it is.
    pub label: String,
    /// What a click on it does; none where it is not possible now.
    pub intent: Option<Intent>,
}

/// The strip, in words.
#[must_use]
pub fn strip(seen: &Seen<'_>, strip: &Strip) -> StripView {
    let cause = |cause: &crate::tui::strip::Cause| {
        let key = seen.options.keymap.hint(Scope::Demo, cause.intent)?;
        Some(CauseView { key, label: cause.label.clone(), intent: cause.is_possible.then_some(cause.intent) })
    };
    let causes = strip.causes.iter().filter_map(cause).collect();
    StripView {
        causes,
        lesson: strip.lesson.clone(),
        note: strip.note.clone(),
        truth: strip.truth.clone(),
        is_well: strip.is_well,
    }
}
