//! Who sits at the other end of a local socket, as the system knows it.

use std::fs;

/// Processes that are looked at on the way up to the first one, at the most.
const ANCESTORS: usize = 64;

/// The groups of a process that runs as the user `uid`, by their numbers: its own first. None where it is gone, or another one
/// has its number by now.
#[must_use]
pub fn groups(pid: i32, uid: u32) -> Option<Vec<u32>> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let numbers = |name: &str| -> Option<Vec<u32>> {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        Some(line.split_whitespace().filter_map(|number| number.parse().ok()).collect())
    };
    // The real, the effective, the saved one, and that for files.
    let (users, groups) = (numbers("Uid:")?, numbers("Gid:")?);
    if users.get(1) != Some(&uid) {
        return None;
    }
    Some([&groups[1..2.min(groups.len())], &numbers("Groups:")?].concat())
}

/// The number of the group of this name.
#[must_use]
pub fn group_named(name: &str) -> Option<u32> {
    fields("/etc/group")
        .into_iter()
        .find(|fields| fields.first().is_some_and(|known| known == name))?
        .get(2)?
        .parse()
        .ok()
}

/// The name of a user.
#[must_use]
pub fn user_name(uid: u32) -> Option<String> {
    let number = uid.to_string();
    fields("/etc/passwd").into_iter().find(|fields| fields.get(2) == Some(&number))?.into_iter().next()
}

fn fields(path: &str) -> Vec<Vec<String>> {
    let text = fs::read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
    text.lines().map(|line| line.split(':').map(str::to_owned).collect()).collect()
}

/// Whether a process was begun by somebody who came over SSH: its server is among the ancestors.
#[must_use]
pub fn came_by_ssh(pid: i32) -> bool {
    let mut pid = pid;
    for _ in 0..ANCESTORS {
        let Some((name, parent)) = named(pid) else { return false };
        if name.starts_with("sshd") || name.starts_with("dropbear") {
            return true;
        }
        pid = parent;
    }
    false
}

/// The name of a process, and the number of its parent.
fn named(pid: i32) -> Option<(String, i32)> {
    let stat = fs::read(format!("/proc/{pid}/stat")).ok()?;
    let stat = String::from_utf8_lossy(&stat);
    let (name, rest) = (stat.find('(')? + 1, stat.rfind(')')?);
    let parent = stat[rest + 1..].split_whitespace().nth(1)?.parse().ok()?;
    Some((stat.get(name..rest)?.to_owned(), parent)).filter(|(_, parent)| *parent >= 0 && pid > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_is_known_and_another_user_is_not_taken_for_it() {
        let (pid, uid) = (i32::try_from(std::process::id()).unwrap(), rustix::process::geteuid().as_raw());
        let all = groups(pid, uid).unwrap();
        assert_eq!(all[0], rustix::process::getegid().as_raw());
        assert!(groups(pid, uid + 1).is_none() && groups(i32::MAX, uid).is_none());
        assert_eq!((group_named("root"), user_name(0).as_deref()), (Some(0), Some("root")));
        assert_eq!((group_named("nobody is called so"), user_name(4_000_000_000)), (None, None));
        assert!(named(pid).is_some_and(|(_, parent)| parent > 0) && !came_by_ssh(1));
    }
}
