//! The locks of a database, by which its programs tell each other what they do: <https://www.sqlite.org/lockingv3.html>.

use std::fs::File;

use rustix::process::{Flock, FlockOffsetType, FlockType, fcntl_getlk};

/// Whoever reads locks one of these bytes; whoever writes pages locks them all, from the first page to the end of the transaction.
const SHARED: u64 = 0x4000_0002;
const SHARED_BYTES: u64 = 510;

/// Whether another process keeps everybody from reading the database in `file`: it writes pages, or it always does so. Where nobody can
/// tell that (an odd file system), nobody does.
pub(super) fn is_locked(file: &File) -> bool {
    let mut wanted = Flock::from(FlockType::ReadLock);
    (wanted.offset_type, wanted.start, wanted.length) = (FlockOffsetType::Set, SHARED, SHARED_BYTES);
    matches!(fcntl_getlk(file, &wanted), Ok(Some(_)))
}
