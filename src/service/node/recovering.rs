//! A record that is gone, cannot be read, or is not this machine's: what the proofs of epochs say is enough to begin again, and to
//! serve only when the other machine or a person says so.

use std::fs;
use std::io;
use std::path::Path;

use crate::os::ground;
use crate::pair::{Epoch, Node, Record};
use crate::service::home::{load_record, record_path, save_record};
use crate::service::proofs;

/// No shop ever comes so far.
const FAR: Epoch = 1 << 48;

/// Looks at the record of `node` in `home`. One that cannot be gone on with is kept under another name, and one that can is put in
/// its place. Returns where it is kept, if that was so; nothing is there where it was gone.
pub(super) fn recover(home: &Path, node: Node) -> io::Result<Option<String>> {
    let known = proofs::known(home);
    let is_lost = match load_record(home) {
        Ok(Some(record)) => record.node != node || record.epoch > FAR,
        // Who has never seen an epoch begins with the first.
        Ok(None) => !known.is_empty(),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => true,
        Err(error) => return Err(error),
    };
    if !is_lost {
        return Ok(None);
    }
    let record = Record::recovered(node, &known);
    let path = record_path(home);
    let at = ground::now().strftime("%Y%m%d-%H%M%S");
    let kept = path.with_extension(format!("json.unreadable-{at}"));
    let kept = match fs::rename(&path, &kept) {
        Ok(()) => kept.display().to_string(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(error),
    };
    save_record(home, &record)?;
    tracing::error!(kept, epoch = record.epoch, "the record of who serves could not be gone on with");
    Ok(Some(kept))
}
