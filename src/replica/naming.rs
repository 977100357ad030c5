//! Which names of files are the same file, and where a file that has a new name stood before.
//!
//! A rename, a rotation (`ORDER.QUE` to `ORDER.1`), a swap and a file replaced by a new one of its name are all said in one
//! way: each file names its *base*, the name under which its bytes stood before. This is never more than a saving: what
//! differs from the base travels, whatever the base.

use std::collections::{BTreeMap, BTreeSet};

use super::RelPath;

/// What makes two names the same file: device and inode number.
pub type Inode = (u64, u64);

/// What a name of a file is to be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Role {
    /// The first name of its file, whose bytes stood under `base` before.
    File {
        /// The name before, which may be the same; none for a file that was not there.
        base: Option<RelPath>,
    },
    /// Another name of the file at `to`.
    Link {
        /// The first name.
        to: RelPath,
    },
}

/// Finds the role of each name in `now`, where `before` says which names held a file's content (not a link) before.
///
/// Names that are not in `now` are gone. A base is given once: a file that moved takes its own, then a file under the same
/// name as before takes what nobody took.
#[must_use]
pub fn roles(before: &BTreeMap<RelPath, Inode>, now: &BTreeMap<RelPath, Inode>) -> BTreeMap<RelPath, Role> {
    let mut first_names: BTreeMap<Inode, &RelPath> = BTreeMap::new();
    for (path, inode) in now {
        first_names.entry(*inode).or_insert(path);
    }
    let stood: BTreeMap<Inode, &RelPath> = before.iter().map(|(path, inode)| (*inode, path)).collect();
    let taken: BTreeSet<&RelPath> = first_names.keys().filter_map(|inode| stood.get(inode).copied()).collect();
    now.iter()
        .map(|(path, inode)| {
            let first = first_names[inode];
            let role = if first == path {
                let same_name =
                    || before.get_key_value(path).map(|(path, _)| path).filter(|path| !taken.contains(path));
                Role::File { base: stood.get(inode).copied().or_else(same_name).cloned() }
            } else {
                Role::Link { to: first.clone() }
            };
            (path.clone(), role)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(name: &str) -> RelPath {
        RelPath::new(name.as_bytes()).unwrap()
    }

    /// `before` and `now` as "name=inode …"; the answer as "name<base" or "name=first".
    fn told(before: &str, now: &str) -> String {
        let names = |text: &str| {
            text.split_whitespace()
                .map(|word| word.split_once('=').unwrap())
                .map(|(name, inode)| (path(name), (0, inode.parse().unwrap())))
                .collect()
        };
        let shown = roles(&names(before), &names(now)).into_iter().map(|(path, role)| match role {
            Role::File { base: Some(base) } => format!("{path}<{base}"),
            Role::File { base: None } => format!("{path}<"),
            Role::Link { to } => format!("{path}={to}"),
        });
        shown.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn each_file_names_where_its_bytes_stood() {
        assert_eq!(told("a=1", "a=1"), "a<a", "edited in place");
        assert_eq!(told("a=1", "a=2"), "a<a", "written anew and renamed over");
        assert_eq!(told("a=1", "b=1"), "b<a", "renamed");
        assert_eq!(told("a=1 b=2", "a=2 b=1"), "a<b b<a", "swapped");
        assert_eq!(told("q=1", "q=2 q.1=1"), "q< q.1<q", "rotated");
        assert_eq!(told("a=1 b=2", "b=1"), "b<a", "renamed over another");
        assert_eq!(told("", "a=1"), "a<", "new");
    }

    #[test]
    fn names_of_one_file_follow_the_first() {
        assert_eq!(told("b=1", "a=1 b=1"), "a<b b=a", "a name before the first");
        assert_eq!(told("a=1", "b=1 c=1"), "b<a c=b", "the first name is gone");
        assert_eq!(told("a=1", "a=2 a.bak=1"), "a< a.bak<a", "kept by a link, then written anew");
    }
}
