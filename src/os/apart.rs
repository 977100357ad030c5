//! A process apart from the rest of the machine: with a network of its own in which nobody else is, with folders of its own in the place
//! of others, and with processes that end with it.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::mount::{MountFlags, mount, mount_bind_recursive};
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, recv, send, socket_with};

/// This program, to be run apart with these arguments. Where the system does not allow that, it ends without having begun.
#[must_use]
pub fn command(arguments: impl IntoIterator<Item = OsString>) -> Command {
    let mut command = Command::new("unshare");
    // By its number: what it is called may be another program by now.
    let mut program = PathBuf::from(format!("/proc/{}/exe", std::process::id()));
    if !rustix::process::geteuid().is_root() {
        command.args(["--map-current-user", "--keep-caps"]);
        // From among users of its own nobody looks into a process outside.
        program = std::env::current_exe().unwrap_or(program);
    }
    // With the first process of its own all others end, too.
    command.args(["--net", "--mount", "--pid", "--fork", "--kill-child", "--"]);
    command.arg(program).args(arguments);
    command
}

/// Makes the place in which this process finds itself one of its own: only what belongs to it is seen.
pub fn settle() -> io::Result<()> {
    mount("proc", "/proc", "proc", MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC, None)?;
    loopback_up()
}

/// From now on `folder` is what this process finds at `place`.
pub fn put(folder: &Path, place: &Path) -> io::Result<()> {
    Ok(mount_bind_recursive(folder, place)?)
}

/// This program, to begin another process of it; also where it was replaced since it began. None on a simulated machine.
#[must_use]
pub fn own_program() -> Option<std::path::PathBuf> {
    (!super::ground::is_simulated()).then(|| "/proc/self/exe".into())
}

const HEADER: usize = 16;

/// A new network has nothing but a loopback, and that is down. Its first interface is set up: a message of rtnetlink(7), all in
/// the order of this machine's bytes.
fn loopback_up() -> io::Result<()> {
    const NEW_LINK: u16 = 16;
    const REQUEST_AND_ANSWER: u16 = 1 | 4;
    const UP: u32 = 1;
    // Without a protocol that is the one of routes.
    let socket = socket_with(AddressFamily::NETLINK, SocketType::RAW, SocketFlags::CLOEXEC, None)?;
    let mut message = 32_u32.to_ne_bytes().to_vec();
    message.extend([NEW_LINK, REQUEST_AND_ANSWER].iter().flat_map(|half| half.to_ne_bytes()));
    // Its number, and who asks; then of which family and type, which interface, its flags, and those that change.
    message.extend([1_u32, 0, 0, 1, UP, UP].iter().flat_map(|word| word.to_ne_bytes()));
    send(&socket, &message, SendFlags::empty())?;
    let mut answer = [0; 64];
    let (_, length) = recv(&socket, &mut answer, RecvFlags::empty())?;
    let code = answer[..length].get(HEADER..HEADER + 4).and_then(|code| code.try_into().ok());
    match code.map(i32::from_ne_bytes) {
        Some(0) => Ok(()),
        Some(code) => Err(io::Error::from_raw_os_error(-code)),
        None => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}
