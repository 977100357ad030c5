//! A record that is gone, cannot be read, or is not this machine's: what the proofs of epochs say is enough to begin again, and to
//! serve only when the other machine or a person says so.

use std::io;
use std::path::Path;

use crate::pair::{Epoch, Node, Record};
use crate::service::home::{keep_aside, load_record, record_path, save_record};
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
    let kept = keep_aside(&record_path(home))?;
    save_record(home, &record)?;
    tracing::error!(kept, epoch = record.epoch, "the record of who serves could not be gone on with");
    Ok(Some(kept))
}
