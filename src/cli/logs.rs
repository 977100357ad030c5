//! The log file: one a day in the home's `log` folder, a week of them. Names of files may stand in it, contents never.
//!
//! However much happens, it fills no disk: what one day may log is bounded, and the last half of that is left to warnings.

use std::io::{self, Write};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use tracing::{Level, Metadata};
use tracing_appender::rolling::{RollingFileAppender, Rotation};
use tracing_subscriber::fmt::MakeWriter;

/// Days that are kept.
const DAYS: usize = 7;

/// So many bytes of a day are for all that happens, and so many more for warnings and errors alone.
const HALF: u64 = 32 << 20;

/// The line that parts the halves.
const HALF_FULL: &[u8] = b"--- half full: from here on warnings and errors only\n";

/// What stands before and behind the date in the names of the files.
const NAME: (&str, &str) = ("espejo", "log");

/// Begins to log into `home`. A log that cannot be written is no reason not to run.
pub fn begin(home: &Path) {
    if let Some(log) = Log::begin(&home.join("log"), HALF) {
        let subscriber = tracing_subscriber::fmt().with_writer(log).with_ansi(false).finish();
        // It fails only where a log has begun already.
        let _ = tracing::subscriber::set_global_default(subscriber);
    }
}

/// The files of a folder, in which a day has only so much room.
struct Log {
    half: u64,
    today: Mutex<Today>,
}

struct Today {
    files: RollingFileAppender,
    /// The day of the file that is written, as its name has it.
    date: Date,
    written: u64,
}

impl Log {
    fn begin(folder: &Path, half: u64) -> Option<Self> {
        std::fs::create_dir_all(folder).ok()?;
        let files = RollingFileAppender::builder()
            .rotation(Rotation::DAILY)
            .filename_prefix(NAME.0)
            .filename_suffix(NAME.1)
            .max_log_files(DAYS)
            .build(folder)
            .ok()?;
        let date = today();
        let file = folder.join(format!("{}.{date}.{}", NAME.0, NAME.1));
        let written = std::fs::metadata(file).map_or(0, |file| file.len());
        Some(Self { half, today: Mutex::new(Today { files, date, written }) })
    }

    /// The file of today, and what it has.
    fn today(&self) -> MutexGuard<'_, Today> {
        let mut held = self.today.lock().unwrap_or_else(PoisonError::into_inner);
        let date = today();
        if held.date != date {
            (held.date, held.written) = (date, 0);
        }
        held
    }
}

/// The files change their names by the days of the world's clock.
fn today() -> Date {
    Timestamp::now().to_zoned(TimeZone::UTC).date()
}

/// One line; none where there is no room for it.
struct Line<'a>(Option<&'a Log>);

impl<'a> MakeWriter<'a> for Log {
    type Writer = Line<'a>;

    fn make_writer(&'a self) -> Line<'a> {
        Line(Some(self))
    }

    fn make_writer_for(&'a self, meta: &Metadata<'_>) -> Line<'a> {
        let room = if *meta.level() <= Level::WARN { self.half * 2 } else { self.half };
        Line((self.today().written < room).then_some(self))
    }
}

impl Write for Line<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let Some(log) = self.0 else { return Ok(bytes.len()) };
        let mut today = log.today();
        let before = today.written;
        today.files.write_all(bytes)?;
        today.written += bytes.len() as u64;
        if before < log.half && today.written >= log.half {
            today.files.write_all(HALF_FULL)?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.map_or(Ok(()), |log| log.today().files.flush())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_has_only_so_much_room_and_half_of_it_is_for_warnings() {
        let folder = tempfile::tempdir().unwrap();
        let text = || {
            let file = std::fs::read_dir(folder.path()).unwrap().next().unwrap().unwrap();
            std::fs::read_to_string(file.path()).unwrap()
        };
        let logs = |work: &dyn Fn()| {
            let log = Log::begin(folder.path(), 10_000).unwrap();
            let subscriber = tracing_subscriber::fmt().with_writer(log).with_ansi(false).finish();
            tracing::subscriber::with_default(subscriber, work);
        };
        logs(&|| (0..1000).for_each(|number| tracing::info!(number, "a file was copied")));
        let half = text();
        assert!((10_000..10_300).contains(&half.len()), "{}", half.len());
        assert!(half.as_bytes().ends_with(HALF_FULL), "{half}");
        // A service that is begun anew goes on in the same file.
        logs(&|| {
            tracing::info!("another was copied");
            (0..1000).for_each(|number| tracing::warn!(number, "the disk fails"));
        });
        let full = text();
        assert!((20_000..20_300).contains(&full.len()), "{}", full.len());
        assert!(!full.contains("another was copied") && full.contains("the disk fails") && full.starts_with(&half));
    }
}
