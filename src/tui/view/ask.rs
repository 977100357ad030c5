//! The dialogs. What harms nothing is the first button, and has the focus.

use super::{Seen, machines};
use crate::service::Status;
use crate::tui::intent::{Intent, Scope};
use crate::tui::widgets::boxed::Dialog;
use crate::words::told;

/// Whether the service is to end with the screen.
#[must_use]
pub fn quit(seen: &Seen<'_>, status: Option<&Status>, focus: usize) -> Dialog {
    let words = seen.words;
    let text = match status.and_then(|status| machines::own_name(status)) {
        Some(name) => words.with("quit-text-store", &[("name", name.into())]),
        None => words.say("quit-text"),
    };
    Dialog {
        title: words.say("quit-title"),
        text: vec![text],
        field: None,
        buttons: vec![words.say("quit-stay"), words.say("quit-leave")],
        focus,
        keys: keys(seen),
    }
}

/// The question with this number; none when nobody asks it any more.
#[must_use]
pub fn question(seen: &Seen<'_>, status: Option<&Status>, id: u64, focus: usize) -> Option<Dialog> {
    let words = seen.words;
    let question = status?.questions.iter().find(|question| question.id == id)?;
    let asked = told::question(words, &question.ask);
    Some(Dialog {
        title: asked.what,
        text: vec![asked.keeping, asked.taking],
        field: None,
        buttons: vec![words.say("question-keep"), words.say("question-take")],
        focus,
        keys: keys(seen),
    })
}

/// Which keys move and press in a dialog.
#[must_use]
pub fn keys(seen: &Seen<'_>) -> String {
    let key = |intent| seen.options.keymap.hint(Scope::Confirm, intent).unwrap_or_default();
    seen.words.with(
        "dialog-keys",
        &[
            ("next", key(Intent::Next).into()),
            ("press", key(Intent::Press).into()),
            ("leave", key(Intent::Leave).into()),
        ],
    )
}
