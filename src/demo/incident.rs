//! What can happen to the practice shop.

use std::time::Duration;

use crate::pair::Node;

/// What of it can be without power.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Powered {
    /// A machine.
    Machine(Node),
    /// A terminal, by its place among [`TILLS`](super::places::TILLS).
    Till(usize),
}

/// Something that happens to it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Incident {
    /// It and all that runs on it is gone at once.
    CutPower(Powered),
    /// It is switched on again.
    BringBack(Powered),
    /// The cable of a machine is pulled: nobody reaches it, and it reaches nobody.
    CutCable(Node),
    /// It is put in again.
    JoinCable(Node),
    /// It is out for so long.
    Break(Node, Duration),
    /// The POS server of a machine holds still, and answers nobody.
    Freeze(Node),
    /// It goes on.
    Thaw(Node),
    /// The disk of a machine is full to the last byte.
    FillDisk(Node),
    /// It has room again.
    FreeDisk(Node),
    /// So much of the licence passes at once.
    Pass(Duration),
}
