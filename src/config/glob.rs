//! Patterns for names of files: what is left out, and what a table is about.

use globset::{Candidate, GlobBuilder, GlobSet, GlobSetBuilder};

use super::fault::{FaultKind, Wanted};
use super::reading::{Item, Seen};

/// A pattern for the files of a dataset.
///
/// Without `/` it is about the name of a file or folder at any depth, with one about the path from the dataset's folder; a
/// `/` at the end says nothing. `*` and `?` stand for anything but `/`, `**` for whole folders, `[a-z]` for one of a row,
/// `{a,b}` for one of several. Bytes are compared, so names need not be UTF-8, and `?` is one byte.
#[derive(Clone, Debug)]
pub struct Glob {
    text: String,
    of_name: bool,
    set: GlobSet,
}

/// The patterns of what a dataset leaves out. What lies in a folder that is left out is left out, too.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Exclude {
    globs: Vec<Glob>,
}

impl Glob {
    /// Reads a pattern; says in English what is wrong with it.
    pub fn new(text: &str) -> Result<Self, String> {
        let bare = text.strip_suffix('/').unwrap_or(text);
        let of_name = !bare.contains('/');
        let bare = bare.strip_prefix('/').unwrap_or(bare);
        if bare.is_empty() || bare.split('/').any(|name| matches!(name, "" | "." | "..")) {
            return Err("it names nothing inside the dataset".to_owned());
        }
        let glob = GlobBuilder::new(bare).literal_separator(true).build().map_err(|error| error.kind().to_string())?;
        let set = GlobSetBuilder::new().add(glob).build().map_err(|error| error.kind().to_string())?;
        Ok(Self { text: text.to_owned(), of_name, set })
    }

    /// The pattern as it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether the file or folder at `path` is meant; `path` is relative to the dataset's folder, with `/` between names.
    #[must_use]
    pub fn is_match(&self, path: &[u8]) -> bool {
        let name_at = path.iter().rposition(|&byte| byte == b'/').map_or(0, |at| at + 1);
        let looked_at = if self.of_name { &path[name_at..] } else { path };
        self.set.is_match_candidate(&Candidate::from_bytes(looked_at))
    }

    pub(super) fn read(item: &Item<'_>) -> Option<Self> {
        let text = item.text()?;
        Self::new(text).map_err(|why| item.fault(FaultKind::NoGlob(why))).ok()
    }
}

impl PartialEq for Glob {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Glob {}

impl Exclude {
    /// The patterns, in the order in which they are written.
    #[must_use]
    pub fn globs(&self) -> &[Glob] {
        &self.globs
    }

    /// The pattern by which `path` is left out, if one does; `path` is relative to the dataset's folder.
    #[must_use]
    pub fn excludes(&self, path: &[u8]) -> Option<&Glob> {
        let ends = path.iter().enumerate().filter(|(_, byte)| **byte == b'/').map(|(at, _)| at);
        ends.chain([path.len()]).find_map(|end| self.globs.iter().find(|glob| glob.is_match(&path[..end])))
    }

    /// Reads the list at `item`, for a dataset whose folder on the main is `main`.
    pub(super) fn read(item: &Item<'_>, main: Option<&str>) -> Option<Self> {
        let (mut globs, mut seen) = (vec![], Seen::default());
        for item in item.items(Wanted::Texts)? {
            let Some(glob) = Glob::read(&item) else { continue };
            if let Some(inside) = main.and_then(|main| within(glob.as_str(), main)) {
                item.fault(FaultKind::NotInside { near: Some(inside) });
            }
            if ["*", "**", "**/*", "/*", "/**"].contains(&glob.as_str()) {
                item.fault(FaultKind::AllExcluded);
            }
            seen.note(&item, glob.as_str());
            globs.push(glob);
        }
        Some(Self { globs })
    }
}

/// What is left of `path` when it begins with the folder `main`: the same path, written as it is meant to be.
pub(super) fn within(path: &str, main: &str) -> Option<String> {
    let rest = path.strip_prefix(main.trim_end_matches('/'))?.strip_prefix('/')?;
    (!rest.is_empty()).then(|| rest.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exclude(globs: &[&str]) -> Exclude {
        Exclude { globs: globs.iter().map(|glob| Glob::new(glob).unwrap()).collect() }
    }

    #[test]
    fn a_name_at_any_depth_a_path_from_the_root() {
        let rows: [(&str, &[&str], &[&str]); 9] = [
            ("*.tmp", &["a.tmp", "x/y/b.tmp", ".tmp", "dir.tmp/inside"], &["a.tmp2", "tmp"]),
            ("cache", &["cache", "x/cache", "cache/inside/deep"], &["cache2", "my/cachet"]),
            ("cache/", &["cache", "x/cache/y"], &["cache2"]),
            ("/cache", &["cache", "cache/x"], &["x/cache"]),
            ("log/*.old", &["log/a.old"], &["x/log/a.old", "log/x/a.old"]),
            ("log/**", &["log/a", "log/a/b"], &["log", "x/log/a"]),
            ("**/old", &["old", "a/b/old", "a/old/x"], &["older"]),
            ("POS-?.[0-9]", &["POS-Q.7", "x/POS-R.0"], &["POS-QQ.7", "POS-Q.x"]),
            ("*.{bak,old}", &["a.bak", "x/a.old"], &["a.tmp"]),
        ];
        for (glob, out, kept) in rows {
            let exclude = exclude(&[glob]);
            for path in out {
                assert!(exclude.excludes(path.as_bytes()).is_some(), "{glob} keeps {path}");
            }
            for path in kept {
                assert!(exclude.excludes(path.as_bytes()).is_none(), "{glob} leaves out {path}");
            }
        }
    }

    #[test]
    fn names_need_not_be_utf_8() {
        let exclude = exclude(&["*.tmp", "ñ?"]);
        assert_eq!(exclude.excludes(b"caf\xe9/\xff\xfe.tmp").map(Glob::as_str), Some("*.tmp"));
        assert_eq!(exclude.excludes(b"\xc3\xb1\xff").map(Glob::as_str), Some("ñ?"));
        assert_eq!(exclude.excludes(b"\xff\xfe.tm"), None);
        assert_eq!(Exclude::default().excludes(b""), None);
    }

    #[test]
    fn what_is_no_pattern() {
        for bad in ["", "/", "a//b", "../x", "./x", "[a", "{a,b", "a[z-a]"] {
            assert!(Glob::new(bad).is_err(), "{bad}");
        }
    }
}
