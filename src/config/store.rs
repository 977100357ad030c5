//! The whole of a `store.toml`.

use toml::de::DeTable;

use super::alarm::{Alarm, Support};
use super::change::{Licence, Promote, Return};
use super::counter::{self, Counter};
use super::dataset::{self, Dataset};
use super::device::{self, Device};
use super::drill::Drill;
use super::fault::Fault;
use super::hooks::Hooks;
use super::machine::{Machine, Machines};
use super::mirror::Mirror;
use super::reading::Reading;
use super::roles::Roles;
use super::server::Servers;

use super::terminals::Terminals;
use super::whole;

/// All that is set for a store. The text of its `store.toml` is the truth, and travels; this is what it says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Store {
    /// What people call the store.
    pub name: String,
    /// The machine that was set up as main.
    pub main: Machine,
    /// The machine that was set up as backup.
    pub backup: Machine,
    /// The roles have changed since: the machine of `[backup]` is the main (`home = "backup"`).
    pub is_adopted: bool,
    /// How the mirror is kept.
    pub mirror: Mirror,
    /// What is mirrored: at least one, `{data}` is the first.
    pub datasets: Vec<Dataset>,
    /// The numbers that must never be given twice.
    pub counters: Vec<Counter>,
    /// The POS server program; `None`: only a mirror is kept.
    pub servers: Option<Servers>,
    /// How a drill is held.
    pub drill: Drill,
    /// The POS terminals; `None`: no agents.
    pub terminals: Option<Terminals>,
    /// What both machines must reach.
    pub devices: Vec<Device>,
    /// The terms of the backup.
    pub licence: Licence,
    /// Who starts the backup server, and when.
    pub promote: Promote,
    /// Who returns to the main server.
    pub returning: Return,
    /// How the screen comes forward.
    pub alarm: Alarm,
    /// Whom to ask.
    pub support: Support,
    /// What else is run.
    pub hooks: Hooks,
    /// Who may do what.
    pub roles: Roles,
}

/// Which machine is the main: the one that was set up as such, or the other one since it was adopted.
const HOMES: [(&str, bool); 2] = [("main", false), ("backup", true)];

impl Store {
    /// Reads the bytes of a `store.toml`, as it is on disk. All faults are listed, in the order of the lines.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Vec<Fault>> {
        Self::parse(whole::text(bytes)?)
    }

    /// Reads the text of a `store.toml`. All faults are listed, in the order of the lines.
    pub fn parse(text: &str) -> Result<Self, Vec<Fault>> {
        whole::whole(text, Self::read)
    }

    fn read<'r>(reading: &'r Reading<'r>, map: &'r DeTable<'r>) -> Option<Self> {
        let root = reading.root(map);
        let name = root.need("store").and_then(|item| item.name());
        let home = root.get("home").and_then(|item| item.one_of(&HOMES));
        let machines = Machines::read(&root);
        let datasets = dataset::read(&root);
        let counters = counter::read(&root, &datasets);
        let servers = Servers::read(&root.section("server"));
        let drill = Drill::read(&root.section("drill"));
        let terminals = Terminals::read(&root, machines.as_ref(), servers.as_ref());
        let devices = device::read(&root);
        let mirror = Mirror::read(&root.section("mirror"));
        let licence = Licence::read(&root.section("licence"));
        let promote = Promote::read(&root.section("promote"), terminals.is_some());
        let returning = Return::read(&root.section("return"));
        let alarm = Alarm::read(&root.section("alarm"));
        let support = Support::read(&root.section("support"));
        let hooks = Hooks::read(&root.section("hooks"));
        let roles = Roles::read(&root.section("roles"));
        let Machines { main, backup } = machines?;
        let name = name?;
        Some(Self {
            name,
            main,
            backup,
            is_adopted: home.unwrap_or(false),
            mirror,
            datasets,
            counters,
            servers,
            drill,
            terminals,
            devices,
            licence,
            promote,
            returning,
            alarm,
            support,
            hooks,
            roles,
        })
    }
}
