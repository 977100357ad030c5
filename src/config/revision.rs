//! Which of two texts of a `store.toml` counts.

use serde::{Deserialize, Serialize};

use super::fault::Fault;
use super::store::Store;

/// A text of `store.toml` and how often it has been changed: what one machine sends to another.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Revision {
    /// Counts the changes, from 1. The higher number counts.
    pub number: u64,
    /// The whole text, comments included.
    pub text: String,
}

/// Which of two revisions counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Counts {
    /// They are the same.
    Both,
    /// Ours is the later one.
    Ours,
    /// Theirs is the later one.
    Theirs,
    /// Both were changed apart from each other, and nobody can tell which is meant: a person is to be asked.
    Neither,
}

impl Revision {
    /// Which of the two counts, seen from this one.
    #[must_use]
    pub fn counts(&self, theirs: &Self) -> Counts {
        match self.number.cmp(&theirs.number) {
            std::cmp::Ordering::Greater => Counts::Ours,
            std::cmp::Ordering::Less => Counts::Theirs,
            std::cmp::Ordering::Equal if self.text == theirs.text => Counts::Both,
            std::cmp::Ordering::Equal => Counts::Neither,
        }
    }

    /// What the text says.
    pub fn store(&self) -> Result<Store, Vec<Fault>> {
        Store::parse(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_higher_number_counts_and_two_of_one_number_must_be_the_same() {
        let revision = |number, text: &str| Revision { number, text: text.to_owned() };
        assert_eq!(revision(3, "a").counts(&revision(2, "b")), Counts::Ours);
        assert_eq!(revision(2, "a").counts(&revision(3, "a")), Counts::Theirs);
        assert_eq!(revision(2, "a").counts(&revision(2, "a")), Counts::Both);
        assert_eq!(revision(2, "a").counts(&revision(2, "a ")), Counts::Neither);
        let sent = postcard::to_stdvec(&revision(7, "store = \"Ñ\"")).unwrap();
        assert_eq!(postcard::from_bytes::<Revision>(&sent).unwrap(), revision(7, "store = \"Ñ\""));
    }
}
