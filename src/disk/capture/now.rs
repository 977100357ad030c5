//! What stands in the source now, every byte of it read, without what the mirror is known to hold.

use super::Source;
use super::outgoing::Stopped;
use super::stream::Broken;
use crate::disk::read::sums;
use crate::disk::stamp::{Shape, Stamp};
use crate::disk::walk::{Found, walk};
use crate::replica::{Body, RelPath};

impl Source {
    /// Says each file and symbolic link that stands there now, with its sums. What cannot be read is passed over.
    pub fn each_now(&self, say: &mut dyn FnMut(&RelPath, &Body) -> Result<(), Stopped>) -> Result<(), Broken> {
        let mut names = vec![];
        let walked = walk(&self.root, &RelPath::root(), &|path| self.exclude.takes(path), &mut |found| {
            if let Found::Entry(path, stamp) = found {
                names.push((path, stamp));
            }
        });
        walked.map_err(|error| self.gone(error))?;
        for (path, stamp) in &names {
            if let Some(body) = self.now(path, stamp) {
                say(path, &body)?;
            }
        }
        Ok(())
    }

    fn now(&self, path: &RelPath, stamp: &Stamp) -> Option<Body> {
        match stamp.shape {
            Shape::File => {
                let file = self.root.open_file(path).ok()?;
                let blocks = sums(&file, stamp.size, stamp.is_sparse()).ok()?;
                Some(Body::File { size: stamp.size, blocks })
            }
            Shape::Symlink => Some(Body::Symlink { target: self.root.read_link(path).ok()?.into() }),
            Shape::Dir | Shape::Special => None,
        }
    }
}
