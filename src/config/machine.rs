//! The two machines.

use super::address::Address;
use super::fault::FaultKind;
use super::reading::{Item, Table};

/// One of the two machines.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Machine {
    /// What people call it; the host of its address where nothing else is said.
    pub name: String,
    /// Where it is reached: heartbeat, control and bulk.
    pub address: Address,
}

/// The two machines by their home roles.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Machines {
    /// The one that serves.
    pub main: Machine,
    /// The one that takes over.
    pub backup: Machine,
}

impl Machines {
    pub(super) fn read(root: &Table<'_>) -> Option<Self> {
        let (main, backup) = (root.section("main"), root.section("backup"));
        let (main_item, backup_item) = (main.need("address"), backup.need("address"));
        let (main_at, backup_at) =
            (main_item.as_ref().and_then(Address::read), backup_item.as_ref().and_then(Address::read));
        let (main_name, backup_name) = (main.get("name"), backup.get("name"));
        let names = [&main_name, &backup_name].map(|item| item.as_ref().map(Item::name));
        if let (Some(first), Some(second), [Some(Some(one)), Some(Some(other))]) = (&main_name, &backup_name, &names)
            && one.to_lowercase() == other.to_lowercase()
        {
            second.fault(FaultKind::Twice(first.line()));
        }
        if let (Some(first), Some(second), Some(one), Some(other)) = (&main_item, &backup_item, &main_at, &backup_at) {
            reachable(first, second, one, other);
        }
        let [main_name, backup_name] = names;
        let machine = |name: Option<Option<String>>, address: Option<Address>| {
            let address = address?;
            Some(Machine { name: name.unwrap_or_else(|| Some(address.host().to_owned()))?, address })
        };
        Some(Self { main: machine(main_name, main_at)?, backup: machine(backup_name, backup_at)? })
    }
}

/// Each must reach the other: both on one machine is a trial, one alone is a slip.
fn reachable(first: &Item<'_>, second: &Item<'_>, one: &Address, other: &Address) {
    for (item, address, far) in [(first, one, other), (second, other, one)] {
        if address.is_unspecified() || address.is_local() && !far.is_local() {
            item.fault(FaultKind::OnlyThisMachine);
        }
    }
    if one.is_same(other) {
        second.fault(FaultKind::Twice(first.line()));
    }
}
