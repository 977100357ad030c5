//! How the service of a machine ends.

use std::io;
use std::path::PathBuf;

use crate::link::identity::IdentityError;
use crate::service::member::MemberError;

/// How the service ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Left {
    /// It was asked to.
    Stopped,
    /// Another configuration counts now: it is to begin again.
    Reconfigured,
}

/// Why a machine cannot run.
#[derive(Debug, thiserror::Error)]
pub enum MachineError {
    /// What the home knows.
    #[error(transparent)]
    Member(#[from] MemberError),
    /// Its identity.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// Its address.
    #[error("{address}: {error}")]
    Address {
        /// The address.
        address: String,
        /// What the system said.
        error: io::Error,
    },
    /// A dataset.
    #[error("{dataset}: {why}")]
    Dataset {
        /// Its name.
        dataset: String,
        /// Why.
        why: String,
    },
    /// The record of who serves could not be saved: what stands on the disk is to be read again before anything else is done.
    #[error("{}: {error}", path.display())]
    Unsaved {
        /// The folder of the record.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// The system.
    #[error("{0}")]
    System(#[from] io::Error),
}
