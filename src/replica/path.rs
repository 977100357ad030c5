//! A name inside a dataset.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

/// A path relative to a dataset's folder, as bytes with `/` between the names; empty for the folder itself.
///
/// It never leads out of the folder: no empty name, no `.` or `..`, no NUL, no leading `/`. Names need not be UTF-8. A
/// folder sorts before what is in it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "ByteBuf", into = "ByteBuf")]
pub struct RelPath(Box<[u8]>);

/// Bytes that are not a path inside a dataset.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{} is not a name inside a dataset", String::from_utf8_lossy(.0))]
pub struct BadPath(pub Vec<u8>);

impl RelPath {
    /// The dataset's folder itself.
    #[must_use]
    pub fn root() -> Self {
        Self(Box::default())
    }

    /// Takes `bytes` as a path, if it leads nowhere but inside the dataset.
    pub fn new(bytes: &[u8]) -> Result<Self, BadPath> {
        let good = bytes.is_empty()
            || bytes
                .split(|&byte| byte == b'/')
                .all(|name| !name.is_empty() && name != b"." && name != b".." && !name.contains(&0));
        if good { Ok(Self(bytes.into())) } else { Err(BadPath(bytes.to_vec())) }
    }

    /// The path of `name` in this folder. `name` is one that the system gave, so it has no `/`.
    #[must_use]
    pub fn join(&self, name: &[u8]) -> Self {
        if self.0.is_empty() {
            return Self(name.into());
        }
        let mut bytes = Vec::with_capacity(self.0.len() + 1 + name.len());
        bytes.extend_from_slice(&self.0);
        bytes.push(b'/');
        bytes.extend_from_slice(name);
        Self(bytes.into())
    }

    /// The bytes of the path.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Whether this is the dataset's folder itself.
    #[must_use]
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// The folder that holds this path and the name in it; `None` for the root.
    #[must_use]
    pub fn split(&self) -> Option<(&[u8], &[u8])> {
        if self.0.is_empty() {
            return None;
        }
        match self.0.iter().rposition(|&byte| byte == b'/') {
            Some(at) => Some((&self.0[..at], &self.0[at + 1..])),
            None => Some((b"", &self.0)),
        }
    }

    /// The folder that holds this path; the root holds itself.
    #[must_use]
    pub fn parent(&self) -> Self {
        Self(self.split().map_or(Box::default(), |(parent, _)| parent.into()))
    }

    /// Every folder above this path, the nearest first, the root last.
    pub fn ancestors(&self) -> impl Iterator<Item = Self> + use<> {
        let mut next = (!self.is_root()).then(|| self.parent());
        std::iter::from_fn(move || {
            let here = next.take()?;
            next = (!here.is_root()).then(|| here.parent());
            Some(here)
        })
    }

    /// Whether this path is `folder` or below it.
    #[must_use]
    pub fn is_within(&self, folder: &Self) -> bool {
        folder.is_root() || (self.0.starts_with(&folder.0) && matches!(self.0.get(folder.0.len()), None | Some(b'/')))
    }

    /// How many names the path has; 0 for the root.
    #[must_use]
    pub fn depth(&self) -> usize {
        if self.is_root() { 0 } else { self.0.split(|&byte| byte == b'/').count() }
    }

    /// The path as people may read it: what is no text or would move the cursor is escaped.
    #[must_use]
    pub fn shown(&self) -> Cow<'_, str> {
        match std::str::from_utf8(&self.0) {
            Ok(text) if !text.chars().any(char::is_control) => Cow::Borrowed(text),
            _ => Cow::Owned(escape(&self.0)),
        }
    }
}

fn escape(bytes: &[u8]) -> String {
    let mut shown = String::with_capacity(bytes.len() + 8);
    for chunk in bytes.utf8_chunks() {
        for letter in chunk.valid().chars() {
            if letter.is_control() {
                shown.extend(letter.escape_default());
            } else {
                shown.push(letter);
            }
        }
        for byte in chunk.invalid() {
            shown.extend(['\\', 'x', hex(byte >> 4), hex(byte & 15)]);
        }
    }
    shown
}

fn hex(digit: u8) -> char {
    char::from_digit(u32::from(digit), 16).unwrap_or('?')
}

impl fmt::Display for RelPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_root() { "." } else { "" })?;
        f.write_str(&self.shown())
    }
}

impl fmt::Debug for RelPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl TryFrom<ByteBuf> for RelPath {
    type Error = BadPath;

    fn try_from(bytes: ByteBuf) -> Result<Self, BadPath> {
        Self::new(&bytes)
    }
}

impl From<RelPath> for ByteBuf {
    fn from(path: RelPath) -> Self {
        Self::from(path.0.into_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> RelPath {
        RelPath::new(text.as_bytes()).unwrap()
    }

    #[test]
    fn nothing_leads_out_of_the_folder() {
        for bad in ["/etc/passwd", "..", "a/../b", "a//b", "a/", "./a", "a\0b", "."] {
            assert_eq!(RelPath::new(bad.as_bytes()), Err(BadPath(bad.as_bytes().to_vec())), "{bad}");
            let sent = postcard::to_stdvec(serde_bytes::Bytes::new(bad.as_bytes())).unwrap();
            assert!(postcard::from_bytes::<RelPath>(&sent).is_err(), "{bad} came through a frame");
        }
    }

    #[test]
    fn folders_and_names() {
        assert_eq!(path("a/b/c").split(), Some((&b"a/b"[..], &b"c"[..])));
        assert_eq!(path("a").parent(), RelPath::root());
        assert_eq!(path("a/b").ancestors().collect::<Vec<_>>(), [path("a"), RelPath::root()]);
        assert_eq!(RelPath::root().ancestors().count(), 0);
        assert_eq!(RelPath::root().join(b"a").join(b"b"), path("a/b"));
        assert!(path("a/b").is_within(&path("a")) && path("a").is_within(&path("a")));
        assert!(!path("ab").is_within(&path("a")) && path("ab").is_within(&RelPath::root()));
        assert_eq!((RelPath::root().depth(), path("a/b").depth()), (0, 2));
    }

    #[test]
    fn a_name_cannot_move_the_cursor_of_who_reads_it() {
        let name = RelPath::new(b"a\n\x1b[2J\xff\xc3\xb1").unwrap();
        assert_eq!(name.shown(), "a\\n\\u{1b}[2J\\xff\u{f1}");
    }
}
