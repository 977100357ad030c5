//! The command line: one file a verb. It turns words into commands and prints what comes back; it does no work.
//!
//! - [`args`]: what can be typed
//! - [`exit`]: how the program ends
//! - [`check`], [`copies`], [`counters`], [`demo`], [`drill`], [`history`], [`init`], [`invite`], [`join`], [`licence`], [`maintenance`], [`manual`], [`mirror`], [`rescue`], [`reseed`], [`run`](mod@run), [`screen`], [`status`], [`terminal`], [`turn`], [`unit`](mod@unit), [`verify`]: the verbs
//! - [`job`]: begins an operation and waits for its end
//! - [`practice`]: what stands below the screen of the practice shop
//! - [`systemd`]: what systemd hears of a service of its own
//! - [`till`]: how a POS terminal stands
//! - [`lines`]: what a run without a screen prints
//! - [`parts`]: verbs below verbs
//! - [`pin`]: PINs, made and given
//! - [`plan`]: what a change of server would do, printed
//! - [`logs`]: the log file
//! - [`running`]: a service that runs in this process

pub mod args;
pub mod check;
pub mod copies;
pub mod counters;
pub mod demo;
pub mod drill;
pub mod exit;
pub mod history;
pub mod init;
pub mod invite;
pub mod job;
pub mod join;
pub mod licence;
pub mod lines;
pub mod logs;
pub mod maintenance;
pub mod manual;
pub mod mirror;
pub mod parts;
pub mod pin;
pub mod plan;
pub mod practice;
pub mod rescue;
pub mod reseed;
pub mod run;
pub mod running;
pub mod screen;
pub mod status;
pub mod systemd;
pub mod terminal;
pub mod till;
pub mod turn;
pub mod unit;
pub mod verify;

use std::path::PathBuf;

use args::{Cli, Verb};
use exit::{Exit, Failure};

use crate::os::people;
use crate::words::Words;

/// What every verb is given.
pub struct Around {
    /// The home.
    pub home: PathBuf,
    /// What is said, in the language that was asked for.
    pub words: Words,
    /// That language; the environment's when it is none.
    pub lang: Option<String>,
    /// When colour is used.
    pub colour: args::Colour,
    /// The PIN that is given to the service, if one is.
    pub pin: pin::Given,
}

/// Who asks, and from where, for the record.
#[must_use]
pub fn by() -> String {
    let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let known = || people::user_name(rustix::process::getuid().as_raw());
    let user = set("SUDO_USER").or_else(|| set("USER")).or_else(known).unwrap_or_else(|| "?".to_owned());
    // It begins with the address of the other side.
    match set("SSH_CONNECTION").as_deref().and_then(|from| from.split_whitespace().next()) {
        Some(from) => format!("{user} (ssh {from})"),
        None => format!("{user} (console)"),
    }
}

/// Does what was typed.
pub fn run(cli: Cli) -> Result<Exit, Failure> {
    if let Some(Verb::HoldFiles) = cli.verb {
        crate::disk::hold::child::serve(std::io::stdin().lock(), std::io::stdout().lock())?;
        return Ok(Exit::Done);
    }
    crate::os::keep_freed_memory();
    let words = cli.words();
    let around =
        Around { home: cli.home()?, words, lang: cli.lang, colour: cli.color, pin: pin::Given::new(cli.with_pin) };
    let mut runtime = match cli.verb {
        // What goes over the network must not wait for what is said.
        None | Some(Verb::Run | Verb::Demo(_)) => tokio::runtime::Builder::new_multi_thread(),
        _ => tokio::runtime::Builder::new_current_thread(),
    };
    let runtime = runtime.worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        match cli.verb {
            None if cli.watch => screen::watch(&around).await,
            None => screen::open(&around).await,
            Some(Verb::Demo(args)) => demo::run(&around, &args).await,
            Some(Verb::HoldFiles) => Ok(Exit::Done),
            Some(Verb::DemoPos(args)) => demo::serve(&args),
            Some(Verb::DemoCaretaker(args)) => demo::clear_away(&args),
            Some(Verb::Mirror(mirror)) => mirror::run(&around, &mirror).await,
            Some(Verb::Init(init)) => init::run(&around, &init),
            Some(Verb::Invite { revoke: Some(name), .. }) => invite::revoke(&around, name).await,
            Some(Verb::Invite { revoke: None, who }) => invite::run(&around, who).await,
            Some(Verb::Join { code, address, data }) => join::run(&around, &code, &address, data).await,
            Some(Verb::Run) => run::run(&around).await,
            Some(Verb::Terminal) => terminal::run(&around).await,
            Some(Verb::Message { text }) => invite::message(&around, text).await,
            Some(Verb::Check { json }) => check::run(&around, json).await,
            Some(Verb::Counters { shown }) => counters::run(&around, shown.into()).await,
            Some(Verb::Completions { shell }) => manual::complete(&around, shell),
            Some(Verb::Man { dir }) => manual::run(&around, dir.as_deref()),
            Some(Verb::Unit { install, hardened }) => unit::run(&around, install, hardened),
            Some(Verb::Status { json, watch }) => status::run(&around, json, watch).await,
            Some(Verb::Promote(args)) => turn::promote(&around, args).await,
            Some(Verb::Return(args)) => turn::back(&around, args).await,
            Some(Verb::Switch(args)) => turn::switch(&around, args).await,
            Some(Verb::Adopt(args)) => turn::adopt(&around, args).await,
            Some(Verb::Start { yes }) => turn::start(&around, yes).await,
            Some(Verb::Maintenance { what }) => maintenance::run(&around, what).await,
            Some(Verb::Pin { of }) => pin::make(&around, of),
            Some(Verb::Licence { verb }) => licence::run(&around, &verb),
            Some(Verb::History { forget: true, .. }) => copies::forget(&around).await,
            Some(Verb::History { copies: true, json, .. }) => copies::list(&around, json),
            Some(Verb::History { check, events, json, .. }) => history::run(&around, (check, events), json),
            Some(Verb::Rescue { what }) => rescue::run(&around, &what).await,
            Some(Verb::Reseed { yes }) => reseed::run(&around, yes).await,
            Some(Verb::Drill { json }) => drill::run(&around, json).await,
            Some(Verb::Rehearse(args)) => drill::rehearse(around.home, args),
            Some(Verb::Verify { json }) => verify::run(&around, json).await,
        }
    })
}
