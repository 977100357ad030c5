//! What a mirror makes of generations, in as few lines as it takes: no journal, no proof.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use espejo::disk::capture::Captured;
use espejo::disk::capture::outgoing::{self, Outgoing};
use espejo::replica::{Content, Grade, Part, Position, RelPath};

/// Files, by name.
#[derive(Default)]
pub struct Copied {
    files: BTreeMap<RelPath, Vec<u8>>,
    /// Bytes of content that came last.
    pub came: usize,
    /// What the last ones overwrote is set aside.
    pub aside: bool,
}

impl Copied {
    /// Takes a generation in.
    pub fn take(&mut self, captured: &Captured) {
        let mut parts = vec![];
        let mut out = |part| {
            parts.push(part);
            Ok(())
        };
        let begin = outgoing::step(1, Position::default(), captured);
        let mut outgoing = Outgoing::begin(begin, &mut out).unwrap();
        outgoing.captured(captured).unwrap();
        outgoing.end(Grade::Exact).unwrap();
        (self.came, self.aside) = (0, captured.aside);
        let before = self.files.clone();
        // A base is taken away from its name before anything is put.
        for part in &parts {
            match part {
                Part::Gone(path) => drop(self.files.remove(path)),
                Part::Put(put) => {
                    if let Content::File { base: Some(base), .. } = &put.content {
                        self.files.remove(base);
                    }
                }
                _ => {}
            }
        }
        let mut open = RelPath::root();
        for part in parts {
            match part {
                Part::Put(put) => {
                    if let Content::File { size, base, .. } = put.content {
                        let mut bytes = base.and_then(|base| before.get(&base).cloned()).unwrap_or_default();
                        bytes.resize(usize::try_from(size).unwrap(), 0);
                        self.files.insert(put.path.clone(), bytes);
                        open = put.path;
                    }
                }
                Part::Data(data) => {
                    let file = self.files.get_mut(&open).unwrap();
                    let at = usize::try_from(data.offset).unwrap();
                    file[at..at + data.bytes.len()].copy_from_slice(&data.bytes);
                    self.came += data.bytes.len();
                }
                Part::Zero { first, count } => {
                    let file = self.files.get_mut(&open).unwrap();
                    let block = |number: u64| usize::try_from(number).unwrap() * espejo::replica::BLOCK;
                    let end = block(first + count).min(file.len());
                    file[block(first)..end].fill(0);
                }
                Part::Begin(_) | Part::Gone(_) | Part::End(_) => {}
            }
        }
    }

    /// The names of the files.
    pub fn names(&self) -> Vec<String> {
        self.files.keys().map(ToString::to_string).collect()
    }

    /// Writes them into a folder, where nothing stood before.
    pub fn write(&self, folder: &Path) {
        let _ = fs::remove_dir_all(folder);
        fs::create_dir_all(folder).unwrap();
        for (path, bytes) in &self.files {
            fs::write(folder.join(path.to_string()), bytes).unwrap();
        }
    }
}
