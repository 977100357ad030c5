//! A whole file of settings: read whole or not at all, all that is wrong in it at once.

use toml::de::DeTable;

use super::fault::{Fault, FaultKind};
use super::reading::{Reading, position};
use super::syntax;

/// The text that `bytes` are, as they are on disk.
pub(super) fn text(bytes: &[u8]) -> Result<&str, Vec<Fault>> {
    std::str::from_utf8(bytes).map_err(|error| {
        let good = String::from_utf8_lossy(&bytes[..error.valid_up_to()]);
        let (line, column) = position(&good, good.len());
        vec![Fault { line, column, key: String::new(), what: FaultKind::NotUtf8 }]
    })
}

/// What `read` makes of `text`. All faults are listed, in the order of the lines.
pub(super) fn whole<T>(
    text: &str,
    read: impl for<'r> FnOnce(&'r Reading<'r>, &'r DeTable<'r>) -> Option<T>,
) -> Result<T, Vec<Fault>> {
    let (errors, readable) = syntax::errors(text);
    let (root, _) = DeTable::parse_recoverable(&readable);
    let reading = Reading::new(text, root.get_ref());
    for (at, message) in errors {
        reading.fault(at, "", FaultKind::NotToml(message));
    }
    let read = read(&reading, root.get_ref());
    let faults = reading.faults();
    read.filter(|_| faults.is_empty()).ok_or(faults)
}
