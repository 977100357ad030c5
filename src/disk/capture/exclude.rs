//! What of a dataset is not mirrored.

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use super::rules::{Rule, Rules};
use crate::replica::RelPath;

/// What of a dataset is not mirrored.
#[derive(Clone, Debug, Default)]
pub struct Exclude {
    own: Option<RelPath>,
    rules: Rules,
}

impl Exclude {
    /// Passes over `own`, a folder of the program's own, where it lies in `folder`; and what `rules` leave out.
    #[must_use]
    pub fn new(folder: &Path, own: &Path, rules: Rules) -> Self {
        let inside = || {
            let own = fs::canonicalize(own).ok()?;
            RelPath::new(own.strip_prefix(fs::canonicalize(folder).ok()?).ok()?.as_os_str().as_bytes()).ok()
        };
        Self { own: inside().filter(|own| !own.is_root()), rules }
    }

    /// Whether `path` is mirrored.
    #[must_use]
    pub fn takes(&self, path: &RelPath) -> bool {
        self.rules.of(path) != Rule::LeftOut && !self.own.as_ref().is_some_and(|own| path.is_within(own))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_the_programs_own_is_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("a/home")).unwrap();
        let exclude = Exclude::new(folder.path(), &folder.path().join("a/home"), Rules::default());
        let takes = |path: &str| exclude.takes(&RelPath::new(path.as_bytes()).unwrap());
        assert!(takes("a") && takes("a/home too") && !takes("a/home") && !takes("a/home/log/espejo.log"));
        let outside = Exclude::new(&folder.path().join("a"), folder.path(), Rules::default());
        assert!(outside.takes(&RelPath::root()));
    }
}
