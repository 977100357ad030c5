//! The backup licence: how many days there are, and how many are left while they run.

use super::Seen;
use super::copying::permille;
use super::machines::backup_name;
use crate::pair::Node;
use crate::service::Status;
use crate::service::status::LicenceState;
use crate::tui::theme::Tone;
use crate::words::{figures, licence};

/// What the bar shows when it is full, where nothing says how many days there were.
const USUAL_MS: u64 = 10 * 24 * 60 * 60 * 1000;

/// The backup licence.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LicenceView {
    /// The name of the line.
    pub label: String,
    /// How it stands.
    pub says: String,
    /// How well.
    pub tone: Tone,
    /// What is left of it in thousandths, and until when, while it runs.
    pub left: Option<(u16, String)>,
    /// It is not as it is on ordinary days: other lines give way first.
    pub matters: bool,
}

/// The licence of the backup; none where there is no store, or where nobody knows.
#[must_use]
pub fn licence(seen: &Seen<'_>, status: &Status) -> Option<LicenceView> {
    let words = seen.words;
    let name = ("name", backup_name(status)?.to_owned().into());
    let of = &status.licence;
    // Of a backup that was never heard the main knows nothing.
    if status.node == Node::Main && of.state == LicenceState::Missing {
        return None;
    }
    // It has run on since that was said.
    let since = seen.now.timestamp().duration_since(status.at).as_millis();
    let left_ms = match of.state {
        LicenceState::Running => of.remaining_ms.saturating_sub(u64::try_from(since).unwrap_or(0)),
        _ => of.remaining_ms,
    };
    let until = of.ends_at.map(|end| {
        let end = figures::date(words, end, seen.now.time_zone());
        words.with("licence-until", &[("end", end.into())])
    });
    let days = ("days", licence::days(words, left_ms).into());
    let left = ("left", figures::countdown(words, left_ms).into());
    let (says, tone) = match of.state {
        LicenceState::Missing => (words.with("licence-is-missing", &[name]), Tone::Warn),
        LicenceState::Ready => (words.with("licence-is-ready", &[days, name]), Tone::Plain),
        LicenceState::Running => (words.with("licence-is-running", &[left]), Tone::Strong),
        LicenceState::Expired if of.ends_at.is_some() => (words.say("licence-is-over"), Tone::Alarm),
        LicenceState::Expired => (words.say("licence-is-used"), Tone::Warn),
    };
    let whole = of.whole_ms.unwrap_or(USUAL_MS);
    let left = until.filter(|_| of.state == LicenceState::Running).map(|until| (permille(left_ms, whole), until));
    let matters = matches!(of.state, LicenceState::Running) || of.ends_at.is_some();
    Some(LicenceView { label: words.say("label-licence"), says, tone, left, matters })
}
