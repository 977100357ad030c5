//! Printers and other devices that both machines must reach.

use super::address::Address;
use super::reading::{Seen, Table};

/// A device of the shop, as an order printer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Device {
    /// What people call it.
    pub name: String,
    /// Where it takes connections.
    pub address: Address,
}

/// Reads every `[[device]]`.
pub(super) fn read(root: &Table<'_>) -> Vec<Device> {
    let mut seen = Seen::default();
    let device = |table: &Table<'_>, seen: &mut Seen| {
        let (name, address) = (table.need("name"), table.need("address"));
        let address = address.and_then(|item| Address::read(&item));
        let item = name?;
        let name = item.name()?;
        seen.note(&item, &name.to_lowercase());
        Some(Device { name, address: address? })
    };
    root.tables("device").iter().filter_map(|table| device(table, &mut seen)).collect()
}

#[cfg(test)]
mod tests {
    use crate::config::store::Store;

    const STORE: &str = "store = \"Centro\"\n[main]\naddress = \"10.0.0.1:7410\"\n[backup]\naddress = \"10.0.0.2:7410\"\n\
        [[dataset]]\nname = \"pos\"\nmain = \"/srv/pos\"\n";

    fn read(devices: &str) -> Result<Vec<String>, Vec<(usize, String)>> {
        let store = Store::parse(&format!("{STORE}{devices}"));
        let named = |store: Store| {
            store.devices.into_iter().map(|device| format!("{} {}", device.name, device.address)).collect()
        };
        store.map(named).map_err(|faults| faults.into_iter().map(|fault| (fault.line, fault.key)).collect())
    }

    #[test]
    fn each_has_a_name_of_its_own_and_an_address() {
        assert_eq!(read(""), Ok(vec![]));
        let two = "[[device]]\nname = \"KITCHEN\"\naddress = \"10.0.0.40:9100\"\n[[device]]\nname = \"BAR\"\naddress = \"bar:9100\"\n";
        assert_eq!(read(two), Ok(vec!["KITCHEN 10.0.0.40:9100".into(), "BAR bar:9100".into()]));
        let wrong = "[[device]]\nname = \"KITCHEN\"\naddress = \"10.0.0.40\"\n[[device]]\nname = \"kitchen\"\naddress = \"a:1\"\n[[device]]\n";
        let faults = read(wrong).unwrap_err();
        let keys: Vec<_> = faults.iter().map(|(_, key)| key.as_str()).collect();
        assert_eq!(keys, ["device.address", "device.name", "device.name", "device.address"], "{faults:?}");
    }
}
