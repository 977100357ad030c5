//! `f_s.doc`: the two lines by which the shops' own programs know their two machines.

use std::ffi::OsStr;

use super::address::{Address, PORT};

/// What `f_s.doc` says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FsDoc {
    /// The store and its main: both are called so.
    pub main: FsName,
    /// The backup.
    pub backup: FsName,
}

/// A name as it stands there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FsName(String);

/// Why a file is no `f_s.doc`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum FsDocFault {
    /// No text in one of the two encodings.
    NoText,
    /// Line 1, the store and its main, is empty.
    NoMain,
    /// Line 2, the backup, is empty or not there.
    NoBackup,
    /// Both lines are the same.
    Same,
    /// There is something in this line, where nothing is meant to be.
    MoreLines(usize),
}

impl FsName {
    /// The name, without blanks around it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether blanks stand inside it: no machine is called so, and a person is to be asked for its address.
    #[must_use]
    pub fn has_blanks(&self) -> bool {
        self.0.contains(char::is_whitespace)
    }

    /// The address that follows from it, `NAME:7410`; `None` when no machine can be called so.
    #[must_use]
    pub fn address(&self) -> Option<Address> {
        Address::new(&self.0, PORT)
    }
}

impl FsDoc {
    /// Reads the bytes of the file: UTF-8, with its mark or without, or Windows-1252. All faults are listed.
    pub fn parse(bytes: &[u8]) -> Result<Self, Vec<FsDocFault>> {
        let text = decode(bytes).ok_or_else(|| vec![FsDocFault::NoText])?;
        // Old editors end a text with Ctrl-Z.
        let mut lines = text.trim_end_matches(['\u{1a}', '\0']).lines().map(str::trim);
        let (main, backup) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
        let mut faults = vec![];
        if [main, backup].iter().any(|name| name.contains(char::is_control)) {
            faults.push(FsDocFault::NoText);
        }
        if main.is_empty() {
            faults.push(FsDocFault::NoMain);
        }
        if backup.is_empty() {
            faults.push(FsDocFault::NoBackup);
        } else if main.to_lowercase() == backup.to_lowercase() {
            faults.push(FsDocFault::Same);
        }
        if let Some(more) = lines.position(|line| !line.is_empty()) {
            faults.push(FsDocFault::MoreLines(more + 3));
        }
        let name = |name: &str| FsName(name.to_owned());
        if faults.is_empty() { Ok(Self { main: name(main), backup: name(backup) }) } else { Err(faults) }
    }

    /// Which of a folder's `names` is the file, whatever the case of its letters: as it is usually written first, then the
    /// first by bytes.
    pub fn find<'n>(names: impl IntoIterator<Item = &'n OsStr>) -> Option<&'n OsStr> {
        let is_it = |name: &&OsStr| name.eq_ignore_ascii_case("f_s.doc");
        names.into_iter().filter(is_it).min_by_key(|name| (*name != "f_s.doc", *name))
    }
}

/// The text of `bytes`; `None` for what is in neither encoding, such as a document of a word processor.
fn decode(bytes: &[u8]) -> Option<String> {
    let bare = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    match std::str::from_utf8(bare) {
        Ok(text) => Some(text.to_owned()),
        Err(_) => bytes.iter().map(|&byte| windows_1252(byte)).collect(),
    }
}

/// A byte of Windows-1252; `None` for the five that it does not have, and for what no line of text holds.
fn windows_1252(byte: u8) -> Option<char> {
    /// From 0x80 to 0x9f; a space stands for none.
    const HIGH: &str = "€ ‚ƒ„…†‡ˆ‰Š‹Œ Ž  ‘’“”•–—˜™š›œ žŸ";
    match byte {
        0 => None,
        0x80..=0x9f => HIGH.chars().nth(usize::from(byte - 0x80)).filter(|letter| *letter != ' '),
        other => Some(char::from(other)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(bytes: &[u8]) -> (String, String) {
        let doc = FsDoc::parse(bytes).unwrap();
        (doc.main.0, doc.backup.0)
    }

    #[test]
    fn however_an_editor_left_it() {
        let expected = ("SERVIDOR".to_owned(), "CAJA-Ñ".to_owned());
        let left: [&[u8]; 7] = [
            "SERVIDOR\nCAJA-Ñ".as_bytes(),
            "SERVIDOR\r\nCAJA-Ñ\r\n".as_bytes(),
            "\u{feff}SERVIDOR\r\nCAJA-Ñ\r\n".as_bytes(),
            " SERVIDOR \t\r\nCAJA-Ñ  \r\n\r\n  \r\n".as_bytes(),
            b"SERVIDOR\r\nCAJA-\xd1\r\n",
            b"SERVIDOR\nCAJA-\xd1\x1a",
            "SERVIDOR\r\nCAJA-Ñ\r\n\u{1a}".as_bytes(),
        ];
        for bytes in left {
            assert_eq!(names(bytes), expected, "{}", bytes.escape_ascii());
        }
        assert_eq!(names(b"a\n\x80\x9f\x8e").1, "€ŸŽ");
    }

    #[test]
    fn blanks_inside_are_told() {
        let doc = FsDoc::parse(b"TIENDA CENTRO\r\nCAJA3\r\n").unwrap();
        assert!(doc.main.has_blanks() && !doc.backup.has_blanks());
        assert_eq!(doc.main.address(), None);
        assert_eq!(doc.backup.address().unwrap().to_string(), "CAJA3:7410");
    }

    #[test]
    fn what_is_not_such_a_file() {
        use FsDocFault::{MoreLines, NoBackup, NoMain, NoText, Same};
        let wrong: [(&[u8], &[FsDocFault]); 8] = [
            (b"", &[NoMain, NoBackup]),
            (b"SERVIDOR\n\n", &[NoBackup]),
            (b"\nCAJA", &[NoMain]),
            (b"CAJA\ncaja", &[Same]),
            (b"a\nb\n\nc", &[MoreLines(4)]),
            (b"\n\nc", &[NoMain, NoBackup, MoreLines(3)]),
            (b"\xff\xfeS\0E\0", &[NoText]),
            (b"a\x1b[2J\nb", &[NoText]),
        ];
        for (bytes, faults) in wrong {
            assert_eq!(FsDoc::parse(bytes).unwrap_err(), faults, "{}", bytes.escape_ascii());
        }
    }

    #[test]
    fn it_is_found_whatever_the_case() {
        let find = |names: &[&'static str]| FsDoc::find(names.iter().map(|name: &&'static str| OsStr::new(*name)));
        assert_eq!(find(&["a", "F_S.Doc", "F_S.DOC"]), Some(OsStr::new("F_S.DOC")));
        assert_eq!(find(&["F_S.DOC", "f_s.doc"]), Some(OsStr::new("f_s.doc")));
        assert_eq!(find(&["f_s.docx", "xf_s.doc"]), None);
    }
}
