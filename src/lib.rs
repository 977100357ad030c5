//! Espejo keeps a mirror of a shop's point-of-sale server on another machine, always ready to take over.
//!
//! This version mirrors the main of a store to its backup over the network (`espejo init`, `invite`, `join`, `run`), lets the
//! backup serve and the main have its place again (`promote`, `return`, `start`, by verb and on the screen), has POS terminals follow
//! whoever serves (`terminal`), has a shop to practise on (`demo`), and mirrors one folder into another in one process (`espejo mirror
//! SOURCE DEST`): the same engine, with its journal, its service and its screen.
//!
//! # The map
//!
//! ```text
//! main -> cli -> tui ----> service::{status, event, command}, words
//!             -> demo -------> service, words
//!             -> config                              (depends on nothing of ours)
//!             -> service -> pair, replica, config    (each depends on nothing of ours)
//!                        -> disk, link -> replica
//!                        -> server -> config
//!                        -> terminal -> link, config, server::beside, pair::{Epoch, Node}
//!                        -> licence
//!                        -> diary
//! ```
//!
//! | module | what it is |
//! |---|---|
//! | [`pair`] | who may serve: pure |
//! | [`replica`] | what differs between two copies, and how that is said: pure |
//! | [`disk`] | the files: captured on one side, journaled and applied on the other |
//! | [`config`] | what is set for a store: `store.toml`, `f_s.doc`, every fault in them at once |
//! | [`diary`] | the lasting record: operations, who, why, and what happened |
//! | [`link`] | what the two halves say to each other, and how it gets there |
//! | [`server`] | the POS server program: started, asked, stopped |
//! | [`terminal`] | the agent on a POS terminal: proxy, votes, notices |
//! | [`licence`] | on what terms the backup may serve, and the days that it did |
//! | [`service`] | joins them: select, step, perform, publish; status, commands, control socket |
//! | [`tui`] | the screen |
//! | [`words`] | every sentence that a person reads |
//! | [`cli`] | the command line: one file a verb |
//! | [`demo`] | the practice shop: the real program in every role, terminals, cashiers, incidents, a lesson |
//! | [`os`] | what differs by operating system |
//!
//! # How a change travels
//!
//! [`disk::watch`] hears of it. [`disk::capture`] reads what changed until two looks agree, or of a queue and of a database
//! ([`disk::capture::sqlite`]) up to the last record or commit, and says the difference as one
//! generation of [`replica::part`]s. They travel as [`link::frame`]s. [`service::receiving`] writes them to the redo, makes them
//! durable and acknowledges. [`disk::apply`] saves what they will overwrite, applies them, and notes in the index what stands
//! there now. The serving half takes what was acknowledged for what the mirror holds, and finds the next difference against it.
//!
//! Between two machines the frames go through [`link::tls`], one connection for each dataset. [`service::node`] makes and takes
//! the connections; a half outlives them, and waits at its [`link::port`] for the next one.
//!
//! # How a machine comes back
//!
//! Who began to serve keeps the index of the mirror that it closed then: the start state. Who was the server before asks for it
//! ([`service::sending`] says it), compares it with what stands there, and sets aside what it alone holds
//! ([`disk::apply::gather`]), durably and listed ([`disk::lone`]), before it says what it holds and follows.
//!
//! # How terminals follow
//!
//! The agent on a till ([`terminal::agent`]) calls both machines and tells each once a second what it sees of both; each says back how
//! it stands ([`terminal::speech`]). The highest epoch that was proven says who serves ([`terminal::way`]): there goes what connects to
//! the till's ports ([`terminal::ports`]). On a machine the desk takes them ([`service::terminals::desk`]), and what they saw of a
//! silent machine becomes a verdict ([`service::terminals::witness`]), which offers the backup's start or locks it. A machine that does
//! not serve has such ports itself, for its own programs, and no vote.
//!
//! # How the server changes
//!
//! A person, or a script, asks [`service::node`]. It examines everything ([`service::plan`]: the same value that a person reads), writes
//! the job into the [`diary`], and takes an event to the [`pair::Pair`], which says what is to be done in which order: the mirror is
//! closed, the epoch saved with its proof, the numbers that must not repeat set ([`service::numbering`]), the POS server
//! started ([`server`]). To give the place back the POS server is stopped, what was
//! changed last is sent and both copies are compared ([`service::sending`]), the hand-over is saved, and only then said; the taker
//! saves its own next epoch before it starts anything. What each machine does is told in one sentence ([`pair::story`]).
//!
//! What a machine was set up as never changes: epochs go by it. What it is, its home role, is said by `store.toml`, and changes where
//! the backup is adopted as the main ([`service::member::role`]): everything that people read, and the days of the licence, go by that.
//!
//! # How a copy is tried
//!
//! Once a day both halves read every byte, in no hurry ([`service::haste`], [`service::receiving`]), and the databases of the mirror are opened on
//! private copies ([`disk::apply::private`]). A drill starts the POS server on a duplicate of the mirror ([`disk::duplicate`]) in a process apart
//! ([`service::rehearsal`], [`os::apart`]). What makes a copy doubtful is one value ([`service::doubt`]). Every generation of the last while can be
//! stepped back to ([`disk::apply::history`]). A database that is mirrored by dumps is a folder with one file in it ([`service::dumping`]).
//!
//! # Who may ask
//!
//! Commands come in by the control socket ([`service::control`]). The system says who is at its other end, and the groups of that user,
//! or a PIN, what that person may do ([`service::gate`], [`service::role`]).
//!
//! # How it is proven
//!
//! [`pair`] is explored state by state (`tests/model.rs`). Both services are run together on simulated machines, by seed
//! (`tests/sim.rs`): clocks, connections and the small files that are saved before they are acted on go through [`os::ground`]; the
//! copy itself is on a real disk there. Real processes are stopped dead at every step (`tests/crash.rs`), and cut from each other in networks of the tests' own (`tests/pair.rs`).
//! Each generation of shops that never pause is opened and checked (`tests/torn.rs`).
//!
//! # What must always hold
//!
//! 1. `pair` and `replica` never block, never fail for want of a disk, never read a clock, never log.
//! 2. Nothing is said before what it speaks of is on disk: a generation is durable before it is acknowledged, its way back
//!    before the first change in place, the record before it is acted on.
//! 3. One owner, no locks: the service owns the [`pair::Pair`]; each half of the copy owns its own. Deadlines are fields.
//! 4. A node that has seen an epoch never obeys a lower one.
//! 5. The mirror never slows or stops the source: no lock is held, reading has a budget.
//! 6. After recovery the mirror is as some generation left it, whatever was killed, whenever.
//! 7. No byte is overwritten unseen: what one side alone holds is asked about, or set aside and listed.
//! 8. A screen is a function of the status, its own small state, and now.
//! 9. Bad input gets one clear error that names the file, line or field and what to do; and nothing changes.

pub mod cli;
pub mod config;
pub mod demo;
pub mod diary;
pub mod disk;
pub mod licence;
pub mod link;
pub mod os;
pub mod pair;
pub mod replica;
pub mod server;
pub mod service;
pub mod terminal;
pub mod tui;
pub mod words;
