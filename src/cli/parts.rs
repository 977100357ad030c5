//! Verbs below verbs, as they can be typed.

use std::path::PathBuf;

use clap::Subcommand;

use super::args::IssueArgs;

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
