//! Room for what is copied to be looked at: whoever copies it removes it, and where that was killed, the next one does.

use std::fs;
use std::io;
use std::path::Path;

use tempfile::TempDir;

use crate::os::SPARE;

/// What the name of such a folder begins with; the number of its process follows.
const PREFIX: &str = "scratch-";

/// A folder of this process in `home`, with room for `bytes`.
pub fn folder(home: &Path, bytes: u64) -> io::Result<TempDir> {
    tidy(home);
    let place = tempfile::Builder::new().prefix(&format!("{PREFIX}{}-", std::process::id())).tempdir_in(home)?;
    if crate::os::room_at(fs::File::open(place.path())?)?.free < bytes.saturating_add(SPARE) {
        return Err(io::ErrorKind::StorageFull.into());
    }
    Ok(place)
}

/// The service of this home begins: it has copied nothing yet, and what is called by its number is of another one that had that.
pub fn begin(home: &Path) {
    remove(home, &|process| process == std::process::id().cast_signed() || is_gone(process));
}

/// Removes what processes have left in `home` that are gone.
fn tidy(home: &Path) {
    remove(home, &is_gone);
}

fn is_gone(process: i32) -> bool {
    !Path::new("/proc").join(process.to_string()).exists()
}

fn remove(home: &Path, is_over: &dyn Fn(i32) -> bool) {
    for entry in fs::read_dir(home).into_iter().flatten().filter_map(Result::ok) {
        let name = entry.file_name();
        let process = name.to_str().and_then(|name| name.strip_prefix(PREFIX)?.split_once('-')?.0.parse().ok());
        if process.is_some_and(is_over) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_killed_process_has_left_goes() {
        let home = tempfile::tempdir().unwrap();
        let left = home.path().join(format!("{PREFIX}{}-x", i32::MAX));
        fs::create_dir(&left).unwrap();
        let own = folder(home.path(), 1).unwrap();
        let other = folder(home.path(), 1).unwrap();
        assert!(!left.exists() && own.path().exists() && other.path().exists());
        drop(own);
        assert_eq!(fs::read_dir(home.path()).unwrap().count(), 1);
        begin(home.path());
        assert_eq!(fs::read_dir(home.path()).unwrap().count(), 0, "left by one that had this number before");
        assert_eq!(folder(home.path(), u64::MAX).unwrap_err().kind(), io::ErrorKind::StorageFull);
    }
}
