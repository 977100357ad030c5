//! The word that was probably meant.

/// The one of `known` that is written most nearly as `word`, if one is near enough to be meant.
pub(super) fn nearest<'k>(word: &str, known: impl Iterator<Item = &'k str>) -> Option<&'k str> {
    // A letter in three may be wrong, and in short words one.
    let most = (word.chars().count() / 3).max(1);
    let far = |other: &str| strsim::damerau_levenshtein(&word.to_lowercase(), &other.to_lowercase());
    known.map(|other| (far(other), other)).filter(|(far, _)| *far <= most).min().map(|(_, other)| other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_seen_and_another_word_is_not() {
        let known = || ["interval", "rescan", "max_age", "history", "to"].into_iter();
        assert_eq!(nearest("intervall", known()), Some("interval"));
        assert_eq!(nearest("max-age", known()), Some("max_age"));
        assert_eq!(nearest("Rescan", known()), Some("rescan"));
        assert_eq!(nearest("colour", known()), None);
        assert_eq!(nearest("x", known()), None);
    }
}
