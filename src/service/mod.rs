//! Joins everything: select, step, perform, publish. It alone owns the `Pair`; the halves of the copy run on threads of
//! their own and tell it what happens.
//!
//! - [`dumping`]: databases that are mirrored by dumps; [`reading_back`]: the program that reads one back
//! - [`engine`]: the loop
//! - [`alarms`]: what is wrong, and since when
//! - [`book`]: what is known of the copy, and the status made of it
//! - [`boot`]: how the service ended the last time
//! - [`drilled`]: how the last drill ended
//! - [`doubt`]: why a copy may be worth less than it looks
//! - [`device`]: a printer that both machines must reach
//! - [`call`]: when a person is called
//! - [`node`]: the service of one machine of a store
//! - [`operation`]: a job that goes on whatever becomes of who asked for it; [`operations`]: those of a copy
//! - [`terminals`]: the POS terminals, as a machine knows them
//! - [`takeover`]: could the copy take over now?
//! - [`status`], [`trouble`], [`event`], [`command`]: what screens, scripts and remote readers get and say
//! - [`control`]: the control socket, and its client
//! - [`gate`], [`role`]: who may do what
//! - [`rules`]: how the files of a dataset are captured
//! - [`finding`]: what an examination of a machine finds
//! - [`keeper`]: what is written into the diary
//! - [`known`]: what another version says and this one does not know
//! - [`haste`]: how much of the machine a comparison may take
//! - [`home`]: the folder in which a machine keeps what is its own
//! - [`licence`]: the backup licence of this machine, and the days that it has used
//! - [`member`]: what a home knows of its store
//! - [`news`]: what the halves tell
//! - [`numbering`], [`readings`], [`going_on`]: numbers that must never be given twice; what was read of them; what a person says of them
//! - [`outbox`]: the shop's program that is told of events
//! - [`plan`]: what a change of server would do now
//! - [`pos`]: the POS server program, as others hear of it
//! - [`proofs`]: the proofs of epochs that a machine has
//! - [`rehearsal`]: the start of the backup server, rehearsed
//! - [`refusal`]: why something is not done
//! - [`unmet`]: why the two machines do not talk
//! - [`sending`], [`receiving`]: the halves

pub mod alarms;
pub mod book;
pub mod boot;
pub mod call;
pub mod command;
pub mod control;
pub mod device;
pub mod doubt;
pub mod drilled;
pub mod dumping;
pub mod engine;
pub mod event;
pub mod finding;
pub mod gate;
pub mod going_on;
pub mod haste;
pub mod home;
pub mod keeper;
pub mod known;
pub mod licence;
pub mod member;
pub mod news;
pub mod node;
pub mod numbering;
pub mod operation;
pub mod operations;
pub mod outbox;
pub mod plan;
pub mod pos;
pub mod proofs;
pub mod reading_back;
pub mod readings;
pub mod receiving;
pub mod refusal;
pub mod rehearsal;
pub mod role;
pub mod rules;
pub mod sending;
pub mod status;
pub mod takeover;
pub mod terminals;
pub mod trouble;
pub mod unmet;

pub use command::{Command, Reply};
pub use status::Status;
