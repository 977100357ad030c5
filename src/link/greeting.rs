//! The first sentence of each side on a connection, once both have proven who they are.

use serde::{Deserialize, Serialize};

use super::frame::{OLDEST, PROTOCOL};

/// What the machine that made the connection says first.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Greeting {
    /// The version of what will be said; see [`PROTOCOL`].
    pub protocol: u32,
    /// The oldest one that would do, too. Protocol 3 does not say it, and speaks no other.
    #[serde(default)]
    pub oldest: Option<u32>,
    /// The version of the program, for people.
    pub version: String,
    /// What the connection is for.
    pub purpose: Purpose,
}

impl Greeting {
    /// The version that both sides speak, if there is one: the highest.
    #[must_use]
    pub fn spoken(&self) -> Option<u32> {
        let lowest = OLDEST.max(self.oldest.unwrap_or(self.protocol));
        Some(PROTOCOL.min(self.protocol)).filter(|highest| *highest >= lowest)
    }
}

/// What a connection is for.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "for")]
pub enum Purpose {
    /// To join, by code.
    Join,
    /// What the two services have to say to each other.
    Control {
        /// A number by which the machine that called knows this session again.
        session: u64,
    },
    /// A POS terminal tells what it sees, and hears who serves.
    Terminal {
        /// Which start of its agent this is.
        run: u64,
    },
    /// The copy of one dataset.
    Dataset {
        /// The session that it belongs to.
        session: u64,
        /// The dataset.
        name: String,
    },
}

/// What the machine that was called answers.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "answer")]
pub enum Answer {
    /// Go on.
    Welcome {
        /// The version of its program.
        version: String,
        /// The version of what will be said. Protocol 3 does not say it: it is what it was greeted with.
        #[serde(default)]
        protocol: Option<u32>,
    },
    /// Not so.
    Refused {
        /// Why not.
        why: Refusal,
        /// The version of its program.
        version: String,
        /// The version of what it would say. Protocol 3 does not say it.
        #[serde(default)]
        protocol: Option<u32>,
    },
}

/// Why a connection is not taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Refusal {
    /// The two speak different versions.
    Protocol,
    /// It is another machine than the one that was joined.
    Stranger,
    /// Nobody may join now: no code is open.
    NoCode,
    /// There is no such dataset here, or no such session.
    NoPlace,
    /// A machine with the same key is there already, and lives.
    Twin,
    /// Something that this version does not know.
    #[serde(other)]
    Other,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_highest_version_that_both_know_is_spoken() {
        let greeting =
            |protocol, oldest| Greeting { protocol, oldest, version: String::new(), purpose: Purpose::Join }.spoken();
        assert_eq!(greeting(PROTOCOL, Some(OLDEST)), Some(PROTOCOL));
        assert_eq!(greeting(OLDEST, None), Some(OLDEST), "an older machine");
        assert_eq!(greeting(PROTOCOL + 1, Some(PROTOCOL)), Some(PROTOCOL), "a later one");
        assert_eq!(greeting(PROTOCOL + 1, None), None);
        assert_eq!(greeting(PROTOCOL + 2, Some(PROTOCOL + 1)), None, "two versions apart");
        assert_eq!(greeting(OLDEST - 1, None), None, "two versions apart");
    }

    #[test]
    fn what_the_version_before_says_is_understood() {
        let said = r#"{"protocol":4,"oldest":3,"version":"0.1.0","purpose":{"for":"control","session":7}}"#;
        assert_eq!(serde_json::from_str::<Greeting>(said).unwrap().spoken(), Some(4));
        let said = r#"{"answer":"welcome","version":"0.1.0"}"#;
        assert!(matches!(serde_json::from_str(said).unwrap(), Answer::Welcome { protocol: None, .. }));
        let said = r#"{"answer":"refused","why":"protocol","version":"0.1.0"}"#;
        let Answer::Refused { why, protocol, .. } = serde_json::from_str(said).unwrap() else { panic!("{said}") };
        assert_eq!((why, protocol), (Refusal::Protocol, None));
    }
}
