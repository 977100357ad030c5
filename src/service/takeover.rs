//! Could the copy take over now? Every reason against it.

use super::status::{Alarm, Reason, Trouble};

/// A copy that is older is not offered without a second consent, in milliseconds; where nothing else is set.
pub const MAX_AGE_MS: u64 = 10 * 60 * 1000;

/// Every reason against using the copy now.
#[must_use]
pub fn reasons(usable: bool, behind_ms: u64, max_age_ms: u64, alarms: &[Alarm]) -> Vec<Reason> {
    let reason = |check: &str, value: String, limit: &str, remedy: &str| Reason {
        check: check.to_owned(),
        value,
        limit: limit.to_owned(),
        remedy: remedy.to_owned(),
    };
    let mut reasons = vec![];
    if !usable {
        reasons.push(reason("first-copy", "none".to_owned(), "one", "wait"));
    }
    if behind_ms > max_age_ms {
        reasons.push(reason(
            "copy-age",
            format!("{} min", behind_ms / 60_000),
            &format!("{} min", max_age_ms / 60_000),
            "wait",
        ));
    }
    for alarm in alarms {
        match &alarm.trouble {
            Trouble::DiskFull { free_bytes, .. } => {
                reasons.push(reason("disk", format!("{free_bytes} bytes free"), "room", "make-room"));
            }
            Trouble::NoRoomAside { needed_bytes, free_bytes } => {
                let (free, needed) = (format!("{free_bytes} bytes free"), format!("{needed_bytes} bytes"));
                reasons.push(reason("disk", free, &needed, "make-room"));
            }
            Trouble::MirrorFails { error } => {
                reasons.push(reason("mirror-disk", error.clone(), "works", "look-at-disk"));
            }
            Trouble::DatasetStopped { dataset, why, .. } => {
                reasons.push(reason("dataset", format!("{dataset}: {why}"), "mirrored", "take-up-again"));
            }
            Trouble::RecordUnsaved { error } => {
                reasons.push(reason("disk", error.clone(), "works", "look-at-disk"));
            }
            Trouble::SourceGone { error } => {
                reasons.push(reason("source", error.clone(), "there", "bring-source-back"));
            }
            Trouble::Held { files } => reasons.push(reason("question", files.to_string(), "0", "answer")),
            Trouble::Unreadable { files, .. } => {
                reasons.push(reason("unreadable-files", files.to_string(), "0", "give-right"));
            }
            // What is said of the other machine says nothing of this copy; its age is examined above.
            Trouble::WatchLimit { .. }
            | Trouble::Unwatched { .. }
            | Trouble::Silent { .. }
            | Trouble::Unanswered { .. }
            | Trouble::CopyOld { .. }
            | Trouble::MirrorStopped { .. }
            | Trouble::Versions { .. }
            | Trouble::DiskLow { .. }
            | Trouble::ServerStray { .. }
            | Trouble::ServerDown { .. }
            | Trouble::EpochUnproven { .. }
            | Trouble::KeyTwice { .. }
            | Trouble::StoppedAlone
            | Trouble::StandsStill
            | Trouble::DevicesMissed { .. }
            | Trouble::EventsWait { .. }
            | Trouble::Doubt(_)
            | Trouble::Licence(_) => {}
        }
    }
    reasons
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_is_named_at_once() {
        let alarm =
            |trouble: Trouble| Alarm { code: trouble.code().to_owned(), trouble, since: jiff::Timestamp::UNIX_EPOCH };
        assert!(reasons(true, MAX_AGE_MS, MAX_AGE_MS, &[alarm(Trouble::WatchLimit { rescan_ms: 1 })]).is_empty());
        let alarms =
            [alarm(Trouble::Held { files: 3 }), alarm(Trouble::Unreadable { files: 1, first: "a".to_owned() })];
        let checks: Vec<String> =
            reasons(false, MAX_AGE_MS + 1, MAX_AGE_MS, &alarms).into_iter().map(|r| r.check).collect();
        assert_eq!(checks, ["first-copy", "copy-age", "question", "unreadable-files"]);
    }
}
