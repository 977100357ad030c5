//! What was set aside of a mirror: listed, compared with what the mirror holds now, copied elsewhere, removed.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use super::apply::{content, journal_folder};
use super::capture::rules::Records;
use super::error::{At, DiskError};
use super::lone::{self, List, Listed};
use super::read::read_full;
use super::records::Split;
use super::root::Root;
use super::stamp::{Shape, Stamp};
use super::walk::{Found, walk};
use crate::replica::RelPath;

/// Bytes that are compared at once.
const PIECE: usize = 256 * 1024;

/// What was set aside at one time.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Aside {
    /// The name of its folder.
    pub name: String,
    /// Its folder.
    pub path: PathBuf,
    /// When that was, in seconds since 1970.
    pub at: i64,
    /// Files and links in it.
    pub files: u64,
    /// Bytes in them.
    pub bytes: u64,
    /// The list of it, where this machine was the server and came back.
    pub list: Option<List>,
}

/// A name that was set aside.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Held {
    /// The name.
    pub path: RelPath,
    /// Bytes.
    pub size: u64,
    /// What the list says of it.
    pub listed: Option<Listed>,
    /// What the mirror holds under that name now; none where the list says all that there is to say.
    pub now: Option<Now>,
}

/// A record of a queue: its number, from 1, and what stands in it.
pub type Record = (u64, Vec<u8>);

/// What the mirror holds now, against what was set aside.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Now {
    /// Nothing.
    Nothing,
    /// The same.
    Same,
    /// Something else, from this byte on.
    Differs {
        /// The first that differs, from 0.
        at: u64,
    },
    /// Something that is no file, or another link.
    Other,
}

/// All that was set aside of the mirror at `dest`, the oldest first. Folders with nothing in them and no list are passed over.
pub fn list(dest: &Path) -> Result<Vec<Aside>, DiskError> {
    let folder = journal_folder(dest).join("rescue");
    let names = match fs::read_dir(&folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(vec![]),
        names => names.at("listing", &folder)?,
    };
    let mut all = vec![];
    for entry in names {
        let path = entry.at("listing", &folder)?.path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()).map(str::to_owned) else { continue };
        if !path.is_dir() {
            continue;
        }
        let root = Root::open(&path).at("opening", &path)?;
        let at = root.stat(&RelPath::root()).at("looking at", &path)?.map_or(0, |stamp| stamp.meta.mtime.seconds);
        let (mut files, mut bytes) = (0, 0);
        each(&root, &mut |_, stamp| {
            files += 1;
            bytes += stamp.size;
        })?;
        let list = List::of(&path)?;
        let at = list.as_ref().map_or(at, |list| list.at.as_second());
        if files > 0 || list.is_some() {
            all.push(Aside { name, path, at, files, bytes, list });
        }
    }
    all.sort_by(|a, b| (a.at, &a.name).cmp(&(b.at, &b.name)));
    Ok(all)
}

/// Every file and link in `root`.
fn each(root: &Root, visit: &mut dyn FnMut(RelPath, Stamp)) -> Result<(), DiskError> {
    let mut failed = None;
    let walked = walk(root, &RelPath::root(), &|_| true, &mut |found| match found {
        Found::Entry(_, Stamp { shape: Shape::Dir, .. }) | Found::Loop(_) => {}
        Found::Entry(path, stamp) => visit(path, stamp),
        Found::Unreadable(path, error) => failed = Some((path, error)),
    });
    walked.at("listing", root.path())?;
    match failed {
        Some((path, error)) => Err(error).within("looking at", root.path(), &path),
        None => Ok(()),
    }
}

/// What was set aside in `aside`, by name, against what the list says, and where that does not say all, against what the mirror
/// at `dest` holds now.
pub fn show(aside: &Aside, dest: &Path) -> Result<Vec<Held>, DiskError> {
    let path = &aside.path;
    let (held, mirror) = (Root::open(path).at("opening", path)?, Root::open(dest).at("opening", dest)?);
    let mut names = vec![];
    each(&held, &mut |path, stamp| names.push((path, stamp)))?;
    names.sort_by(|a, b| a.0.cmp(&b.0));
    let all = aside.list.iter().flat_map(|list| &list.files);
    let listed: HashMap<&str, &Listed> = all.map(|one| (one.file.as_str(), one)).collect();
    let compare = |(path, stamp): (RelPath, Stamp)| {
        let listed = listed.get(path.to_string().as_str()).copied().cloned();
        let now = match &listed {
            Some(listed) if listed.exact => None,
            Some(listed) => Some(against(&held, &mirror, &path, stamp, listed.same_bytes)?),
            None => Some(against(&held, &mirror, &path, stamp, 0)?),
        };
        Ok(Held { path, size: stamp.size, listed, now })
    };
    names.into_iter().map(compare).collect()
}

/// What `mirror` holds, from byte `from` on.
fn against(held: &Root, mirror: &Root, path: &RelPath, stamp: Stamp, from: u64) -> Result<Now, DiskError> {
    let Some(there) = mirror.stat(path).within("looking at", mirror.path(), path)? else { return Ok(Now::Nothing) };
    match (stamp.shape, there.shape) {
        (Shape::File, Shape::File) => {
            let one = held.open_own(path).within("reading", held.path(), path)?;
            let other = mirror.open_file(path).within("reading", mirror.path(), path)?;
            first_difference(&one, &other, from).within("reading", held.path(), path)
        }
        (Shape::Symlink, Shape::Symlink) => {
            let one = held.read_link(path).within("reading", held.path(), path)?;
            let other = mirror.read_link(path).within("reading", mirror.path(), path)?;
            Ok(if one == other { Now::Same } else { Now::Other })
        }
        _ => Ok(Now::Other),
    }
}

fn first_difference(one: &File, other: &File, from: u64) -> io::Result<Now> {
    let (mut a, mut b, mut at) = (vec![0; PIECE], vec![0; PIECE], from);
    loop {
        let (had_a, had_b) = (read_full(one, &mut a, at)?, read_full(other, &mut b, at)?);
        let same = a[..had_a].iter().zip(&b[..had_b]).take_while(|(a, b)| a == b).count();
        if same < had_a.max(had_b) {
            return Ok(Now::Differs { at: at + same as u64 });
        }
        if had_a < PIECE {
            return Ok(Now::Same);
        }
        at += PIECE as u64;
    }
}

/// The records of a queue that was set aside and that the mirror lacks as it is now. None where it is no file.
pub fn lacking(aside: &Path, dest: &Path, path: &RelPath, by: Records) -> Result<Option<Vec<Record>>, DiskError> {
    let (held, mirror) = (Root::open(aside).at("opening", aside)?, Root::open(dest).at("opening", dest)?);
    let is_file = |root: &Root| Ok::<_, io::Error>(root.stat(path)?.is_some_and(|stamp| stamp.shape == Shape::File));
    if !is_file(&held).within("looking at", aside, path)? {
        return Ok(None);
    }
    // The same one may stand there twice, and count twice.
    let mut known: HashMap<[u8; 32], u64> = HashMap::new();
    if is_file(&mirror).within("looking at", dest, path)? {
        let file = mirror.open_file(path).within("reading", dest, path)?;
        for record in Split::new(file, by).within("reading", dest, path)? {
            let record = record.within("reading", dest, path)?;
            *known.entry(*blake3::hash(&record).as_bytes()).or_default() += 1;
        }
    }
    let mut lack = vec![];
    let file = held.open_own(path).within("reading", aside, path)?;
    for (number, record) in (1..).zip(Split::new(file, by).within("reading", aside, path)?) {
        let record = record.within("reading", aside, path)?;
        match known.get_mut(blake3::hash(&record).as_bytes()) {
            Some(times) if *times > 0 => *times -= 1,
            _ => lack.push((number, record)),
        }
    }
    Ok(Some(lack))
}

/// The records that stand in a queue behind its first `from` bytes: what is before is not read.
pub fn alone(aside: &Path, path: &RelPath, from: u64) -> Result<Vec<Vec<u8>>, DiskError> {
    let held = Root::open(aside).at("opening", aside)?;
    let file = held.open_own(path).within("reading", aside, path)?;
    let read = lone::records(file, from).and_then(Iterator::collect);
    read.within("reading", aside, path)
}

/// Copies what was set aside to `to`, which it makes, or which is empty, with times and modes; and the list of it beside that.
pub fn export(aside: &Path, to: &Path) -> Result<(), DiskError> {
    fs::create_dir_all(to).at("making", to)?;
    if fs::read_dir(to).at("listing", to)?.next().is_some() {
        return Err(io::Error::from(io::ErrorKind::DirectoryNotEmpty)).at("copying to", to);
    }
    let (from, into) = (Root::open(aside).at("opening", aside)?, Root::open(to).at("opening", to)?);
    let mut names = vec![];
    walk(&from, &RelPath::root(), &|_| true, &mut |found| {
        if let Found::Entry(path, stamp) = found {
            names.push((path, stamp));
        }
    })
    .at("listing", aside)?;
    names.sort_by(|a, b| a.0.cmp(&b.0));
    for (path, stamp) in names.iter().filter(|(path, _)| !path.is_root()) {
        let made = match stamp.shape {
            Shape::Dir => into.mkdir(path),
            Shape::Symlink => from.read_link(path).and_then(|target| into.symlink(&target, path)),
            Shape::Special => Ok(()),
            Shape::File => copy(&from, &into, path, stamp.size),
        };
        made.within("copying", to, path)?;
        if !matches!(stamp.shape, Shape::Dir | Shape::Special) {
            into.set_meta(path, &stamp.meta, stamp.shape).within("setting mode and time of", to, path)?;
        }
    }
    // What was made in them has changed their times.
    for (path, stamp) in names.iter().rev().filter(|(path, stamp)| stamp.shape == Shape::Dir && !path.is_root()) {
        into.set_meta(path, &stamp.meta, Shape::Dir).within("setting mode and time of", to, path)?;
    }
    if let Some(list) = List::of(aside)? {
        list.save(to)?;
    }
    into.sync_all().at("making durable", to)
}

fn copy(from: &Root, into: &Root, path: &RelPath, size: u64) -> io::Result<()> {
    let (old, new) = (from.open_own(path)?, into.create(path)?);
    new.set_len(size)?;
    content::copy(&old, &new, size, &|_| false)
}

/// Removes what was set aside.
pub fn delete(aside: &Path) -> Result<(), DiskError> {
    fs::remove_dir_all(aside).at("removing", aside)?;
    let list = lone::path(aside);
    match fs::remove_file(&list) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        removed => removed.at("removing", &list)?,
    }
    let above = aside.parent().unwrap_or(aside);
    File::open(above).and_then(|folder| folder.sync_all()).at("making durable", above)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn place() -> (tempfile::TempDir, PathBuf, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let dest = dir.path().join("mirror");
        let aside = journal_folder(&dest).join("rescue/20261114-104207-5");
        fs::create_dir_all(aside.join("orders/2026")).unwrap();
        fs::create_dir_all(&dest).unwrap();
        (dir, dest, aside)
    }

    #[test]
    fn what_was_set_aside_is_listed_compared_copied_and_removed() {
        let (dir, dest, aside) = place();
        fs::write(aside.join("POS-R"), vec![7; PIECE + 10]).unwrap();
        let mut other = vec![7; PIECE + 20];
        fs::write(dest.join("POS-R"), &other).unwrap();
        fs::write(aside.join("same"), "x").unwrap();
        fs::write(dest.join("same"), "x").unwrap();
        fs::write(aside.join("orders/2026/1"), "a tea").unwrap();
        fs::set_permissions(aside.join("orders/2026/1"), fs::Permissions::from_mode(0o640)).unwrap();
        symlink("POS-R", aside.join("link")).unwrap();
        fs::create_dir(journal_folder(&dest).join("rescue/empty")).unwrap();
        let all = list(&dest).unwrap();
        assert_eq!(all.len(), 1);
        assert_eq!((&*all[0].name, all[0].files), ("20261114-104207-5", 4));
        let said = |held: &Held| format!("{} {} {:?}", held.path, held.size, held.now.unwrap());
        let shown: Vec<_> = show(&all[0], &dest).unwrap().iter().map(said).collect();
        assert_eq!(
            shown,
            [
                format!("POS-R {} Differs {{ at: {} }}", PIECE + 10, PIECE + 10),
                "link 5 Nothing".to_owned(),
                "orders/2026/1 5 Nothing".to_owned(),
                "same 1 Same".to_owned(),
            ]
        );
        other[PIECE + 3] = 8;
        fs::write(dest.join("POS-R"), &other).unwrap();
        assert_eq!(show(&all[0], &dest).unwrap()[0].now, Some(Now::Differs { at: PIECE as u64 + 3 }));
        let to = dir.path().join("usb/stick");
        export(&aside, &to).unwrap();
        assert_eq!(fs::read(to.join("orders/2026/1")).unwrap(), b"a tea");
        let (a, b) =
            (fs::metadata(aside.join("orders/2026/1")).unwrap(), fs::metadata(to.join("orders/2026/1")).unwrap());
        assert_eq!((a.permissions(), a.modified().unwrap()), (b.permissions(), b.modified().unwrap()));
        assert_eq!(fs::read_link(to.join("link")).unwrap(), Path::new("POS-R"));
        assert!(export(&aside, &to).is_err(), "nothing is written over");
        delete(&aside).unwrap();
        assert_eq!(list(&dest).unwrap(), []);
        assert_eq!(fs::read(dest.join("same")).unwrap(), b"x");
    }

    #[test]
    fn the_records_that_the_mirror_lacks() {
        let (_dir, dest, aside) = place();
        let path = RelPath::root().join(b"ORDER.QUE");
        fs::write(aside.join("ORDER.QUE"), "1;coffee\n2;tea\n2;tea\n3;mi").unwrap();
        let lack = || lacking(&aside, &dest, &path, Records::Lines).unwrap().unwrap();
        let numbers = || lack().into_iter().map(|(number, _)| number).collect::<Vec<_>>();
        assert_eq!(numbers(), [1, 2, 3, 4]);
        fs::write(dest.join("ORDER.QUE"), "1;coffee\n2;tea\n4;cake\n").unwrap();
        assert_eq!(lack(), [(3, b"2;tea".to_vec()), (4, b"3;mi".to_vec())]);
        fs::create_dir(aside.join("POS-R")).unwrap();
        assert_eq!(lacking(&aside, &dest, &RelPath::root().join(b"POS-R"), Records::Lines).unwrap(), None);
    }

    #[test]
    fn what_the_list_knows_is_not_read_again() {
        use std::os::unix::fs::FileExt;
        let (_dir, dest, aside) = place();
        let (path, same) = (RelPath::root().join(b"ORDER.QUE"), 1 << 40);
        let queue = File::create(aside.join("ORDER.QUE")).unwrap();
        queue.write_all_at(b"2;tea\n3;cake\n", same).unwrap();
        File::create(dest.join("ORDER.QUE")).unwrap().set_len(same).unwrap();
        let listed = Listed {
            file: "ORDER.QUE".to_owned(),
            bytes: Some(same + 13),
            there_bytes: Some(same),
            same_bytes: same,
            exact: true,
            records: Some(2),
        };
        let at = jiff::Timestamp::from_second(1_800_000_000).unwrap();
        let list = List {
            dataset: "pos".to_owned(),
            epoch: 1,
            at,
            against: lone::Against::Start,
            files: vec![listed.clone()],
        };
        list.save(&aside).unwrap();
        let all = list_of(&dest);
        assert_eq!((all.list.as_ref(), all.at), (Some(&list), 1_800_000_000));
        // To read a TiB would take longer than anybody waits.
        let held = Held { path: path.clone(), size: same + 13, listed: Some(listed), now: None };
        assert_eq!(show(&all, &dest).unwrap(), [held]);
        assert_eq!(alone(&aside, &path, same).unwrap(), [&b"2;tea"[..], b"3;cake"]);
        delete(&aside).unwrap();
        assert!(super::list(&dest).unwrap().is_empty() && !lone::path(&aside).exists());
    }

    fn list_of(dest: &Path) -> Aside {
        super::list(dest).unwrap().remove(0)
    }
}
