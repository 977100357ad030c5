//! Why the two machines do not talk, and what to do about it.

use super::Words;
use super::told::Told;
use crate::service::status::{Older, Unmet};

/// Why the two machines do not talk, and what to do; a sentence each.
#[must_use]
pub fn unmet(words: &Words, why: &Unmet) -> Told {
    let told = |what, todo, args: &[(&str, &str)]| {
        let args: Vec<_> = args.iter().map(|(name, value)| (*name, (*value).into())).collect();
        Told { what: words.with(what, &args), todo: words.with(todo, &args) }
    };
    match why {
        Unmet::NobodyJoined => told("unmet-nobody-joined", "unmet-nobody-joined-do", &[]),
        Unmet::NoAddress { address } => told("unmet-no-address", "unmet-no-address-do", &[("address", address)]),
        Unmet::NoService { address } => told("unmet-no-service", "unmet-no-service-do", &[("address", address)]),
        Unmet::NoAnswer { address } => told("unmet-no-answer", "trouble-silent-do", &[("address", address)]),
        Unmet::Broken { address, error } => {
            told("unmet-broken", "unmet-broken-do", &[("address", address), ("error", error)])
        }
        Unmet::OtherMachine { address } => {
            told("unmet-other-machine", "unmet-other-machine-do", &[("address", address)])
        }
        Unmet::Twin { address } => told("unmet-twin", "unmet-twin-do", &[("address", address)]),
        Unmet::TurnedAway { address } => told("unmet-turned-away", "unmet-turned-away-do", &[("address", address)]),
        Unmet::Versions { ours, theirs, older } => {
            let todo = match older {
                Some(Older::This) => "unmet-versions-this-do",
                Some(Older::Other) => "unmet-versions-other-do",
                None => "unmet-versions-do",
            };
            told("trouble-versions", todo, &[("ours", ours), ("theirs", theirs)])
        }
        Unmet::NoCode => told("unmet-no-code", "unmet-no-code-do", &[]),
        Unmet::NoPlace => told("unmet-no-place", "unmet-no-place-do", &[]),
        Unmet::Other => told("unmet-other", "unmet-versions-do", &[]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_has_its_words() {
        let words = Words::load(Some("en"));
        let address = || "SERVIDOR:7410".to_owned();
        let versions = |older| Unmet::Versions { ours: "0.1.0".to_owned(), theirs: "0.2.0".to_owned(), older };
        let all = [
            Unmet::NobodyJoined,
            Unmet::NoAddress { address: address() },
            Unmet::NoService { address: address() },
            Unmet::NoAnswer { address: address() },
            Unmet::Broken { address: address(), error: "Connection reset by peer".to_owned() },
            Unmet::OtherMachine { address: address() },
            Unmet::TurnedAway { address: address() },
            Unmet::Twin { address: address() },
            versions(None),
            versions(Some(Older::This)),
            versions(Some(Older::Other)),
            Unmet::NoCode,
            Unmet::NoPlace,
            Unmet::Other,
        ];
        for told in all.iter().map(|why| unmet(&words, why)) {
            for sentence in [&told.what, &told.todo] {
                assert!(sentence.contains(' ') && !sentence.contains(['{', '}']), "{told:?}");
            }
        }
    }
}
