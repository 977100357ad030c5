//! What of a dataset is not mirrored.

use std::fmt;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;

use crate::replica::RelPath;

/// What somebody said is not to be mirrored.
#[derive(Clone, Default)]
pub struct LeaveOut(Option<Arc<Says>>);

/// Whether a path is left out.
type Says = dyn Fn(&[u8]) -> bool + Send + Sync;

impl LeaveOut {
    /// Leaves out the paths of which `is` says so.
    pub fn new(is: impl Fn(&[u8]) -> bool + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(is)))
    }
}

impl fmt::Debug for LeaveOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "LeaveOut(some)" } else { "LeaveOut(nothing)" })
    }
}

/// What of a dataset is not mirrored.
#[derive(Clone, Debug, Default)]
pub struct Exclude {
    own: Option<RelPath>,
    said: LeaveOut,
}

impl Exclude {
    /// Passes over `own`, a folder of the program's own, where it lies in `folder`; and what `said` names.
    #[must_use]
    pub fn new(folder: &Path, own: &Path, said: LeaveOut) -> Self {
        let inside = || {
            let own = fs::canonicalize(own).ok()?;
            RelPath::new(own.strip_prefix(fs::canonicalize(folder).ok()?).ok()?.as_os_str().as_bytes()).ok()
        };
        Self { own: inside().filter(|own| !own.is_root()), said }
    }

    /// Whether `path` is mirrored.
    #[must_use]
    pub fn takes(&self, path: &RelPath) -> bool {
        let said = self.said.0.as_ref().is_some_and(|is| !path.is_root() && is(path.as_bytes()));
        !said && !self.own.as_ref().is_some_and(|own| path.is_within(own))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_the_programs_own_is_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("a/home")).unwrap();
        let exclude = Exclude::new(folder.path(), &folder.path().join("a/home"), LeaveOut::default());
        let takes = |path: &str| exclude.takes(&RelPath::new(path.as_bytes()).unwrap());
        assert!(takes("a") && takes("a/home too") && !takes("a/home") && !takes("a/home/log/espejo.log"));
        let outside = Exclude::new(&folder.path().join("a"), folder.path(), LeaveOut::default());
        assert!(outside.takes(&RelPath::root()));
    }
}
