//! Every sentence that a person reads, by its key. Fluent knows the plurals of the languages.
//!
//! May name: `service::{status, event, finding, refusal}`, `replica`'s grades, `config`'s faults and `licence`'s (data only). Knows nothing of terminals or colours: the
//! command line says the same words as the screen.
//!
//! - [`answer`]: could the copy take over now, in one sentence
//! - [`told`]: typed values as sentences
//! - [`faults`]: what is wrong in `store.toml` and `f_s.doc`
//! - [`finding`]: what an examination of a machine found
//! - [`grade`](mod@grade): how sure a generation is
//! - [`licence`]: the backup licence
//! - [`doubt`](mod@doubt): why a copy may be worth less than it looks
//! - [`against`]: what stands against taking over
//! - [`refusal`]: why something is not done
//! - [`short`]: the same in the few words that stand beside a key
//! - [`served`]: what is wrong with the POS server program
//! - [`noted`]: what is only for the diary
//! - [`numbers`]: numbers that must never be given twice
//! - [`operation`]: operations, and how they ended
//! - [`plan`]: plans of changes of server
//! - [`unmet`]: why the two machines do not talk
//! - [`figures`]: bytes, spans of time and clock times as people read them
//! - `en.ftl`: English

pub mod against;
pub mod answer;
pub mod doubt;
pub mod faults;
pub mod figures;
pub mod finding;
pub mod grade;
pub mod licence;
pub mod noted;
pub mod numbers;
pub mod operation;
pub mod plan;
pub mod refusal;
pub mod served;
pub mod short;
pub mod told;
pub mod unmet;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource};
use unic_langid::LanguageIdentifier;

/// What a sentence is filled in with: numbers choose the plural, strings stand as they are.
pub use fluent_bundle::FluentValue;

/// The languages there are: the first is the one that stands in for all others.
const LANGUAGES: [(&str, &str); 1] = [("en", include_str!("en.ftl"))];

/// The sentences of one language.
pub struct Words {
    bundle: FluentBundle<FluentResource>,
}

impl Words {
    /// The sentences of `lang` (`en`, `pt-BR`, `de_DE.UTF-8`, …), of the environment's language when it is none, of English
    /// when there are none in it.
    #[must_use]
    pub fn load(lang: Option<&str>) -> Self {
        let wanted = lang.map(str::to_owned).or_else(sys_locale::get_locale).unwrap_or_default().to_lowercase();
        let (tag, text) =
            LANGUAGES.into_iter().find(|(tag, _)| wanted.starts_with(&tag.to_lowercase())).unwrap_or(LANGUAGES[0]);
        Self::of(tag, text.to_owned())
    }

    /// The sentences of a file's text.
    pub(crate) fn of(tag: &str, text: String) -> Self {
        let locale: LanguageIdentifier = tag.parse().unwrap_or_default();
        let mut bundle = FluentBundle::new_concurrent(vec![locale]);
        // Marks around what is filled in would be cells on a terminal.
        bundle.set_use_isolating(false);
        // A line of the file that is broken is left out, and its key shows itself on the screen: no reason to end here.
        let resource = FluentResource::try_new(text).unwrap_or_else(|(good, _)| good);
        bundle.add_resource_overriding(resource);
        Self { bundle }
    }

    /// The sentence of `key`. A key that is not there stands for itself in braces, so that it is seen and nothing ends.
    #[must_use]
    pub fn say(&self, key: &str) -> String {
        self.with(key, &[])
    }

    /// Whether `key` has a sentence.
    #[must_use]
    pub fn has(&self, key: &str) -> bool {
        self.bundle.has_message(key)
    }

    /// The sentence of `key`, filled in with `args`.
    #[must_use]
    pub fn with(&self, key: &str, args: &[(&str, FluentValue<'_>)]) -> String {
        let Some(pattern) = self.bundle.get_message(key).and_then(|message| message.value()) else {
            return format!("{{{key}}}");
        };
        let args: FluentArgs<'_> = args.iter().map(|(name, value)| (*name, value.clone())).collect();
        self.bundle.format_pattern(pattern, Some(&args), &mut Vec::new()).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::Path;

    use super::*;

    fn keys_of(text: &str) -> BTreeSet<String> {
        let key = |line: &str| {
            let key = line.split(" =").next().filter(|key| *key != line)?;
            let is_key = key.starts_with(|c: char| c.is_ascii_lowercase())
                && key.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_');
            is_key.then(|| key.to_owned())
        };
        text.lines().filter_map(key).collect()
    }

    fn sources(folder: &Path, into: &mut String) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                sources(&path, into);
            } else if path.extension().is_some_and(|end| end == "rs") {
                // What only tests say keeps no sentence alive.
                let text = fs::read_to_string(&path).unwrap();
                into.push_str(text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default());
            }
        }
    }

    fn all_sources() -> String {
        let mut text = String::new();
        sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut text);
        text
    }

    #[test]
    fn every_key_that_is_said_has_a_sentence() {
        let (keys, text) = (keys_of(LANGUAGES[0].1), all_sources());
        for call in [".say(", ".with("] {
            for after in text.split(call).skip(1) {
                let Some(key) = after.trim_start().strip_prefix('"').and_then(|rest| rest.split('"').next()) else {
                    continue;
                };
                assert!(keys.contains(key), "en.ftl has no sentence for {key}");
            }
        }
    }

    #[test]
    fn every_sentence_is_said_somewhere() {
        let text = all_sources();
        // Help is said by the names of verbs and arguments; `cli::args` looks after that.
        for key in keys_of(LANGUAGES[0].1).into_iter().filter(|key| !key.starts_with("help-")) {
            assert!(text.contains(&format!("\"{key}\"")), "nobody says {key}");
        }
    }

    #[test]
    fn english_has_no_broken_line_and_no_key_twice() {
        let text = LANGUAGES[0].1;
        assert!(FluentResource::try_new(text.to_owned()).is_ok());
        let lines = text.lines().filter(|line| line.starts_with(|c: char| c.is_ascii_lowercase())).count();
        assert_eq!(lines, keys_of(text).len());
    }

    #[test]
    fn other_languages_fall_back_to_english() {
        for lang in ["en", "en_GB.UTF-8", "fi", "", "C"] {
            assert_eq!(Words::load(Some(lang)).say("grade-exact"), "exact", "{lang}");
        }
    }

    #[test]
    fn what_has_no_sentence_shows_its_key() {
        assert_eq!(Words::load(Some("en")).say("no-such-key"), "{no-such-key}");
    }
}
