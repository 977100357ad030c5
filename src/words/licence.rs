//! The backup licence in words: what is wrong with it, why one does not hold, how many days there are.

use super::told::Told;
use super::{FluentValue, Words, figures};
use crate::licence::TokenError;
use crate::licence::ledger::Noted;
use crate::service::event::LicenceNews;
use crate::service::status::LicenceTrouble;

/// What is wrong with it, and what to do.
#[must_use]
pub fn trouble(words: &Words, trouble: &LicenceTrouble) -> Told {
    let told = |what: &str, todo: &str| Told { what: words.say(what), todo: words.say(todo) };
    match trouble {
        LicenceTrouble::Over { vendor: true } => told("licence-over", "licence-over-do-vendor"),
        LicenceTrouble::Over { vendor: false } => told("licence-over", "licence-over-do"),
        LicenceTrouble::Ends { left_ms } => {
            let left = [("left", figures::countdown(words, *left_ms).into())];
            Told { what: words.with("licence-ends", &left), todo: words.say("licence-ends-do") }
        }
        LicenceTrouble::Stops { left_ms, stop_ms } => {
            let (left, stop) = (figures::countdown(words, *left_ms), figures::countdown(words, *stop_ms));
            let what = words.with("licence-stops", &[("left", left.into()), ("stop", stop.into())]);
            Told { what, todo: words.say("licence-over-do-vendor") }
        }
        LicenceTrouble::OverStops { stop_ms } => {
            let stop = [("stop", figures::countdown(words, *stop_ms).into())];
            Told { what: words.with("licence-over-stops", &stop), todo: words.say("licence-over-do-vendor") }
        }
        LicenceTrouble::Stopped => told("licence-stopped", "licence-stopped-do"),
        LicenceTrouble::Used { vendor: true } => told("licence-used", "licence-used-do-vendor"),
        LicenceTrouble::Used { vendor: false } => told("licence-used", "licence-used-do"),
        LicenceTrouble::Missing => told("licence-missing", "licence-missing-do"),
        LicenceTrouble::Unfit => told("licence-unfit", "licence-unfit-do"),
        LicenceTrouble::LedgerLost => told("licence-ledger-lost", "licence-ledger-lost-do"),
    }
}

/// That it is over.
#[must_use]
pub fn mended(words: &Words, trouble: &LicenceTrouble) -> String {
    words.say(match trouble {
        LicenceTrouble::Over { .. }
        | LicenceTrouble::OverStops { .. }
        | LicenceTrouble::Stopped
        | LicenceTrouble::Used { .. } => "licence-mended-over",
        LicenceTrouble::Ends { .. } | LicenceTrouble::Stops { .. } => "licence-mended-ends",
        LicenceTrouble::Missing | LicenceTrouble::Unfit => "licence-mended-missing",
        LicenceTrouble::LedgerLost => "licence-mended-ledger",
    })
}

/// What has happened to it.
#[must_use]
pub fn event(words: &Words, news: &LicenceNews) -> String {
    match news {
        LicenceNews::Began => words.say("licence-event-began"),
        LicenceNews::Ended => words.say("licence-event-ended"),
        LicenceNews::Stopped => words.say("licence-event-stopped"),
        LicenceNews::Left { left_ms: 0 } => words.say("licence-over"),
        LicenceNews::Left { left_ms } => words.with("licence-event-left", &[("left", days(words, *left_ms).into())]),
        LicenceNews::ClockSet { by_ms } => clock_set(words, *by_ms),
    }
}

fn clock_set(words: &Words, by_ms: i64) -> String {
    let by = [("by", figures::span(words, by_ms.unsigned_abs()).into())];
    words.with(if by_ms < 0 { "licence-clock-back" } else { "licence-clock-forward" }, &by)
}

/// What the ledger remarks.
#[must_use]
pub fn noted(words: &Words, noted: &Noted) -> String {
    match noted {
        Noted::ClockSet { by_ms } => clock_set(words, *by_ms),
        Noted::Estimated { ms } => words.with("licence-noted-estimated", &[("ms", figures::span(words, *ms).into())]),
        Noted::CopyLost => words.say("licence-noted-copy"),
        Noted::Lost => words.say("licence-ledger-lost"),
    }
}

/// Why a licence does not hold here, and what to do; a sentence.
#[must_use]
pub fn refused(words: &Words, why: &TokenError) -> String {
    let both = |key: &str, theirs: &str, ours: &str| {
        let args: [(&str, FluentValue<'_>); 2] =
            [("theirs", theirs.to_owned().into()), ("ours", ours.to_owned().into())];
        words.with(key, &args)
    };
    match why {
        TokenError::NoLicence => words.say("licence-no-licence"),
        TokenError::Damaged => words.say("licence-damaged"),
        TokenError::OtherVendor { theirs, ours } => both("licence-other-vendor", theirs, ours),
        TokenError::OtherStore { theirs, ours } => both("licence-other-store", theirs, ours),
        TokenError::OtherMachine { theirs, ours } => both("licence-other-machine", theirs, ours),
        TokenError::OtherOption { option } => words.with("licence-other-option", &[("option", option.clone().into())]),
        TokenError::BadTerms => words.say("licence-bad-terms"),
    }
}

/// An amount that may be whole days: "10 days", else "8 days 16 h".
#[must_use]
pub fn days(words: &Words, ms: u64) -> String {
    let day = crate::licence::terms::DAY_MS;
    if ms >= day && ms.is_multiple_of(day) {
        words.with("licence-days", &[("n", (ms / day).into())])
    } else {
        figures::countdown(words, ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_has_its_words() {
        let words = Words::load(Some("en"));
        let whole = |said: String| assert!(said.contains(' ') && !said.contains(['{', '}']), "{said}");
        for wrong in [
            LicenceTrouble::Over { vendor: true },
            LicenceTrouble::Over { vendor: false },
            LicenceTrouble::Ends { left_ms: 5000 },
            LicenceTrouble::Stops { left_ms: 5000, stop_ms: 86_405_000 },
            LicenceTrouble::OverStops { stop_ms: 5000 },
            LicenceTrouble::Stopped,
            LicenceTrouble::Used { vendor: true },
            LicenceTrouble::Used { vendor: false },
            LicenceTrouble::Missing,
            LicenceTrouble::Unfit,
            LicenceTrouble::LedgerLost,
        ] {
            let told = trouble(&words, &wrong);
            [told.what, told.todo, mended(&words, &wrong)].into_iter().for_each(whole);
        }
        let news = [LicenceNews::Began, LicenceNews::Ended, LicenceNews::Stopped, LicenceNews::Left { left_ms: 0 }];
        let more = [LicenceNews::Left { left_ms: 43_200_000 }, LicenceNews::ClockSet { by_ms: -90_000 }];
        news.iter().chain(&more).map(|news| event(&words, news)).for_each(whole);
        let notes = [Noted::ClockSet { by_ms: 90_000 }, Noted::Estimated { ms: 7 }, Noted::CopyLost, Noted::Lost];
        notes.iter().map(|what| noted(&words, what)).for_each(whole);
        let text = || "x".to_owned();
        for why in [
            TokenError::NoLicence,
            TokenError::Damaged,
            TokenError::OtherVendor { theirs: text(), ours: text() },
            TokenError::OtherStore { theirs: text(), ours: text() },
            TokenError::OtherMachine { theirs: text(), ours: text() },
            TokenError::OtherOption { option: text() },
            TokenError::BadTerms,
        ] {
            whole(refused(&words, &why));
        }
        assert_eq!(days(&words, 864_000_000), "10 days");
        assert_eq!(days(&words, 86_400_000), "1 day");
        assert_eq!(days(&words, 748_800_000), "8 days 16 h");
    }
}
