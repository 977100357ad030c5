//! Lists everything below a folder.

use std::io;
use std::rc::Rc;

use rustix::fs::{self, AtFlags};

use super::root::{Root, says_absent};
use super::stamp::{Shape, Stamp};
use crate::replica::RelPath;
use crate::replica::naming::Inode;

/// What a walk comes across.
#[derive(Debug)]
pub enum Found {
    /// A name, and what stands there.
    Entry(RelPath, Stamp),
    /// A name that cannot be looked at, or a folder that cannot be listed.
    Unreadable(RelPath, io::Error),
    /// A folder that is mounted inside itself: it is not entered again.
    Loop(RelPath),
}

/// Where a folder lies, from itself up to where the walk began.
struct Above {
    inode: Inode,
    up: Option<Rc<Above>>,
}

impl Above {
    fn holds(&self, inode: Inode) -> bool {
        self.inode == inode || self.up.as_ref().is_some_and(|up| up.holds(inode))
    }
}

/// Goes through everything below `start`, and `start` itself, each folder before what is in it. What vanishes meanwhile is
/// passed over. Names that `enter` declines are neither found nor entered.
pub fn walk(
    root: &Root,
    start: &RelPath,
    enter: &dyn Fn(&RelPath) -> bool,
    visit: &mut dyn FnMut(Found),
) -> io::Result<()> {
    root.forget();
    let Some(stamp) = root.stat(start)? else { return Ok(()) };
    visit(Found::Entry(start.clone(), stamp));
    if stamp.shape != Shape::Dir {
        return Ok(());
    }
    let mut open = vec![(start.clone(), Rc::new(Above { inode: stamp.inode, up: None }))];
    while let Some((folder, above)) = open.pop() {
        let mut below = vec![];
        let listed = list(root, &folder, enter, &mut |found| {
            if let Found::Entry(path, stamp) = &found
                && stamp.shape == Shape::Dir
            {
                if above.holds(stamp.inode) {
                    visit(Found::Loop(path.clone()));
                    return;
                }
                let up = Some(Rc::clone(&above));
                below.push((path.clone(), Rc::new(Above { inode: stamp.inode, up })));
            }
            visit(found);
        });
        match listed {
            Ok(()) => open.append(&mut below),
            Err(error) if says_absent(&error) => {}
            // The folder that the walk is about must be there; one in it may be closed to us.
            Err(error) if folder.is_root() => return Err(error),
            Err(error) => visit(Found::Unreadable(folder, error)),
        }
    }
    Ok(())
}

fn list(
    root: &Root,
    folder: &RelPath,
    enter: &dyn Fn(&RelPath) -> bool,
    visit: &mut dyn FnMut(Found),
) -> io::Result<()> {
    let fd = root.dir(folder)?;
    let mut names = fs::Dir::read_from(&fd)?;
    while let Some(name) = names.read() {
        let name = name?;
        let name = name.file_name();
        if matches!(name.to_bytes(), b"." | b"..") {
            continue;
        }
        let path = folder.join(name.to_bytes());
        if !enter(&path) {
            continue;
        }
        match fs::statat(&fd, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => visit(Found::Entry(path, stat.into())),
            Err(error) => {
                let error = io::Error::from(error);
                if !says_absent(&error) {
                    visit(Found::Unreadable(path, error));
                }
            }
        }
    }
    Ok(())
}
