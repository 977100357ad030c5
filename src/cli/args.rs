//! What can be typed. The texts that help shows stand in `words`, by the name of the verb and of the argument.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};
use etcetera::{AppStrategy, AppStrategyArgs, choose_app_strategy};

use super::exit::Failure;
use super::parts::{
    AdoptArgs, CaretakerArgs, CountersArgs, DemoArgs, DemoPosArgs, GiveArgs, Invited, LicenceVerb, PinOf, PromoteArgs,
    RehearseArgs, Rescue, ReturnArgs,
};
use crate::words::Words;

/// What can be typed.
#[derive(Debug, Parser)]
#[command(name = "espejo", version, disable_help_subcommand = true)]
pub struct Cli {
    /// Where this machine keeps what is its own.
    #[arg(long, global = true, value_name = "DIR", env = "ESPEJO_HOME")]
    home: Option<PathBuf>,
    /// The language.
    #[arg(long, global = true, value_name = "LANG", value_parser = ["en", "es", "pt-BR", "de", "fr", "fi"])]
    pub lang: Option<String>,
    /// When colour is used.
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub color: Colour,
    /// Ask for a PIN.
    #[arg(long = "pin", global = true)]
    pub with_pin: bool,
    /// The screen, without its actions.
    #[arg(long)]
    pub watch: bool,
    /// The verb.
    #[command(subcommand)]
    pub verb: Option<Verb>,
}

/// When colour is used.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum Colour {
    /// Where the terminal can and `NO_COLOR` is not set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// A pretend shop to practise on.
    Demo(DemoArgs),
    /// Its POS server.
    #[command(hide = true)]
    DemoPos(DemoPosArgs),
    /// Clears it away when it was killed.
    #[command(name = crate::demo::caretaker::VERB, hide = true)]
    DemoCaretaker(CaretakerArgs),
    /// Holds files for the service.
    #[command(name = crate::disk::hold::VERB, hide = true)]
    HoldFiles,
    /// Mirror one folder into another.
    Mirror(MirrorArgs),
    /// Set up a store on its main.
    Init(InitArgs),
    /// Let another machine join, or no more.
    #[command(args_conflicts_with_subcommands = true, arg_required_else_help = true)]
    Invite {
        /// Forget this one.
        #[arg(long, value_name = "NAME")]
        revoke: Option<String>,
        /// Which one.
        #[command(subcommand)]
        who: Option<Invited>,
    },
    /// Join a store.
    Join {
        /// The code that the main gave.
        code: String,
        /// The address of the main.
        address: String,
        /// Where the mirror goes.
        #[arg(long, value_name = "DIR")]
        data: Option<PathBuf>,
    },
    /// The service of this machine.
    Run,
    /// The agent of a POS terminal.
    Terminal,
    /// Write to the people at the terminals.
    Message {
        /// The text.
        text: String,
    },
    /// Examine both machines.
    Check {
        /// As one JSON list.
        #[arg(long)]
        json: bool,
    },
    /// The system's own description of the service.
    Unit {
        /// Write it where the system looks.
        #[arg(long)]
        install: bool,
        /// Let the agent of a terminal do only what it alone needs.
        #[arg(long)]
        hardened: bool,
    },
    /// What a shell completes.
    Completions {
        /// Which one.
        shell: clap_complete::Shell,
    },
    /// The manual, as `man` reads it.
    Man {
        /// A page for each verb, into this folder.
        #[arg(long, value_name = "DIR")]
        dir: Option<PathBuf>,
    },
    /// How it stands.
    Status {
        /// As one JSON object.
        #[arg(long)]
        json: bool,
        /// Again after every change.
        #[arg(long)]
        watch: bool,
    },
    /// Start the backup server: this machine serves from now on.
    Promote(PromoteArgs),
    /// Return to the main server, from either machine.
    Return(ReturnArgs),
    /// Change to the backup server, as planned: nothing is lost.
    Switch(GiveArgs),
    /// Make the backup that serves the main, for good.
    Adopt(AdoptArgs),
    /// Go on as the server after a cold start that nobody could confirm.
    Start {
        /// The other machine does not serve: a person has looked.
        #[arg(long)]
        yes: bool,
    },
    /// No alarms, and nothing by itself, for a while.
    Maintenance {
        /// Which.
        #[command(subcommand)]
        what: Maintained,
    },
    /// A PIN for store.toml.
    Pin {
        /// Whose.
        of: PinOf,
    },
    /// The backup licence.
    Licence {
        /// What of it.
        #[command(subcommand)]
        verb: LicenceVerb,
    },
    /// Numbers that must not repeat.
    Counters {
        /// What is shown.
        #[command(flatten)]
        shown: CountersArgs,
    },
    /// The diary of this machine.
    History {
        /// Only whether it is as it was written.
        #[arg(long, conflicts_with = "events")]
        check: bool,
        /// All that is in it.
        #[arg(long)]
        events: bool,
        /// Earlier states of the copy.
        #[arg(long, conflicts_with_all = ["check", "events"])]
        copies: bool,
        /// Delete the earlier states of the copy on this machine.
        #[arg(long, conflicts_with_all = ["check", "events", "copies", "json"])]
        forget: bool,
        /// As one JSON object.
        #[arg(long)]
        json: bool,
    },
    /// What was set aside.
    Rescue {
        /// What to do with it.
        #[command(subcommand)]
        what: Rescue,
    },
    /// Throw the copy away and take it anew; what it alone holds is set aside first.
    Reseed {
        /// Do not ask.
        #[arg(long)]
        yes: bool,
    },
    /// Start the POS server on a copy of the mirror, to see that it starts.
    Drill {
        /// As one JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Holds a rehearsal for the service.
    #[command(name = crate::service::rehearsal::VERB, hide = true)]
    Rehearse(RehearseArgs),
    /// Compare every byte of both sides.
    Verify {
        /// As one JSON object.
        #[arg(long)]
        json: bool,
    },
}

/// What becomes of maintenance.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Subcommand)]
pub enum Maintained {
    /// It begins.
    On {
        /// It ends by itself after so long.
        #[arg(long = "for", value_name = "TIME", default_value = "2h", value_parser = time)]
        length: Duration,
    },
    /// It ends.
    Off,
}

/// What `init` is given.
#[derive(Clone, Debug, Args)]
pub struct InitArgs {
    /// The store's name.
    #[arg(long, value_name = "NAME")]
    pub store: Option<String>,
    /// The address of the main.
    #[arg(long, value_name = "ADDR")]
    pub main: Option<String>,
    /// The address of the backup.
    #[arg(long, value_name = "ADDR")]
    pub backup: Option<String>,
    /// The folder of the POS data.
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// A file with the names of both machines.
    #[arg(long, value_name = "F_S.DOC")]
    pub from: Option<PathBuf>,
}

/// What `mirror` is given.
// A flag of the command line is a bool.
#[allow(clippy::struct_excessive_bools)]
#[derive(Clone, Debug, Args)]
pub struct MirrorArgs {
    /// The folder that is mirrored.
    pub source: PathBuf,
    /// The folder that becomes its mirror.
    pub dest: PathBuf,
    /// At the latest after so long is looked for changes.
    #[arg(long, value_name = "TIME", default_value = "3s", value_parser = time)]
    pub interval: Duration,
    /// Copy what differs, compare, end.
    #[arg(long)]
    pub once: bool,
    /// A line a file instead of the screen.
    #[arg(long)]
    pub no_screen: bool,
    /// Take a folder that holds other data.
    #[arg(long)]
    pub adopt_dest: bool,
    /// Take over that files are gone or empty.
    #[arg(long)]
    pub accept_removals: bool,
    /// Bytes a second at the most.
    #[arg(long, value_name = "SIZE", value_parser = rate)]
    pub max_rate: Option<u64>,
}

/// A time as people write it, from 10 ms to a day.
fn time(text: &str) -> Result<Duration, String> {
    let time =
        humantime::parse_duration(text).map_err(|error| format!("{error}; write for example 3s, 500ms or 10m"))?;
    let (least, most) = (Duration::from_millis(10), Duration::from_secs(24 * 60 * 60));
    if time < least || time > most { Err("it must lie between 10ms and 24h".to_owned()) } else { Ok(time) }
}

/// Bytes a second as people write them: `200kB`, `11.5MB`, `2MiB`.
fn rate(text: &str) -> Result<u64, String> {
    let wrong = || format!("\"{text}\" is no size; write for example 200kB, 11.5MB or 2MiB");
    let digits = text.find(|letter: char| !letter.is_ascii_digit() && letter != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let number: f64 = number.parse().map_err(|_| wrong())?;
    let factor = match unit.trim().trim_end_matches("/s").to_ascii_lowercase().as_str() {
        "" | "b" => 1.0,
        "k" | "kb" => 1e3,
        "m" | "mb" => 1e6,
        "g" | "gb" => 1e9,
        "kib" => 1024.0,
        "mib" => 1024.0 * 1024.0,
        "gib" => 1024.0 * 1024.0 * 1024.0,
        _ => return Err(wrong()),
    };
    let bytes = number * factor;
    // A positive number far below what 64 bits hold.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    if (1000.0..1e15).contains(&bytes) { Ok(bytes as u64) } else { Err("it must be at least 1kB".to_owned()) }
}

impl Cli {
    /// Reads what was typed. Help and errors of usage are printed and end the process with their codes.
    #[must_use]
    pub fn read() -> Self {
        let words = Words::load(None);
        let matches = Self::described(&words).get_matches();
        Self::from_arg_matches(&matches).unwrap_or_else(|error| error.exit())
    }

    /// All that can be typed, with the texts that help shows.
    #[must_use]
    pub fn described(words: &Words) -> clap::Command {
        help(Self::command(), words, "espejo")
    }

    /// What is said, in the language that was asked for.
    #[must_use]
    pub fn words(&self) -> Words {
        Words::load(self.lang.as_deref())
    }

    /// The home that was named, or else the usual one.
    pub fn home(&self) -> Result<PathBuf, Failure> {
        if let Some(home) = &self.home {
            return Ok(std::path::absolute(home)?);
        }
        let of_machine = PathBuf::from("/var/lib/espejo");
        if rustix::process::geteuid().is_root() {
            return Ok(of_machine);
        }
        let app =
            AppStrategyArgs { top_level_domain: String::new(), author: String::new(), app_name: "espejo".to_owned() };
        let state = choose_app_strategy(app).ok().and_then(|strategy| strategy.state_dir());
        // Who has nothing of their own means the machine's.
        let own = state.filter(|own| own.exists() || !of_machine.exists());
        own.or_else(|| of_machine.exists().then_some(of_machine))
            .ok_or_else(|| Failure::usage(self.words().say("cli-no-home")))
    }
}

/// Gives a command, its arguments and its verbs the texts that `words` has for them.
fn help(mut command: clap::Command, words: &Words, name: &str) -> clap::Command {
    command = command.about(words.say(&format!("help-{name}")));
    let examples = format!("help-{name}-examples");
    if words.has(&examples) {
        command = command.after_help(words.say(&examples));
    }
    let ids: Vec<String> = command.get_arguments().map(|arg| arg.get_id().to_string()).collect();
    for id in ids {
        let key = format!("help-{name}-{id}");
        command = command.mut_arg(id, |arg| arg.help(words.say(&key)));
    }
    let verbs: Vec<String> = command.get_subcommands().map(|verb| verb.get_name().to_owned()).collect();
    for verb in verbs {
        // A verb below a verb may share its name with one below another.
        let long = format!("{name}-{verb}");
        let name = if words.has(&format!("help-{long}")) { long } else { verb.clone() };
        command = command.mut_subcommand(verb, |command| help(command, words, &name));
    }
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_typed_is_sound_and_has_help() {
        let words = Words::load(Some("en"));
        let mut command = Cli::described(&words);
        command.build();
        command.clone().debug_assert();
        let mut commands = vec![command];
        while let Some(command) = commands.pop() {
            commands.extend(command.get_subcommands().cloned());
            let texts = command.get_arguments().filter_map(clap::Arg::get_help).map(ToString::to_string);
            for text in texts.chain(command.get_about().map(ToString::to_string)) {
                assert!(text.contains(' '), "{}: {text}", command.get_name());
            }
        }
    }

    #[test]
    fn sizes_and_times_as_people_write_them() {
        assert_eq!(rate("11.5MB"), Ok(11_500_000));
        assert_eq!(rate("200kB/s"), Ok(200_000));
        assert_eq!(rate("2MiB"), Ok(2 << 20));
        assert!(rate("5 apples").is_err() && rate("-3MB").is_err() && rate("1").is_err());
        assert_eq!(time("3s"), Ok(Duration::from_secs(3)));
        assert!(time("3").is_err() && time("0s").is_err() && time("2d").is_err());
    }
}
