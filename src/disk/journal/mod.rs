//! What the mirror keeps beside itself: what is to come (redo), what was (undo), and what stands there (index).
//!
//! It writes beside the mirror only; `apply` writes the mirror.
//!
//! - [`records`]: a file of records that notice damage
//! - [`redo`]: generations that are acknowledged and not yet applied
//! - [`undo`]: the way back, generation by generation
//! - [`index`]: what stands in the mirror, name by name
//! - [`states`]: the states that were, and the one that is kept
//! - [`sums`]: the sums of blocks as the index stores them
//! - [`noted`]: what rots, and until when a POS server wrote there
//! - [`gathering`]: what is noted of setting aside what this machine alone holds

pub mod gathering;
pub mod index;
pub mod noted;
pub mod records;
pub mod redo;
pub mod states;
pub mod sums;
pub mod undo;
