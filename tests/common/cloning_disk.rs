//! A disk on which files can share their blocks.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use super::passed_over;

/// Such a disk over a folder, as long as it is held.
pub struct CloningDisk(PathBuf);

impl CloningDisk {
    /// Puts one over the folder `at`, which is made; its image lies beside it. None where that cannot be done: then `test` says so.
    pub fn over(at: &Path, test: &str) -> Option<Self> {
        fs::create_dir_all(at).unwrap();
        let image = at.with_extension("image");
        File::create(&image).unwrap().set_len(2 << 30).unwrap();
        let done = |command: &mut Command| command.output().is_ok_and(|output| output.status.success());
        let is_made = done(Command::new("mkfs.btrfs").arg("-q").arg(&image))
            && done(Command::new("mount").args(["-o", "loop"]).arg(&image).arg(at));
        if !is_made {
            passed_over(test, "no btrfs can be made and mounted here");
            return None;
        }
        Some(Self(at.to_owned()))
    }
}

impl Drop for CloningDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).output();
    }
}
