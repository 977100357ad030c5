//! Who may do what: reads `[roles]`.

use super::fault::{FaultKind, Wanted};
use super::reading::{Item, Table};

/// Who may do what, beside root and the owner of the home, who may do everything. Each role may do what those before it may.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Roles {
    /// Groups of the system whose users see everything.
    pub viewer: Vec<String>,
    /// Groups whose users act, too.
    pub operator: Vec<String>,
    /// Groups whose users also change who belongs to the store, and open what is locked.
    pub support: Vec<String>,
    /// What makes an operator of somebody who comes from elsewhere.
    pub operator_pin: Option<PinHash>,
    /// What makes a supporter of anybody.
    pub support_pin: Option<PinHash>,
}

/// A PIN as it is kept: `$argon2id$v=19$…`, as `espejo pin` prints it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PinHash(String);

impl PinHash {
    /// The text as it is kept.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn read(item: &Item<'_>) -> Option<Self> {
        let text = item.text()?;
        let parts: Vec<&str> = text.split('$').collect();
        let is_hash =
            matches!(parts.as_slice(), ["", "argon2id", "v=19", _, salt, hash] if !salt.is_empty() && !hash.is_empty());
        if is_hash { Some(Self(text.to_owned())) } else { item.wrong(FaultKind::NoPin) }
    }
}

impl Roles {
    pub(super) fn read(table: &Table<'_>) -> Self {
        let groups = |key| {
            let items = table.get(key).and_then(|item| item.items(Wanted::Texts)).unwrap_or_default();
            items.iter().filter_map(Item::name).collect()
        };
        let pin = |key| table.get(key).and_then(|item| PinHash::read(&item));
        Self {
            viewer: groups("viewer"),
            operator: groups("operator"),
            support: groups("support"),
            operator_pin: pin("operator_pin"),
            support_pin: pin("support_pin"),
        }
    }
}
