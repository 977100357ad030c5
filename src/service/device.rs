//! A device that both machines must reach, as people and scripts read how it stands.

use serde::{Deserialize, Serialize};

/// A printer, or another device of the shop.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Device {
    /// What it is called.
    pub name: String,
    /// Its name or address, and its port.
    pub address: String,
    /// The main reaches it; none where that is not known.
    pub main: Option<bool>,
    /// The backup does.
    pub backup: Option<bool>,
}
