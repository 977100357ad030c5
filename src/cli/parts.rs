//! Verbs below verbs, as they can be typed.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::counters::Shown;

/// What can be done with what was set aside.
#[derive(Clone, Debug, Subcommand)]
pub enum Rescue {
    /// All of it.
    List {
        /// As one JSON list.
        #[arg(long)]
        json: bool,
    },
    /// Its files, against what the mirror holds now.
    Show {
        /// Which.
        name: String,
        /// The records that the mirror lacks, too.
        #[arg(long)]
        records: bool,
        /// As one JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Copy it elsewhere.
    Export {
        /// Which.
        name: String,
        /// Where to.
        dir: PathBuf,
    },
    /// Go on without what a database of this machine alone holds: it can never be set aside.
    GiveUp {
        /// The dataset.
        name: String,
        /// Do not ask.
        #[arg(long)]
        yes: bool,
    },
    /// Remove it.
    Delete {
        /// Which.
        name: String,
        /// Do not ask.
        #[arg(long)]
        yes: bool,
    },
}

/// What can be done with the backup licence.
#[derive(Clone, Debug, Subcommand)]
pub enum LicenceVerb {
    /// What is installed, and how many days are left.
    Show {
        /// As one JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Install what a vendor has issued.
    Install {
        /// The file with it.
        file: PathBuf,
    },
    /// For the vendor: a new pair of keys.
    Keygen {
        /// The file for the private one.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// For the vendor: a signed licence.
    Issue(IssueArgs),
}

/// What `espejo promote` takes.
#[derive(Clone, Debug, Args)]
pub struct PromoteArgs {
    /// The main is dead: a person has looked.
    #[arg(long)]
    pub yes: bool,
    /// An old copy, or one that waits for an answer, is good enough.
    #[arg(long)]
    pub accept_loss: bool,
    /// From what the copy was then.
    #[arg(long, value_name = "TIME", value_parser = super::copies::instant)]
    pub as_of: Option<jiff::Timestamp>,
    /// What the terminals say is no reason: the support has looked.
    #[arg(long, requires = "reason")]
    pub unlock: bool,
    /// Behind which number this counter goes on.
    #[arg(long, value_name = "NAME=N", value_parser = counter)]
    pub counter: Vec<(String, u64)>,
    /// Why, for the record.
    #[arg(long)]
    pub reason: Option<String>,
    /// What would be done.
    #[command(flatten)]
    pub planned: Planned,
}

/// A counter, and the number behind which it goes on.
fn counter(text: &str) -> Result<(String, u64), String> {
    let said = text.rsplit_once('=').and_then(|(name, number)| Some((name.to_owned(), number.parse().ok()?)));
    said.ok_or_else(|| format!("\"{text}\" is no counter and number; write for example receipt=1100"))
}

/// What `espejo return` takes.
#[derive(Clone, Debug, Args)]
pub struct ReturnArgs {
    /// Take up again the copy of this dataset, which has stopped.
    #[arg(long, value_name = "NAME", conflicts_with_all = ["plan", "cancel"])]
    pub copy: Option<String>,
    /// How the place is given away.
    #[command(flatten)]
    pub give: GiveArgs,
}

/// What a change takes by which the machine that serves gives its place away: `espejo switch`, and more or less `return`.
#[derive(Clone, Debug, Args)]
pub struct GiveArgs {
    /// Nobody is asked.
    #[arg(long)]
    pub yes: bool,
    /// Cancel the one that runs.
    #[arg(long, conflicts_with = "plan")]
    pub cancel: bool,
    /// Why, for the record.
    #[arg(long)]
    pub reason: Option<String>,
    /// What would be done.
    #[command(flatten)]
    pub planned: Planned,
}

/// What `espejo adopt` takes.
#[derive(Clone, Debug, Args)]
pub struct AdoptArgs {
    /// Nobody is asked.
    #[arg(long)]
    pub yes: bool,
    /// Why, for the record.
    #[arg(long)]
    pub reason: Option<String>,
    /// What would be done.
    #[command(flatten)]
    pub planned: Planned,
}

/// What would be done is shown, and nothing is done.
#[derive(Clone, Copy, Debug, Args)]
pub struct Planned {
    /// Only that.
    #[arg(long)]
    pub plan: bool,
    /// As one JSON object.
    #[arg(long, requires = "plan")]
    pub json: bool,
}

/// Who is invited.
#[derive(Clone, PartialEq, Eq, Debug, Subcommand)]
pub enum Invited {
    /// The machine that takes over.
    Backup,
    /// A new machine in the place of the main.
    Main,
    /// A POS terminal.
    Terminal {
        /// What it is called.
        name: String,
    },
}

/// Whose PIN it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum PinOf {
    /// Of those who act.
    Operator,
    /// Of those who may do everything.
    Support,
}

/// What `licence issue` is given.
#[derive(Clone, Debug, Args)]
pub struct IssueArgs {
    /// The file with the private key.
    #[arg(long, value_name = "FILE")]
    pub key: PathBuf,
    /// The store.
    #[arg(long, value_name = "NAME")]
    pub store: String,
    /// The machine.
    #[arg(long, value_name = "ID")]
    pub machine: String,
    /// How many days.
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=3650))]
    pub days: u32,
    /// Of what.
    #[arg(long, value_name = "WHAT", default_value = "activation")]
    pub per: PerWhat,
    /// So many hours after the end the server is stopped.
    #[arg(long, value_name = "HOURS", value_parser = clap::value_parser!(u32).range(0..=8760))]
    pub stop_after: Option<u32>,
}

/// Of what the days of a licence are.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum PerWhat {
    /// Of each time that the backup is started.
    Activation,
    /// Of all times together.
    Total,
}

/// What `espejo counters` takes.
#[derive(Clone, Copy, Debug, Args)]
#[group(multiple = false)]
pub struct CountersArgs {
    /// A page that says why numbers are missing.
    #[arg(long)]
    pub certificate: bool,
    /// The number that could not be set was set by hand: the POS server may start.
    #[arg(long)]
    pub set: bool,
    /// As one JSON object.
    #[arg(long)]
    pub json: bool,
}

impl From<CountersArgs> for Shown {
    fn from(args: CountersArgs) -> Self {
        match args {
            CountersArgs { certificate: true, .. } => Self::Certificate,
            CountersArgs { set: true, .. } => Self::Set,
            CountersArgs { json: true, .. } => Self::Json,
            CountersArgs { .. } => Self::List,
        }
    }
}

/// What `rehearse` is given.
#[derive(Clone, Debug, Args)]
pub struct RehearseArgs {
    /// A folder of its own.
    #[arg(long, value_name = "DIR")]
    pub place: PathBuf,
    /// A dataset, and where it is copied.
    #[arg(long, value_names = ["NAME", "DIR"], num_args = 2)]
    pub copy: Vec<String>,
    /// Apart from the rest of the machine.
    #[arg(long)]
    pub apart: bool,
}

/// What `demo` is given.
#[derive(Clone, Debug, Args)]
pub struct DemoArgs {
    /// Where the shop is; it stays there.
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// What the cashiers' choices begin with.
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// A script to play instead of the screen.
    #[arg(long, value_name = "FILE")]
    pub script: Option<PathBuf>,
}

/// Of who clears the practice shop away.
#[derive(Debug, Args)]
pub struct CaretakerArgs {
    /// Where the practice shop is.
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,
    /// That folder goes with it.
    #[arg(long)]
    pub goes: bool,
}

/// Of the POS server of the practice shop.
#[derive(Debug, Args)]
pub struct DemoPosArgs {
    /// The folder of its data.
    #[arg(long, value_name = "DIR")]
    pub data: PathBuf,
    /// Where it listens, on this machine.
    #[arg(long, value_name = "N")]
    pub port: u16,
    /// At which address of this machine.
    #[arg(long, value_name = "IP", default_value_t = std::net::Ipv4Addr::LOCALHOST)]
    pub host: std::net::Ipv4Addr,
    /// What it is called in its answers.
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
}
