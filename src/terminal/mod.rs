//! The agent on a POS terminal: it joins the POS program to whoever serves, tells both machines what it sees of them, and
//! hears from them when the server changes.
//!
//! May name: `link`, `pair` (epochs and nodes only), `config`, `server::beside`, `os`. It knows nothing of datasets, and has no
//! sentence of its own: what is to be said to people goes out as [`news`].
//!
//! An epoch decides who serves, and only with the signature of the machine that took it: the highest that was ever shown is
//! obeyed, is on disk before it is, and no other can be made up. The rest is level-triggered: whoever serves says once a second
//! how it stands, so that whoever missed everything knows all after one sentence.
//!
//! - [`speech`]: what a machine and a terminal say to each other
//! - [`known`]: what a terminal keeps on its disk
//! - [`way`]: who serves now, and whether it may be reached: pure
//! - [`eyes`]: what it has seen of both machines
//! - [`line`](mod@line): the connection to one machine
//! - [`bar`]: keeps everybody out of ports
//! - [`proxy`]: one port on its way to whoever serves
//! - [`ports`]: all ports of a machine
//! - [`pump`]: bytes from one connection to the other
//! - [`news`]: what people and programs on this machine are to hear
//! - [`outside`]: files and programs of this machine that follow the server
//! - [`window`]: how it stands, for whoever asks on this machine
//! - [`agent`]: joins all that

pub mod agent;
pub mod bar;
pub mod eyes;
pub mod known;
pub mod line;
pub mod news;
pub mod outside;
pub mod ports;
pub mod proxy;
pub mod pump;
pub mod speech;
pub mod way;
pub mod window;
