//! Who clears the practice shop away when its own process is killed and cannot: a process that waits for that and for nothing else.

use std::fs;
use std::io::{self, Read};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use super::program::end_all;

/// The word by which the program is told to be that process.
pub const VERB: &str = "demo-caretaker";

/// The process that waits. It is not needed any more when this is dropped.
#[derive(Debug)]
pub(super) struct Caretaker(Child);

impl Caretaker {
    /// One for the shop in `folder`, which goes with the shop if `goes`.
    pub(super) fn begin(folder: &Path, goes: bool) -> io::Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg(VERB).arg(folder).args(goes.then_some("--goes"));
        // Whatever ends the shop's process by its terminal or its group must not end this one, too.
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
        command.spawn().map(Self)
    }
}

impl Drop for Caretaker {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Waits until nothing can be read from `input` any more: whoever holds the other end is gone, and had no time to clear away.
pub fn wait(mut input: impl Read, folder: &Path, goes: bool) -> io::Result<()> {
    io::copy(&mut input.by_ref(), &mut io::sink())?;
    end_all(folder);
    if goes { fs::remove_dir_all(folder) } else { Ok(()) }
}
