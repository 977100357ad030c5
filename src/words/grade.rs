//! How sure a generation is, in a word, and what that means.

use super::Words;
use crate::replica::Grade;

/// The word for how sure a generation is.
#[must_use]
pub fn grade(words: &Words, grade: Grade) -> String {
    words.say(match grade {
        Grade::Exact => "grade-exact",
        Grade::Steady => "grade-steady",
        Grade::Unsteady => "grade-unsteady",
        Grade::Incomplete => "grade-incomplete",
    })
}

/// What the word for a grade means.
#[must_use]
pub fn meaning(words: &Words, grade: Grade) -> String {
    words.say(match grade {
        Grade::Exact => "grade-exact-means",
        Grade::Steady => "grade-steady-means",
        Grade::Unsteady => "grade-unsteady-means",
        Grade::Incomplete => "grade-incomplete-means",
    })
}
