//! How the service of a machine ends, and why it cannot run.

use std::io;
use std::path::PathBuf;

use super::Machine;
use super::note::Note;
use crate::link::identity::IdentityError;
use crate::pair::Duty;
use crate::service::boot::{self, Mark};
use crate::service::member::MemberError;
use crate::service::receiving::Failed;

/// How the service ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Left {
    /// It was asked to.
    Stopped,
    /// Another configuration counts now: it is to begin again.
    Reconfigured,
    /// It serves, and is the main from now on: it is to begin again as that.
    Adopted,
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

impl Machine {
    /// Ends all that works for it.
    pub(super) async fn end(mut self, left: Result<Left, MachineError>) -> Result<Left, MachineError> {
        self.give_up_drill().await;
        self.dumps.end_all().await;
        if let Ok(Left::Stopped) = left {
            if let Some(session) = self.session.take() {
                Mark::Goodbye.set(&self.home);
                session.part(Note::Goodbye { epoch: self.pair.record().epoch }).await;
            }
            boot::end(&self.home);
        }
        // What is sent to the other machine ends only with the way there.
        self.hang_up();
        // Its address is free again only when they are gone.
        for work in self.work.drain(..) {
            work.abort();
            let _ = work.await;
        }
        self.tills.close().await;
        self.own_till.free().await;
        let mut result = left;
        if let Some(mut days) = self.days.take() {
            days.leave().await;
        }
        if let Err((dataset, Failed { why, .. })) = self.close_lanes().await {
            if self.pair.duty() == Duty::Serving {
                result = Err(MachineError::Dataset { dataset, why });
            } else {
                // It is in the redo, and the next start applies it.
                tracing::error!(dataset, why, "what a dataset acknowledged last is not in place");
            }
        }
        result
    }
}
