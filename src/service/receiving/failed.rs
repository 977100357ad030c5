//! What a failure of the mirror's disk is to a person.

use crate::disk::{DiskError, Hope};
use crate::service::status::Trouble;

/// What a failure of the mirror's disk is to a person.
pub(super) fn trouble(error: &DiskError, dest: &crate::disk::root::Root) -> Trouble {
    match (error.hope(), error) {
        (Hope::Room, DiskError::NoRoom { needed, free, .. }) => {
            Trouble::DiskFull { needed_bytes: *needed, free_bytes: *free }
        }
        (Hope::Room, _) => Trouble::DiskFull { needed_bytes: 0, free_bytes: dest.free().unwrap_or(0) },
        (Hope::Again | Hope::Person, error) => Trouble::MirrorFails { error: error.to_string() },
    }
}
