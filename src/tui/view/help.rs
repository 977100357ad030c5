//! The keys of a place, and what the words mean.

use super::{More, Seen};
use crate::replica::Grade;
use crate::tui::intent::{Intent, Scope};
use crate::tui::theme::Mark;
use crate::words::grade;

/// The help for a place.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HelpView {
    /// What this place is for.
    pub about: String,
    /// The name of the list of keys.
    pub keys_label: String,
    /// Keys, and what they do.
    pub keys: Vec<(String, String)>,
    /// The name of the list of signs; empty where there are none to explain.
    pub signs_label: String,
    /// Signs, and what they mean.
    pub signs: Vec<(Mark, String)>,
    /// The name of the list of words.
    pub words_label: String,
    /// Words, and what they mean.
    pub words: Vec<(String, String)>,
    /// The line that is to be the first on the screen, from 0.
    pub top: usize,
    /// How the rest is seen.
    pub more: More,
}

/// The help for `of`.
#[must_use]
pub fn help(seen: &Seen<'_>, of: Scope, top: usize) -> HelpView {
    let words = seen.words;
    let intents = of.intents().iter().chain(Scope::Everywhere.intents());
    let key = |intent: &Intent| {
        let keys = seen.options.keymap.keys(of, *intent);
        // Before a service is there, nobody is called.
        let keys = if *intent == Intent::Mute && matches!(of, Scope::First | Scope::Form) { vec![] } else { keys };
        (!keys.is_empty()).then(|| (keys.join("  "), words.say(intent.help_key())))
    };
    let explains = of.is_home() || of == Scope::Copy;
    let signs =
        [(Mark::Ok, "sign-ok"), (Mark::Busy, "sign-busy"), (Mark::Warn, "sign-warn"), (Mark::Alarm, "sign-alarm")];
    let grades = [Grade::Exact, Grade::Steady, Grade::Unsteady, Grade::Incomplete];
    let grades = grades.map(|one| (grade::grade(words, one), grade::meaning(words, one)));
    let behind = (words.say("word-behind"), words.say("word-behind-means"));
    HelpView {
        about: words.say(about(of)),
        keys_label: words.say("help-keys"),
        keys: intents.filter_map(key).collect(),
        signs_label: if explains { words.say("help-signs") } else { String::new() },
        signs: signs.into_iter().filter(|_| explains).map(|(mark, key)| (mark, words.say(key))).collect(),
        words_label: if explains { words.say("help-words") } else { String::new() },
        words: grades.into_iter().chain([behind]).filter(|_| explains).collect(),
        top,
        more: More::of(seen, Scope::Help),
    }
}

fn about(scope: Scope) -> &'static str {
    match scope {
        Scope::Everywhere | Scope::Mirror | Scope::Help | Scope::Demo => "about-mirror",
        Scope::Copy => "about-copy",
        Scope::History => "about-history",
        Scope::Terminals => "about-terminals",
        Scope::Alarm => "about-alarm",
        Scope::Turn => "about-turn",
        Scope::Confirm => "about-confirm",
        Scope::First => "about-first",
        Scope::Form => "about-form",
    }
}
