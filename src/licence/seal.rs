//! The ledger as it is kept, twice: a seal in the first line, the ledger in the rest.
//!
//! The seal proves that the text is whole and of this machine. It hides nothing and keeps nobody from forging who may write
//! to the disk and knows how; it makes what happens by accident, or by a removed file, noticed.

use jiff::Timestamp;

use super::ledger::{Ledger, Noted};

/// One copy, as it was found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Copy {
    /// There is no such file.
    Gone,
    /// It is not as it was written, or was written by another machine.
    Damaged,
    /// It is whole.
    Whole(Box<Ledger>),
}

/// The text of a copy.
#[must_use]
pub fn write(ledger: &Ledger, machine: &str) -> String {
    let json = serde_json::to_string(ledger).unwrap_or_default();
    format!("{}\n{json}\n", seal(&json, machine))
}

/// Reads a copy; none: there is no such file.
#[must_use]
pub fn read(bytes: Option<&[u8]>, machine: &str) -> Copy {
    let Some(bytes) = bytes else { return Copy::Gone };
    let whole = || {
        let (said, json) = std::str::from_utf8(bytes).ok()?.strip_suffix('\n')?.split_once('\n')?;
        (said == seal(json, machine)).then(|| serde_json::from_str(json).ok()).flatten()
    };
    whole().map_or(Copy::Damaged, Copy::Whole)
}

/// The ledger of two copies, the one that has come further. A copy that is missing is remarked; where there is none at all
/// the ledger is new only if the machine `has_served` never.
#[must_use]
pub fn join(copies: [Copy; 2], has_served: bool, now: Timestamp) -> Ledger {
    match copies {
        [Copy::Whole(one), Copy::Whole(other)] => *if other.weight() > one.weight() { other } else { one },
        [Copy::Whole(mut ledger), Copy::Gone | Copy::Damaged]
        | [Copy::Gone | Copy::Damaged, Copy::Whole(mut ledger)] => {
            ledger.remark(now, Noted::CopyLost);
            *ledger
        }
        [Copy::Gone, Copy::Gone] if !has_served => Ledger::default(),
        [Copy::Gone | Copy::Damaged, Copy::Gone | Copy::Damaged] => Ledger::of_lost(now),
    }
}

fn seal(json: &str, machine: &str) -> String {
    blake3::keyed_hash(blake3::hash(machine.as_bytes()).as_bytes(), json.as_bytes()).to_hex().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::licence::moment::Moment;
    use crate::licence::terms::Grant;

    fn used(ms: u64) -> Ledger {
        let mut ledger = Ledger::default();
        let at = |up_ms| Moment { boot: "a".to_owned(), up_ms, wall: Timestamp::UNIX_EPOCH };
        ledger.begin(&Grant::built_in(10), &at(0));
        ledger.end(&at(ms));
        ledger
    }

    #[test]
    fn a_copy_with_any_byte_changed_or_of_another_machine_is_noticed() {
        let ledger = used(5000);
        let text = write(&ledger, "one").into_bytes();
        assert_eq!(read(Some(&text), "one"), Copy::Whole(Box::new(ledger)));
        assert_eq!(read(Some(&text), "other"), Copy::Damaged);
        assert_eq!(read(None, "one"), Copy::Gone);
        for at in 0..text.len() {
            let mut changed = text.clone();
            changed[at] ^= 1;
            assert_eq!(read(Some(&changed), "one"), Copy::Damaged, "{at}");
            assert_eq!(read(Some(&text[..at]), "one"), Copy::Damaged, "{at}");
        }
    }

    #[test]
    fn no_removed_or_damaged_copy_gives_days() {
        let (now, whole) = (Timestamp::UNIX_EPOCH, |ms| Copy::Whole(Box::new(used(ms))));
        let grant = Grant::built_in(10);
        let left = |copies, has_served| {
            let ledger = join(copies, has_served, now);
            grant.terms.all_ms().saturating_sub(ledger.used_ms(&grant))
        };
        let all = grant.terms.all_ms();
        for copies in [
            [whole(5000), whole(4000)],
            [whole(4000), whole(5000)],
            [whole(5000), Copy::Gone],
            [Copy::Gone, whole(5000)],
            [Copy::Damaged, whole(5000)],
        ] {
            assert_eq!(left(copies.clone(), true), all - 5000, "{copies:?}");
        }
        for copies in [[Copy::Damaged, Copy::Damaged], [Copy::Gone, Copy::Damaged]] {
            assert_eq!(left(copies.clone(), false), 0, "{copies:?}");
        }
        assert_eq!(left([Copy::Gone, Copy::Gone], true), 0);
        assert_eq!(left([Copy::Gone, Copy::Gone], false), all, "a machine that has never served has used nothing");
    }
}
