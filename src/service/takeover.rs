//! Could the copy take over now? Every reason against it.

use super::status::{Alarm, Reason, TakeOver, Trouble};

/// A copy that is older is not offered without a second consent, in milliseconds; where nothing else is set.
pub const MAX_AGE_MS: u64 = 10 * 60 * 1000;

/// What is mirrored by its dump and has none (`is_missing`), or an old one, of this age where that is the limit, is no copy to go on with.
pub fn without_dump(answer: &mut TakeOver, is_missing: bool, old: Option<(u64, u64)>) {
    let mut add = |check: &str, value: String, limit: String| {
        answer.yes = false;
        if !answer.reasons.iter().any(|reason| reason.check == check) {
            let [check, remedy] = [check, "wait"].map(str::to_owned);
            answer.reasons.push(Reason { check, value, limit, remedy });
        }
    };
    if is_missing {
        add("first-copy", "none".to_owned(), "one".to_owned());
    }
    if let Some((age, limit)) = old {
        add("copy-age", format!("{} min", age / 60_000), format!("{} min", limit / 60_000));
    }
}

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
    fn a_database_that_was_not_dumped_or_long_ago_is_nothing_to_go_on_with() {
        let yes = || TakeOver { yes: true, since: jiff::Timestamp::UNIX_EPOCH, reasons: vec![] };
        let told = |is_missing, old| {
            let mut answer = yes();
            without_dump(&mut answer, is_missing, old);
            (answer.yes, answer.reasons.into_iter().map(|reason| (reason.check, reason.value)).collect::<Vec<_>>())
        };
        let reason = |check: &str, value: &str| (check.to_owned(), value.to_owned());
        assert_eq!(told(false, None), (true, vec![]));
        assert_eq!(told(true, None), (false, vec![reason("first-copy", "none")]));
        assert_eq!(told(false, Some((3_600_000, 600_000))), (false, vec![reason("copy-age", "60 min")]));
    }

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
