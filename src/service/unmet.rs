//! Why the two machines do not talk, as far as the one that says so knows.

use std::io;

use serde::{Deserialize, Serialize};

/// Why the two machines do not talk.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "is")]
pub enum Unmet {
    /// No machine has joined this main, or the one that had is not wanted any more.
    NobodyJoined,
    /// The name leads to no address.
    NoAddress {
        /// The name and port.
        address: String,
    },
    /// The machine answers, and says that nothing listens there.
    NoService {
        /// Its address.
        address: String,
    },
    /// Nothing comes back.
    NoAnswer {
        /// Its address.
        address: String,
    },
    /// A connection was made, and broke.
    Broken {
        /// Its address.
        address: String,
        /// What the system said.
        error: String,
    },
    /// Another machine answers than the one that was joined.
    OtherMachine {
        /// Its address.
        address: String,
    },
    /// The other machine does not know this one, or does not want it any more.
    TurnedAway {
        /// Its address.
        address: String,
    },
    /// The other machine talks with one that has this machine's key: one of the two disks is a copy of the other.
    Twin {
        /// The address of the other machine.
        address: String,
    },
    /// The two speak different versions.
    Versions {
        /// The version here.
        ours: String,
        /// The version there.
        theirs: String,
        /// Which machine has the older one, where that is known.
        #[serde(default)]
        older: Option<Older>,
    },
    /// Nobody may join there now: no code is open.
    NoCode,
    /// The other machine has no such dataset, or has begun anew meanwhile.
    NoPlace,
    /// It refuses for a reason that this version does not know.
    #[serde(other)]
    Other,
}

/// Which of the two machines is to be updated.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Older {
    /// The one that says so.
    This,
    /// The other one.
    Other,
}

impl Unmet {
    /// What the system said of a connection to `address`.
    #[must_use]
    pub fn of(address: &str, error: &io::Error) -> Self {
        let address = address.to_owned();
        match error.kind() {
            io::ErrorKind::ConnectionRefused => Self::NoService { address },
            io::ErrorKind::TimedOut
            | io::ErrorKind::HostUnreachable
            | io::ErrorKind::NetworkUnreachable
            | io::ErrorKind::NetworkDown => Self::NoAnswer { address },
            _ => Self::Broken { address, error: plain(error) },
        }
    }
}

/// What the system said, without the number that helps no one.
fn plain(error: &io::Error) -> String {
    error.to_string().split(" (os error").next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_system_says_is_told_apart_and_read_by_scripts() {
        let of = |kind: io::ErrorKind| serde_json::to_value(Unmet::of("SERVIDOR:7410", &kind.into())).unwrap();
        assert_eq!(of(io::ErrorKind::ConnectionRefused)["is"], "no-service");
        assert_eq!(of(io::ErrorKind::HostUnreachable)["is"], "no-answer");
        assert_eq!(of(io::ErrorKind::TimedOut)["address"], "SERVIDOR:7410");
        let broken = serde_json::to_value(Unmet::of("x:1", &io::Error::from_raw_os_error(104))).unwrap();
        assert_eq!((&broken["is"], &broken["error"]), (&"broken".into(), &"Connection reset by peer".into()));
    }

    #[test]
    fn a_reason_of_another_version_is_still_a_reason() {
        let other: Unmet = serde_json::from_str(r#"{"is":"moon","phase":3}"#).unwrap();
        assert_eq!(other, Unmet::Other);
    }
}
