//! Who changes the server, and on what terms.

use std::time::Duration;

use super::fault::FaultKind;
use super::reading::{Item, Table};

/// How long the main must be silent before the backup may start by itself: 30 seconds.
pub const PROMOTE_AFTER: Duration = Duration::from_secs(30);
/// How long the main must have been there and well before it has its place again by itself: a minute.
pub const RETURN_AFTER: Duration = Duration::from_secs(60);
/// How many days the backup may serve where nothing else is said.
pub const LICENCE_DAYS: u32 = 10;

/// The terms of the backup.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Licence {
    /// How many days it may serve when no vendor is named; from 1 to 3650.
    pub days: u32,
    /// Whose signed licence the start needs; `None`: nobody's, the days are counted and shown all the same.
    pub vendor_key: Option<VendorKey>,
}

/// A vendor's public key as it is handed out: `k4.public.` and 43 letters.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct VendorKey(String);

/// Who begins a change of server.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    /// A person.
    Ask,
    /// Espejo itself, when it is sure.
    Auto,
}

/// Who starts the backup server, and when.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Promote {
    /// Who; by itself only where terminals vote.
    pub mode: Mode,
    /// How long the main must have been down.
    pub after: Duration,
}

/// Who returns to the main server.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Return {
    /// Who.
    pub mode: Mode,
    /// How long it must have been possible, before it is done by itself.
    pub after: Duration,
}

const MODES: [(&str, Mode); 2] = [("ask", Mode::Ask), ("auto", Mode::Auto)];

impl VendorKey {
    /// The key as it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn read(item: &Item<'_>) -> Option<Self> {
        let text = item.text()?;
        // 32 bytes, six bits a letter.
        let is_key =
            |rest: &str| rest.len() == 43 && rest.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c));
        let is_public = text.strip_prefix("k4.public.").is_some_and(is_key);
        if is_public { Some(Self(text.to_owned())) } else { item.wrong(FaultKind::NoPublicKey) }
    }
}

impl Licence {
    pub(super) fn read(table: &Table<'_>) -> Self {
        Self {
            days: table.get("days").and_then(|item| item.small_number(1..=3650)).unwrap_or(LICENCE_DAYS),
            vendor_key: table.get("vendor_key").and_then(|item| VendorKey::read(&item)),
        }
    }
}

impl Promote {
    /// Reads `[promote]`; `has_terminals`: somebody can bear witness.
    pub(super) fn read(table: &Table<'_>, has_terminals: bool) -> Self {
        let item = table.get("mode");
        let mode = item.as_ref().and_then(|item| item.one_of(&MODES)).unwrap_or(Mode::Ask);
        if let (Some(item), Mode::Auto, false) = (&item, mode, has_terminals) {
            item.fault(FaultKind::Needs("[terminals]"));
        }
        Self { mode, after: table.span("after", PROMOTE_AFTER, Duration::ZERO..=Duration::from_secs(86_400)) }
    }
}

impl Return {
    pub(super) fn read(table: &Table<'_>) -> Self {
        let mode = table.get("mode").and_then(|item| item.one_of(&MODES)).unwrap_or(Mode::Ask);
        Self { mode, after: table.span("after", RETURN_AFTER, Duration::ZERO..=Duration::from_secs(86_400)) }
    }
}
