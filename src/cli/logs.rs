//! The log file: one a day in the home's `log` folder, a week of them. Names of files may stand in it, contents never.

use std::path::Path;

use tracing_appender::rolling::{RollingFileAppender, Rotation};

/// Days that are kept.
const DAYS: usize = 7;

/// Begins to log into `home`. A log that cannot be written is no reason not to run.
pub fn begin(home: &Path) {
    let folder = home.join("log");
    if std::fs::create_dir_all(&folder).is_err() {
        return;
    }
    let appender = RollingFileAppender::builder()
        .rotation(Rotation::DAILY)
        .filename_prefix("espejo")
        .filename_suffix("log")
        .max_log_files(DAYS)
        .build(folder);
    let Ok(appender) = appender else { return };
    let subscriber = tracing_subscriber::fmt().with_writer(std::sync::Mutex::new(appender)).with_ansi(false).finish();
    // It fails only where a log has begun already.
    let _ = tracing::subscriber::set_global_default(subscriber);
}
