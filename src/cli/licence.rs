//! `espejo licence`: what is installed and left, a new one, and what a vendor issues them with.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::json;

use super::Around;
use super::exit::{Exit, Failure};
use super::parts::IssueArgs;
use super::parts::LicenceVerb;
use crate::config::store::Store;
use crate::licence::key::{NoKey, SecretKey};
use crate::licence::standing::standing;
use crate::licence::token::{Claims, OPTION, sign};
use crate::licence::{Grant, Ledger, Per, Standing, State, Terms};
use crate::link::identity::{Identity, MachineId};
use crate::pair::Node;
use crate::service::licence::{self as kept, Holder, Lack};
use crate::service::member::{Member, role, store_path};
use crate::words::licence::{days, noted, refused};
use crate::words::{Words, faults, figures};

/// Does what was typed.
pub fn run(around: &Around, verb: &LicenceVerb) -> Result<Exit, Failure> {
    match verb {
        LicenceVerb::Show { json } => show(around, *json),
        LicenceVerb::Install { file } => install(around, file),
        LicenceVerb::Keygen { out } => keygen(around, out),
        LicenceVerb::Issue(args) => issue(around, args),
    }
}

/// What a home knows of its licence.
struct Known {
    role: Node,
    /// The machine whose licence it would be, where that is known.
    machine: Option<String>,
    holder: Holder,
}

fn known(around: &Around) -> Result<Known, Failure> {
    let member = Member::load(&around.home)?;
    let path = store_path(&around.home);
    let bytes = fs::read(&path).map_err(|error| Failure::failed(format!("{}: {error}", path.display())))?;
    let name = path.display().to_string();
    let store = Store::from_bytes(&bytes).map_err(|found| {
        Failure::usages(found.iter().map(|fault| faults::config(&around.words, &name, fault)).collect())
    })?;
    let own = Identity::load(&around.home)?.map(|identity| identity.id());
    let role = role(&store, member.node);
    let machine = if role == Node::Backup { own } else { member.other };
    let machine = machine.map(|id| id.to_string());
    Ok(Known { role, holder: Holder::new(&store, machine.clone().unwrap_or_default()), machine })
}

fn show(around: &Around, as_json: bool) -> Result<Exit, Failure> {
    let Known { role, machine, holder } = known(around)?;
    if role == Node::Main {
        return show_main(around, &holder, machine.as_deref(), as_json);
    }
    let now = kept::now();
    let grant = holder.installed(&around.home);
    let has_served = kept::has_served(&around.home)?;
    let kept = kept::ledger(&around.home, &holder.machine, has_served, now.wall)?;
    // Up to now, whether a service runs or not; what is kept stays as it is.
    let mut ledger = kept.clone();
    ledger.tick(grant.as_ref().ok(), &now);
    let stands = standing(&ledger, grant.as_ref().ok(), now.wall);
    let key = holder.key().ok().flatten();
    let why_not = grant.as_ref().err().map(|lack| lacks(&around.words, lack));
    let mut out = io::stdout().lock();
    if as_json {
        let said = json!({
            "store": holder.store, "machine": holder.machine, "option": OPTION, "vendor": key.map(|key| key.id()),
            "terms": grant.as_ref().ok().map(|grant| grant.terms),
            "issued": grant.as_ref().ok().and_then(|grant| grant.issued),
            "state": state(stands.state), "remaining_ms": stands.remaining_ms, "ends_at": stands.ends_at,
            "why_not": why_not, "ledger": ledger,
        });
        writeln!(out, "{said}")?;
        return Ok(Exit::Done);
    }
    let words = &around.words;
    let name = |text: &str| text.to_owned().into();
    writeln!(out, "{}", words.with("cli-licence-store", &[("store", name(&holder.store))]))?;
    writeln!(out, "{}", words.with("cli-licence-machine", &[("machine", name(&holder.machine))]))?;
    let vendor = key.map_or_else(
        || words.say("cli-licence-no-vendor"),
        |key| words.with("cli-licence-vendor", &[("key", key.id().into())]),
    );
    writeln!(out, "{vendor}")?;
    match &grant {
        Ok(grant) => writeln!(out, "{}", terms(words, grant))?,
        Err(lack) => writeln!(out, "{}", lacks(words, lack))?,
    }
    writeln!(out, "{}", stand(words, &stands))?;
    list(&mut out, words, &ledger)?;
    Ok(Exit::Done)
}

/// The main has none: it says whose it would be.
fn show_main(around: &Around, holder: &Holder, backup: Option<&str>, as_json: bool) -> Result<Exit, Failure> {
    let mut out = io::stdout().lock();
    if as_json {
        writeln!(out, "{}", json!({ "store": holder.store, "machine": backup, "option": OPTION, "state": null }))?;
        return Ok(Exit::Done);
    }
    let said = match backup {
        Some(machine) => around.words.with("cli-licence-on-backup", &[("machine", machine.to_owned().into())]),
        None => around.words.say("cli-licence-no-backup"),
    };
    writeln!(out, "{said}")?;
    Ok(Exit::Done)
}

fn state(state: State) -> &'static str {
    match state {
        State::Missing => "missing",
        State::Ready => "ready",
        State::Running => "running",
        State::Expired => "expired",
    }
}

fn lacks(words: &Words, lack: &Lack) -> String {
    match lack {
        Lack::Missing => words.say("licence-missing"),
        Lack::NoKey => words.say("cli-licence-no-vendor-key"),
        Lack::Unfit(why) => refused(words, why),
        Lack::Unread(error) => words.with("cli-licence-unread", &[("error", error.clone().into())]),
    }
}

fn terms(words: &Words, grant: &Grant) -> String {
    let key = match grant.terms.per {
        Per::Activation => "cli-licence-terms-activation",
        Per::Total => "cli-licence-terms-total",
    };
    words.with(key, &[("days", days(words, grant.terms.all_ms()).into())])
}

fn stand(words: &Words, stands: &Standing) -> String {
    let left = ("left", days(words, stands.remaining_ms).into());
    let end = stands.ends_at.map(|at| figures::date(words, at, &TimeZone::system())).unwrap_or_default();
    match stands.state {
        State::Missing => words.say("cli-licence-is-missing"),
        State::Ready => words.with("cli-licence-is-ready", &[left]),
        State::Running => words.with("cli-licence-is-running", &[left, ("end", end.into())]),
        State::Expired => words.say("cli-licence-is-expired"),
    }
}

/// The ledger: each time that the backup has served, and what should be known of it.
fn list(out: &mut impl Write, words: &Words, ledger: &Ledger) -> io::Result<()> {
    let zone = TimeZone::system();
    let date = |at: Timestamp| figures::date(words, at, &zone);
    let activations = ledger.past.iter().chain(&ledger.present);
    writeln!(out, "{}", words.with("cli-licence-ledger", &[("n", activations.clone().count().into())]))?;
    for activation in activations {
        let until = activation.ended.map_or_else(|| words.say("cli-licence-open"), date);
        let args = [
            ("from", date(activation.began).into()),
            ("until", until.into()),
            ("used", days(words, activation.used_ms).into()),
        ];
        writeln!(out, "  {}", words.with("cli-licence-activation", &args))?;
    }
    for remark in &ledger.remarks {
        writeln!(out, "  {}: {}", date(remark.at), noted(words, &remark.what))?;
    }
    Ok(())
}

fn install(around: &Around, file: &Path) -> Result<Exit, Failure> {
    let words = &around.words;
    let refuse = |why: String| Failure::refused(vec![why]);
    let Known { role, holder, .. } = known(around)?;
    if holder.vendor.is_none() {
        return Err(refuse(words.say("cli-licence-none-needed")));
    }
    if role == Node::Main {
        return Err(refuse(words.say("cli-licence-not-main")));
    }
    let bytes = read(file)?;
    let grant = holder.grant(&String::from_utf8_lossy(&bytes)).map_err(|lack| refuse(lacks(words, &lack)))?;
    kept::install(&around.home, &String::from_utf8_lossy(&bytes))?;
    writeln!(io::stdout(), "{}\n{}", words.say("cli-licence-installed"), terms(words, &grant))?;
    Ok(Exit::Done)
}

fn keygen(around: &Around, out: &Path) -> Result<Exit, Failure> {
    let words = &around.words;
    let mut public_path = out.as_os_str().to_owned();
    public_path.push(".pub");
    let public_path = Path::new(&public_path);
    if let Some(there) = [out, public_path].into_iter().find(|path| path.exists()) {
        let path = there.display().to_string();
        return Err(Failure::refused(vec![words.with("cli-licence-key-there", &[("path", path.into())])]));
    }
    let no_key = |_: NoKey| Failure::failed(words.say("cli-licence-no-key-made"));
    let secret = SecretKey::generate().map_err(no_key)?;
    let public = secret.public().map_err(no_key)?;
    for (path, text, mode) in [(out, secret.text(), 0o600), (public_path, public.text(), 0o644)] {
        let written = OpenOptions::new().write(true).create_new(true).mode(mode).open(path).and_then(|mut file| {
            writeln!(file, "{text}")?;
            file.sync_all()
        });
        written.map_err(|error| Failure::failed(format!("{}: {error}", path.display())))?;
    }
    let args = [
        ("secret", out.display().to_string().into()),
        ("public", public_path.display().to_string().into()),
        ("key", public.text().into()),
    ];
    writeln!(io::stdout(), "{}", words.with("cli-licence-keys", &args))?;
    Ok(Exit::Done)
}

fn issue(around: &Around, args: &IssueArgs) -> Result<Exit, Failure> {
    let words = &around.words;
    let said = read(&args.key)?;
    let path = args.key.display().to_string();
    let no_key = |_| Failure::usage(words.with("cli-licence-no-secret", &[("path", path.into())]));
    let key = SecretKey::parse(&String::from_utf8_lossy(&said)).map_err(no_key)?;
    let machine = MachineId::try_from(args.machine.trim().to_owned());
    let machine = machine.map_err(|_| Failure::usage(words.say("cli-licence-no-machine")))?.to_string();
    let terms = Terms { days: args.days, per: args.per.into(), grace_hours: args.stop_after };
    let (store, option) = (args.store.clone(), OPTION.to_owned());
    let claims = Claims { store, machine, option, terms, issued: Timestamp::now() };
    let token = sign(&claims, &key).map_err(|why| Failure::failed(refused(words, &why)))?;
    writeln!(io::stdout(), "{token}")?;
    Ok(Exit::Done)
}

/// A small file, or why it cannot be had.
fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    use io::Read;
    let mut bytes = vec![];
    // More than the longest licence is none, and is not read to its end.
    let limit = crate::licence::token::LONGEST as u64 + 2;
    let read = File::open(path).and_then(|file| file.take(limit).read_to_end(&mut bytes));
    read.map(|_| bytes).map_err(|error| Failure::failed(format!("{}: {error}", path.display())))
}

impl From<super::parts::PerWhat> for Per {
    fn from(per: super::parts::PerWhat) -> Self {
        match per {
            super::parts::PerWhat::Activation => Self::Activation,
            super::parts::PerWhat::Total => Self::Total,
        }
    }
}
