//! A program that reads a dump back. It is on record while it runs: one that a killed service left is ended before the next begins. Two
//! that write one database at once would leave what stands in no dump, and one of them might still write when the shop sells.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread::park_timeout;
use std::time::Duration;

use rustix::process::Signal;
use serde::{Deserialize, Serialize};

use super::dumping;
use crate::os;
use crate::server::record::Mark;

/// How often it is looked whether one that is to end has.
const LOOK: Duration = Duration::from_millis(10);

/// In the environment of each: its own name, so that one is found that had begun when the service was killed, and is not on record with
/// its process yet.
const VARIABLE: &str = "ESPEJO_READS_BACK";

/// One that runs, or ran when the service was killed.
#[derive(Serialize, Deserialize)]
struct Running {
    /// Its own name: what an earlier one has left running on purpose has another.
    name: String,
    /// Its process; none where it is about to begin.
    mark: Option<Mark>,
    /// In which run of the machine.
    boot: String,
}

/// Runs it to its end, or until `is_over`, when what is left of the one before has ended; on record in the file `record`.
pub fn run(command: &mut Command, record: &Path, mut is_over: impl FnMut() -> bool) -> Result<(), String> {
    if !end_left(record, &mut is_over) {
        return Err("what read it back before does not end".to_owned());
    }
    let name = name();
    keep(record, &name, None);
    let ran = dumping::run_known(command.env(VARIABLE, &name), |pid| keep(record, &name, Mark::of(pid)), is_over);
    let _ = fs::remove_file(record);
    ran
}

/// Ends what is left of one that runs by this record. Returns whether that was done before `is_over`.
pub fn end_left(record: &Path, mut is_over: impl FnMut() -> bool) -> bool {
    let Some(left) = load(record) else { return true };
    let variable = format!("{VARIABLE}={}", left.name).into_bytes();
    let begun = || Mark::of(os::leader_with(|one| one == variable)?);
    if let Some(mark) = left.mark.or_else(begun) {
        while !mark.group().is_empty() {
            os::signal_group(mark.pid, Signal::KILL);
            if is_over() {
                return false;
            }
            park_timeout(LOOK);
        }
    }
    let _ = fs::remove_file(record);
    true
}

fn load(record: &Path) -> Option<Running> {
    let left: Running = serde_json::from_slice(&fs::read(record).ok()?).ok()?;
    (left.boot == os::boot()).then_some(left)
}

/// What no other has.
fn name() -> String {
    format!("{}-{}", std::process::id(), os::ground::now().as_nanosecond())
}

fn keep(record: &Path, name: &str, mark: Option<Mark>) {
    let name = name.to_owned();
    let kept = serde_json::to_vec(&Running { name, mark, boot: os::boot() }).map_err(std::io::Error::from);
    if let Err(error) = kept.and_then(|kept| os::ground::save(record, &kept)) {
        // A shop that waits for its data is not held up by that.
        tracing::warn!(%error, record = %record.display(), "what reads a dump back cannot be kept on record");
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::CommandExt;

    use super::*;

    #[test]
    fn what_a_killed_service_left_ends_before_the_next_one_begins() {
        let place = tempfile::tempdir().unwrap();
        let record = place.path().join("record");
        let never = || false;
        for is_named in [true, false] {
            // With a child of its own, which nobody ends but with its group.
            let mut left = Command::new("sh");
            let name = name();
            left.args(["-c", "tail -f /dev/null & wait"]).env(VARIABLE, &name).process_group(0);
            let mut left = left.spawn().unwrap();
            let mark = Mark::of(i32::try_from(left.id()).unwrap()).unwrap();
            keep(&record, &name, Some(mark).filter(|_| is_named));
            std::thread::scope(|scope| {
                // Whoever waits for it: it is a child of this process here.
                scope.spawn(move || left.wait().unwrap());
                assert_eq!(run(Command::new("true").arg("next"), &record, never), Ok(()));
            });
            assert!(mark.group().is_empty() && !record.exists());
        }
        assert!(run(&mut Command::new("false"), &record, never).is_err() && !record.exists());
        // Of another run of the machine: whoever has that number now is somebody else.
        let mut other = Command::new("tail").args(["-f", "/dev/null"]).process_group(0).spawn().unwrap();
        let mark = Mark::of(i32::try_from(other.id()).unwrap()).unwrap();
        fs::write(
            &record,
            serde_json::to_vec(&Running { name: name(), mark: Some(mark), boot: "before".to_owned() }).unwrap(),
        )
        .unwrap();
        assert!(end_left(&record, never) && mark.lives());
        other.kill().unwrap();
        other.wait().unwrap();
    }
}
