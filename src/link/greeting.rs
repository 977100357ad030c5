//! The first sentence of each side on a connection, once both have proven who they are.

use serde::{Deserialize, Serialize};

/// What the machine that made the connection says first.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Greeting {
    /// The version of what will be said; see [`super::frame::PROTOCOL`].
    pub protocol: u32,
    /// The version of the program, for people.
    pub version: String,
    /// What the connection is for.
    pub purpose: Purpose,
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
    },
    /// Not so.
    Refused {
        /// Why not.
        why: Refusal,
        /// The version of its program.
        version: String,
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
    /// Something that this version does not know.
    #[serde(other)]
    Other,
}
