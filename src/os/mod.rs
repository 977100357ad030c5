//! What differs by operating system, one function each. Linux first.
//!
//! - [`apart`]: a process apart from the rest of the machine
//! - [`ground`]: this system, or a machine that is simulated
//! - [`net`]: connections and datagrams
//! - [`people`]: who sits at the other end of a local socket
//! - [`pressure`]: how long programs were held up
//! - `space`: how much room a disk has
//! - [`writers`]: who has files open to write them

pub mod apart;
pub mod ground;
pub mod net;
pub mod people;
pub mod pressure;
mod space;
pub mod writers;

pub use space::{FULL, Room, SPARE, is_said_full, room, room_at};

use std::collections::BTreeSet;
use std::fs;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::Duration;

/// Whether the system tells of changes in this folder. It does not for what another machine keeps.
#[must_use]
pub fn tells_of_changes(folder: impl AsFd) -> bool {
    // NFS, SMB, CIFS, FUSE, 9P, AFS, Ceph, Coda: as in statfs(2).
    const REMOTE: [u64; 9] =
        [0x6969, 0x517b, 0xff53_4d42, 0xfe53_4d42, 0x6573_5546, 0x0102_1997, 0x5346_414f, 0x00c3_6400, 0x7375_7245];
    rustix::fs::fstatfs(folder).is_ok_and(|stat| !REMOTE.contains(&(stat.f_type.cast_unsigned() & 0xffff_ffff)))
}

/// Bytes of the longest path that the system takes at once.
pub const LONGEST_PATH: usize = 4095;

/// Makes a connection send at once, and notice that nobody is there: after `unheard_ms` in which nothing that was sent was
/// acknowledged, or a few seconds in which nothing was said.
pub fn tend(connection: impl AsFd, unheard_ms: u32) -> std::io::Result<()> {
    use rustix::net::sockopt;
    let connection = connection.as_fd();
    sockopt::set_tcp_nodelay(connection, true)?;
    sockopt::set_socket_keepalive(connection, true)?;
    sockopt::set_tcp_keepidle(connection, Duration::from_secs(3))?;
    sockopt::set_tcp_keepintvl(connection, Duration::from_secs(2))?;
    sockopt::set_tcp_keepcnt(connection, 3)?;
    sockopt::set_tcp_user_timeout(connection, unheard_ms)?;
    Ok(())
}

/// Files that a process with many connections may have open; programs that it begins, too, and some look at each that they could have.
const MANY_FILES: u64 = 16_384;

/// Lets this process have many files open, where the system allows it: each connection is two, or more.
pub fn have_many_files() {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    let most = limit.maximum.unwrap_or(MANY_FILES).min(MANY_FILES);
    limit.current = limit.current.map(|now| now.max(most));
    // With fewer it works, for fewer.
    let _ = setrlimit(Resource::Nofile, limit);
}

/// Makes a connection keep about so many bytes that are to be sent, and no more.
pub fn send_little(connection: impl AsFd, bytes: usize) -> std::io::Result<()> {
    Ok(rustix::net::sockopt::set_socket_send_buffer_size(connection.as_fd(), bytes)?)
}

/// Which start of the system this is, and for how many milliseconds it has been up, sleep included.
pub fn up() -> std::io::Result<(String, u64)> {
    if let Some(ground) = ground::ground() {
        return Ok(ground.up());
    }
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id")?;
    let said = fs::read_to_string("/proc/uptime")?;
    // Seconds with two digits behind the point.
    let digits = said.split_whitespace().next().unwrap_or_default().replace('.', "");
    let hundredths: u64 = digits.parse().map_err(std::io::Error::other)?;
    Ok((boot.trim().to_owned(), hundredths * 10))
}

/// Whether files can be made in `folder`, or the folder itself where there is none yet.
pub fn may_make(folder: &Path) -> std::io::Result<()> {
    use rustix::fs::{Access, access};
    let stands = folder.ancestors().find(|above| above.exists()).unwrap_or(folder);
    Ok(access(stands, Access::WRITE_OK | Access::EXEC_OK)?)
}

/// Whether this process may execute the file.
#[must_use]
pub fn may_execute(file: &Path) -> bool {
    rustix::fs::access(file, rustix::fs::Access::EXEC_OK).is_ok()
}

/// Whether the processor has instructions for AES.
#[must_use]
pub fn has_aes() -> bool {
    #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
    let has = std::arch::is_x86_feature_detected!("aes");
    #[cfg(target_arch = "aarch64")]
    let has = std::arch::is_aarch64_feature_detected!("aes");
    #[cfg(not(any(target_arch = "x86", target_arch = "x86_64", target_arch = "aarch64")))]
    let has = false;
    has
}

/// Whether the file system stamps every write with the time when it was made, also one through a mapping that has gone since.
#[must_use]
pub fn stamps_every_write(folder: impl AsFd) -> bool {
    // In memory it does not stamp what is written through a mapping; FAT and exFAT know no such time.
    const CARELESS: [u64; 4] = [0x0102_1994, 0x8584_58f6, 0x4d44, 0x2011_bab0];
    rustix::fs::fstatfs(folder).is_ok_and(|stat| !CARELESS.contains(&(stat.f_type.cast_unsigned() & 0xffff_ffff)))
}

/// Whether the file system stamps a write that follows a look at the stamp with another time, however soon it comes: since Linux
/// 6.13 some do. Others stamp with the tick of a clock, in which many writes fall.
#[must_use]
pub fn stamps_finely(folder: impl AsFd) -> bool {
    const SINCE: (u32, u32) = (6, 13);
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let mut numbers = release.split(|c: char| !c.is_ascii_digit()).map_while(|number| number.parse::<u32>().ok());
    if (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0)) < SINCE {
        return false;
    }
    let Ok(stat) = rustix::fs::fstat(folder) else { return false };
    let device = format!("{}:{}", rustix::fs::major(stat.st_dev), rustix::fs::minor(stat.st_dev));
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let kind = mounts.lines().filter_map(|line| line.split_once(" - ")).find_map(|(place, what)| {
        (place.split(' ').nth(2) == Some(&device)).then(|| what.split(' ').next().unwrap_or_default())
    });
    kind.is_some_and(|kind| ["ext4", "xfs", "btrfs"].contains(&kind))
}

/// Files that some process has mapped so that it can write them without anyone being told.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Mapped {
    /// Their names, as bytes relative to the folder.
    pub files: BTreeSet<Vec<u8>>,
    /// Whether every process could be looked into: else there may be more.
    pub complete: bool,
}

/// The files below `folder` that some process has mapped so that it can write them.
#[must_use]
pub fn mapped_writable(folder: &Path) -> Mapped {
    if ground::is_simulated() {
        return Mapped { files: BTreeSet::new(), complete: true };
    }
    let mut prefix = folder.as_os_str().as_bytes().to_vec();
    prefix.push(b'/');
    let mut found = Mapped { files: BTreeSet::new(), complete: true };
    let Ok(processes) = fs::read_dir("/proc") else { return Mapped::default() };
    for process in processes.filter_map(Result::ok) {
        if !process.file_name().as_bytes().iter().all(u8::is_ascii_digit) {
            continue;
        }
        let maps = match fs::read(process.path().join("maps")) {
            Ok(maps) => maps,
            Err(error) => {
                // One that has ended meanwhile maps nothing; nor does the init that some sandboxes close even to root.
                let init = rustix::process::geteuid().is_root() && process.file_name() == "1";
                found.complete &= init || error.kind() != std::io::ErrorKind::PermissionDenied;
                continue;
            }
        };
        found.files.extend(maps.split(|&byte| byte == b'\n').filter_map(|line| shared_map(line, &prefix)));
    }
    found
}

/// The file of one line of `maps`, below `prefix`, if it is mapped shared and writable.
fn shared_map(line: &[u8], prefix: &[u8]) -> Option<Vec<u8>> {
    let mut fields = line.splitn(6, |&byte| byte == b' ');
    let rights = fields.nth(1)?;
    if rights.get(1) != Some(&b'w') || rights.get(3) != Some(&b's') {
        return None;
    }
    let path = fields.nth(3)?.trim_ascii_start();
    let path = path.strip_prefix(prefix)?;
    // The kernel writes a newline in a name as an octal escape.
    let text: Vec<&[u8]> = path.split(|&byte| byte == b'\\').collect();
    let mut name = text.first()?.to_vec();
    for piece in &text[1..] {
        match piece.strip_prefix(b"012") {
            Some(rest) => name.extend([b"\n", rest].concat()),
            None => name.extend([b"\\", *piece].concat()),
        }
    }
    (!name.ends_with(b" (deleted)")).then_some(name)
}

/// Listens at a socket of a folder that this process has for itself: one that is there is a dead one. Only its owner gets in.
pub fn own_socket(path: &Path) -> std::io::Result<tokio::net::UnixListener> {
    use std::os::unix::fs::PermissionsExt;
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = short_path(path, |short| tokio::net::UnixListener::bind(short))?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
    Ok(listener)
}

/// Gives `act` a path to the same place as `path` that is short enough for a socket's address, which holds about 100 bytes.
pub fn short_path<T>(path: &Path, act: impl FnOnce(&Path) -> std::io::Result<T>) -> std::io::Result<T> {
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else { return act(path) };
    if path.as_os_str().len() < 100 {
        return act(path);
    }
    let folder = fs::File::open(folder)?;
    let short = format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&folder));
    act(&Path::new(&short).join(name))
}

/// Room of which the system's allocator is to keep twice as much where it becomes free.
const KEPT: usize = 2 * 1024 * 1024;

/// Has the system's allocator keep what becomes free, up to 4 MiB in each of its arenas, rather than give each buffer
/// of a frame back and take it anew, a page at a time: that costs more than all that is done with the bytes.
///
/// The GNU one learns how much from the largest block that was ever freed. Others are not changed.
pub fn keep_freed_memory() {
    drop(std::hint::black_box(Vec::<u8>::with_capacity(KEPT)));
}

/// A process, as the system knows it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Process {
    /// It has not ended. One that has, and that nobody has asked for, is kept by the system all the same.
    pub lives: bool,
    /// The number of its group.
    pub group: i32,
    /// When it was started, in ticks since the machine was.
    pub started: u64,
}

/// The process `pid`, if there is one.
#[must_use]
pub fn process(pid: i32) -> Option<Process> {
    let stat = fs::read(format!("/proc/{pid}/stat")).ok()?;
    // The name stands in brackets, and may hold brackets, blanks and anything else.
    let after = stat.iter().rposition(|&byte| byte == b')')? + 1;
    let fields: Vec<&str> = std::str::from_utf8(&stat[after..]).ok()?.split_whitespace().collect();
    let [state, group, started] = [fields.first()?, fields.get(2)?, fields.get(19)?];
    Some(Process {
        lives: !matches!(*state, "Z" | "X" | "x"),
        group: group.parse().ok()?,
        started: started.parse().ok()?,
    })
}

/// The processes of a group that have not ended.
#[must_use]
pub fn group(group: i32) -> Vec<i32> {
    let Ok(processes) = fs::read_dir("/proc") else { return vec![] };
    let numbers = processes.filter_map(|process| process.ok()?.file_name().to_str()?.parse().ok());
    numbers.filter(|&pid| process(pid).is_some_and(|process| process.group == group && process.lives)).collect()
}

/// The oldest process that leads a group and finds such a variable, a name and its value, in its environment. One that is just being
/// started has none yet.
#[must_use]
pub fn leader_with(is_it: impl Fn(&[u8]) -> bool) -> Option<i32> {
    let processes = fs::read_dir("/proc").ok()?;
    let has = |pid: i32| {
        let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        environment.split(|&byte| byte == 0).any(&is_it)
    };
    let numbers = processes.filter_map(|process| process.ok()?.file_name().to_str()?.parse().ok());
    let leaders = numbers.filter_map(|pid: i32| Some((pid, process(pid)?)));
    let leaders = leaders.filter(|(pid, process)| process.lives && process.group == *pid && has(*pid));
    leaders.min_by_key(|(_, process)| process.started).map(|(pid, _)| pid)
}

/// Asks for a child that has ended. Returns how it ended, as a shell says it: a signal counts from 128; none where it has not
/// ended, or is no child of this process.
#[must_use]
pub fn ended(child: i32) -> Option<i32> {
    use rustix::process::{Pid, WaitOptions, waitpid};
    let (_, status) = waitpid(Pid::from_raw(child), WaitOptions::NOHANG).ok()??;
    status.exit_status().or_else(|| status.terminating_signal().map(|signal| 128 + signal))
}

/// Sends a signal to all processes of a group.
pub fn signal_group(group: i32, signal: rustix::process::Signal) {
    // A group of 0 or 1 would be this process's own, or everyone.
    if let Some(group) = rustix::process::Pid::from_raw(group).filter(|_| group > 1) {
        let _ = rustix::process::kill_process_group(group, signal);
    }
}

/// What tells this run of the machine from every other: numbers of processes begin anew with it.
#[must_use]
pub fn boot() -> String {
    if let Some(ground) = ground::ground() {
        return ground.up().0;
    }
    fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default().trim().to_owned()
}

/// Names a place between two effects, at which a test may stop the process dead, or have something else happen.
macro_rules! point {
    ($name:literal) => {{
        fn point() {
            fail::fail_point!($name, crate::os::struck);
        }
        point();
    }};
}
pub(crate) use point;

/// What befalls the process at a point at which a test has something happen: `return` stops it dead, `return(PROGRAM)` has it wait
/// until that program has done something to it.
pub fn struck(program: Option<String>) {
    match program {
        None => stop_dead(),
        Some(program) => drop(std::process::Command::new(program).status()),
    }
}

/// Ends this process at once, as a power cut would: nothing is flushed, nothing is said.
pub fn stop_dead() -> ! {
    let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
    std::process::abort()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_known_until_it_has_ended_and_was_asked_for() {
        use std::os::unix::process::CommandExt;
        let own = process(i32::try_from(std::process::id()).unwrap()).unwrap();
        assert!(own.lives && own.started > 0);
        let mut child =
            std::process::Command::new("cat").stdin(std::process::Stdio::piped()).process_group(0).spawn().unwrap();
        let pid = i32::try_from(child.id()).unwrap();
        assert_eq!((process(pid).unwrap().group, group(pid), ended(pid)), (pid, vec![pid], None));
        signal_group(pid, rustix::process::Signal::KILL);
        let code = (0..).find_map(|_| {
            std::thread::yield_now();
            ended(pid)
        });
        assert_eq!((code, process(pid), group(pid)), (Some(137), None, vec![]));
        assert!(child.wait().is_err(), "it was asked for already");
    }

    #[test]
    fn where_it_is_said_to_each_write_after_a_look_shows() {
        use std::os::unix::fs::{FileExt, MetadataExt};
        let file = tempfile::tempfile().unwrap();
        if !stamps_finely(&file) {
            return eprintln!("passed over: this disk stamps with the tick of a clock");
        }
        let stamp = || file.metadata().map(|meta| (meta.ctime(), meta.ctime_nsec())).unwrap();
        for _ in 0..1000 {
            let before = stamp();
            file.write_all_at(b"x", 0).unwrap();
            assert_ne!(stamp(), before);
        }
    }

    #[test]
    fn reads_a_line_of_maps() {
        let line = b"7f10-7f20 rw-s 00000000 fe:00 1234                       /srv/pos/STOCK.DBF";
        assert_eq!(shared_map(line, b"/srv/pos/"), Some(b"STOCK.DBF".to_vec()));
        assert_eq!(shared_map(line, b"/srv/po/"), None);
        let private = b"7f10-7f20 rw-p 00000000 fe:00 1234                       /srv/pos/STOCK.DBF";
        assert_eq!(shared_map(private, b"/srv/pos/"), None);
        let odd = b"7f10-7f20 rw-s 00000000 fe:00 1234                       /srv/pos/a\\012b c";
        assert_eq!(shared_map(odd, b"/srv/pos/"), Some(b"a\nb c".to_vec()));
    }
}
