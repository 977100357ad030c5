//! How the service of a machine ends, and why it cannot run.

use std::io;

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
    /// The system.
    #[error("{0}")]
    System(#[from] io::Error),
}
