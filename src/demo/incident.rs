//! What can happen to the practice shop.

use std::time::Duration;

use crate::pair::Node;

/// Something that happens to it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Incident {
    /// A machine and all that runs on it is gone at once.
    CutPower(Node),
    /// It is switched on again.
    BringBack(Node),
    /// The cable between the two is pulled. The tills still reach both.
    CutCable,
    /// It is put in again.
    JoinCable,
    /// It is out for so long.
    Break(Duration),
    /// The POS server of a machine holds still, and answers nobody.
    Freeze(Node),
    /// It goes on.
    Thaw(Node),
    /// So much of the licence passes at once.
    Pass(Duration),
}
