//! What the program prints: a file in the home's log folder, so that it goes on printing when this program is not there.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// Bytes of the file before it is moved on; as many are kept of what was before.
const MOST: u64 = 1 << 20;
/// Bytes at the end in which the last lines are looked for.
const END: u64 = 8 * 1024;
/// Characters of a line that are shown.
const WIDE: usize = 200;

/// The file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Output {
    path: PathBuf,
}

impl Output {
    /// The one in `home`.
    #[must_use]
    pub fn of(home: &Path) -> Self {
        Self { path: home.join("log").join("server.log") }
    }

    /// Opens it for the program, which writes to its end.
    pub fn open(&self) -> io::Result<File> {
        if let Some(folder) = self.path.parent() {
            fs::create_dir_all(folder)?;
        }
        File::options().create(true).append(true).open(&self.path)
    }

    /// Moves on what is in it, where that is much: the program holds it open, so that it is copied and emptied.
    pub fn roll(&self) {
        let length = fs::metadata(&self.path).map_or(0, |file| file.len());
        if length <= MOST {
            return;
        }
        let rolled = self.tail(MOST).and_then(|tail| fs::write(self.path.with_extension("log.1"), tail));
        let emptied = File::options().write(true).open(&self.path).and_then(|file| file.set_len(0));
        if let Err(error) = rolled.and(emptied) {
            tracing::warn!(%error, "what the POS server prints could not be moved on");
        }
    }

    /// The last lines in it, at most `lines`, as people may read them.
    #[must_use]
    pub fn last(&self, lines: usize) -> Vec<String> {
        let text = self.tail(END).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let all: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
        let readable = |line: &&str| line.chars().filter(|c| !c.is_control()).take(WIDE).collect();
        all[all.len().saturating_sub(lines)..].iter().map(readable).collect()
    }

    fn tail(&self, bytes: u64) -> io::Result<Vec<u8>> {
        let mut file = File::open(&self.path)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(bytes)))?;
        let mut tail = vec![];
        file.take(bytes).read_to_end(&mut tail)?;
        Ok(tail)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn the_file_is_bounded_and_who_writes_goes_on() {
        let home = tempfile::tempdir().unwrap();
        let output = Output::of(home.path());
        assert!(output.last(3).is_empty());
        let mut program = output.open().unwrap();
        program.write_all(b"first\n").unwrap();
        output.roll();
        assert_eq!(output.last(3), ["first"]);
        let line = [vec![b'x'; 999], vec![b'\n']].concat();
        for _ in 0..5000 {
            program.write_all(&line).unwrap();
        }
        output.roll();
        let length = |name: &str| fs::metadata(home.path().join("log").join(name)).unwrap().len();
        assert_eq!((length("server.log"), length("server.log.1")), (0, MOST));
        program.write_all(b"one\n\x1b[31mtwo\n\nthree\n").unwrap();
        assert_eq!(output.last(2), ["[31mtwo", "three"]);
        assert_eq!(length("server.log"), 4 + 9 + 1 + 6, "at its end, which is where it begins now");
    }
}
