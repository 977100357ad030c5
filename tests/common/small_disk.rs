//! A small disk in memory, which is soon full.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::passed_over;

/// A small disk over a folder, as long as it is held.
pub struct SmallDisk(PathBuf);

impl SmallDisk {
    /// Puts one over the folder `at`, which is made if it is not there. None where that cannot be done: then `test` says so.
    pub fn over(at: &Path, size: &str, test: &str) -> Option<Self> {
        fs::create_dir_all(at).unwrap();
        if !rustix::process::geteuid().is_root() {
            passed_over(test, "only root can mount a small disk");
            return None;
        }
        let options = format!("size={size}");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &options, "espejo-test"]).arg(at).status();
        if mounted.is_ok_and(|status| status.success()) {
            return Some(Self(at.to_owned()));
        }
        passed_over(test, "no disk in memory can be mounted here");
        None
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Makes a program at `program` that fills it to the last byte, and leaves a file beside itself when it has.
    pub fn filler(&self, program: &Path) {
        let (others, done) = (self.others(), Self::filled(program));
        let text = format!("#!/bin/sh\ncat /dev/zero >{} 2>/dev/null\n: >{}\n", others.display(), done.display());
        super::make_program(program, &text);
    }

    /// What stands there once that program has filled it.
    pub fn filled(program: &Path) -> PathBuf {
        program.with_extension("done")
    }

    /// Whether that program fills it, or has.
    pub fn is_being_filled(&self) -> bool {
        self.others().exists()
    }

    /// There is room on it again.
    pub fn clear(&self) {
        fs::remove_file(self.others()).unwrap();
    }

    /// What fills it.
    fn others(&self) -> PathBuf {
        self.0.join("others")
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).output();
        // What else was to be removed there could not be, as long as this disk was over it.
        let _ = fs::remove_dir(&self.0);
    }
}
