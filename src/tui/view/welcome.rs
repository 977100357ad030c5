//! The first page and its form.

use super::Seen;
use super::mirror::Action;
use crate::tui::first::{BACK, BEGIN, First, Missing};
use crate::tui::intent::{Intent, Scope};

/// The first page.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WelcomeView {
    /// What this is, a sentence each.
    pub about: Vec<String>,
    /// That there is nothing yet, and what to begin with.
    pub begin: String,
    /// What can be done.
    pub actions: Vec<Action>,
}

/// The form that names two folders.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FormView {
    /// What happens with the folders.
    pub about: String,
    /// The fields.
    pub fields: Vec<Field>,
    /// What is missing; empty when nothing is.
    pub missing: String,
    /// The name of the command.
    pub command_label: String,
    /// The command that does the same.
    pub command: String,
    /// The buttons: what they say, and the number in the order of the focus.
    pub buttons: Vec<(String, usize)>,
    /// The field or button in focus.
    pub focus: usize,
}

/// One field.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Field {
    /// Its name.
    pub label: String,
    /// What is to be typed into it.
    pub note: String,
    /// What was typed.
    pub value: String,
    /// Cells before the cursor.
    pub cursor: usize,
}

/// The first page.
#[must_use]
pub fn welcome(seen: &Seen<'_>) -> WelcomeView {
    let words = seen.words;
    WelcomeView {
        about: vec![words.say("welcome-what"), words.say("welcome-how"), words.say("welcome-safe")],
        begin: words.say("welcome-begin"),
        actions: vec![Action {
            keys: seen.options.keymap.hint(Scope::First, Intent::MirrorAFolder).unwrap_or_default(),
            label: words.say("action-mirror"),
            note: words.say("action-mirror-note"),
            intent: Some(Intent::MirrorAFolder),
            is_next: false,
        }],
    }
}

/// The form.
#[must_use]
pub fn form(seen: &Seen<'_>, first: &First) -> FormView {
    let words = seen.words;
    let [source, dest] = first.fields();
    let field = |label: &str, note: &str, input: &tui_input::Input| Field {
        label: words.say(label),
        note: words.say(note),
        value: input.value().to_owned(),
        cursor: input.visual_cursor(),
    };
    let missing = match first.missing() {
        Some(Missing::Names) => words.say("form-missing-names"),
        Some(Missing::Difference) => words.say("form-missing-difference"),
        None => String::new(),
    };
    let shown = |input: &tui_input::Input, stands_in: &str| match input.value().trim() {
        "" => words.say(stands_in),
        typed => quoted(typed),
    };
    FormView {
        about: words.say("form-about"),
        fields: vec![field("label-source", "form-source-note", source), field("label-mirror", "form-dest-note", dest)],
        missing,
        command_label: words.say("form-command"),
        command: format!("espejo mirror {} {}", shown(source, "form-source"), shown(dest, "form-dest")),
        buttons: vec![(words.say("form-begin"), BEGIN), (words.say("form-back"), BACK)],
        focus: first.focus(),
    }
}

/// A name as a shell takes it.
fn quoted(name: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "/._-+,:@%".contains(c);
    if name.chars().all(plain) { name.to_owned() } else { format!("'{}'", name.replace('\'', r"'\''")) }
}
