//! The version of the program, as it says itself: both machines should have the same one.

use std::io::{Read, Seek};
use std::time::{Duration, Instant};

use super::{Setup, ask};

/// How long the program may take to say it.
const LIMIT: Duration = Duration::from_secs(10);

/// Bytes of it that are kept.
const MOST: u64 = 200;

impl Setup {
    /// The version of the program on this machine: the first line that it prints; none where nothing asks for it, or it says none.
    #[must_use]
    pub fn version(&self) -> Option<String> {
        let mut command = self.command(self.server.version.as_ref()?);
        let mut said = tempfile::tempfile().ok()?;
        command.stdout(said.try_clone().ok()?);
        let is_well = ask::finish(&mut command, Instant::now() + LIMIT).ok()?;
        said.rewind().ok()?;
        let mut bytes = vec![];
        said.take(MOST).read_to_end(&mut bytes).ok()?;
        let text = String::from_utf8_lossy(&bytes);
        let first = text.lines().next().map(str::trim).filter(|line| is_well && !line.is_empty())?;
        Some(first.to_owned())
    }
}
