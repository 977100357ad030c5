//! How much room a disk has.

use std::os::fd::AsFd;
use std::path::Path;

/// How much room a disk has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Room {
    /// Bytes that are free for this process.
    pub free: u64,
    /// Bytes that it holds altogether.
    pub all: u64,
}

/// Names a file: as long as it is there, the disks of this process count as full; for practice, where no disk should be filled to see
/// what happens then.
pub const FULL: &str = "ESPEJO_FULL_DISK";

/// Whether the disks count as full, for practice.
#[must_use]
pub fn is_said_full() -> bool {
    std::env::var_os(FULL).is_some_and(|file| Path::new(&file).exists())
}

/// How much room the disk has on which `folder` lies.
#[must_use]
pub fn room(folder: &Path) -> Option<Room> {
    let known = super::ground::ground().map(|ground| ground.room());
    known.or_else(|| room_of(rustix::fs::statvfs(folder)).ok())
}

/// Bytes that stay free beside whatever is written only to be looked at, or comes again.
pub const SPARE: u64 = 64 << 20;

/// The same for a folder that is open.
pub fn room_at(folder: impl AsFd) -> std::io::Result<Room> {
    super::ground::ground().map_or_else(|| room_of(rustix::fs::fstatvfs(folder)), |ground| Ok(ground.room()))
}

fn room_of(stat: rustix::io::Result<rustix::fs::StatVfs>) -> std::io::Result<Room> {
    let stat = stat?;
    let bytes = |blocks: u64| blocks.saturating_mul(stat.f_frsize);
    let free = if is_said_full() { 0 } else { bytes(stat.f_bavail) };
    Ok(Room { free, all: bytes(stat.f_blocks) })
}
