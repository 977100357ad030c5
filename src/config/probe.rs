//! How Espejo finds out whether the POS server program answers.

use super::address::{Address, Url};
use super::command::Command;
use super::fault::FaultKind;
use super::reading::Table;

/// A question to the POS server program.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Probe {
    /// The port is open.
    Tcp(Address),
    /// The page is answered with success.
    Http(Url),
    /// The program ends with 0.
    Command(Command),
    /// What is sent is answered by something in which `expect` stands.
    Talk {
        /// Where.
        address: Address,
        /// What is sent; nothing where the program speaks first.
        send: String,
        /// What stands in the answer.
        expect: String,
    },
}

impl Probe {
    /// The address that is asked, where there is one.
    #[must_use]
    pub fn address(&self) -> Option<&Address> {
        match self {
            Self::Tcp(address) | Self::Talk { address, .. } => Some(address),
            Self::Http(url) => Some(&url.address),
            Self::Command(_) => None,
        }
    }

    /// Reads the table; a talk without an address is held at `usual`.
    pub(super) fn read(table: &Table<'_>, usual: Option<&Address>) -> Option<Self> {
        let (tcp, send, expect) = (table.get("tcp"), table.get("send"), table.get("expect"));
        let other = [("http", table.get("http")), ("command", table.get("command"))];
        let mut others = other.into_iter().filter_map(|(key, item)| Some((key, item?)));
        if let Some((key, item)) = others.next() {
            for beside in [tcp, send, expect, others.next().map(|(_, item)| item)].into_iter().flatten() {
                beside.fault(FaultKind::NotBeside(key));
            }
            return if key == "http" {
                Url::read(&item).map(Self::Http)
            } else {
                Command::read(&item).map(Self::Command)
            };
        }
        let address = tcp.as_ref().map(Address::read);
        let Some(expect) = expect else {
            match (send, address) {
                (Some(send), _) => send.fault(FaultKind::Needs("expect")),
                (None, Some(address)) => return address.map(Self::Tcp),
                (None, None) => table.fault(FaultKind::NoneOf(&["tcp", "http", "command", "expect"])),
            }
            return None;
        };
        let said = expect.lines();
        let send = send.map_or(Some(""), |item| item.text());
        let address = address.unwrap_or_else(|| usual.cloned().or_else(|| expect.wrong(FaultKind::Needs("tcp"))));
        Some(Self::Talk { address: address?, send: send?.to_owned(), expect: said? })
    }
}
