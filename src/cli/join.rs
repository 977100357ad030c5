//! `espejo join`: join a store with a code.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use super::Around;
use super::by;
use super::exit::{Exit, Failure};
use crate::config::address::{Address, PORT};
use crate::config::store::Store;
use crate::link::greeting::Purpose;
use crate::link::identity::{Identity, MachineId};
use crate::link::join::{Code, JoinError};
use crate::link::tls::{Secure, Tls};
use crate::service::event::Noted;
use crate::service::home::{Home, load_record, save, save_record};
use crate::service::keeper;
use crate::service::member::{Member, store_path};
use crate::service::node::joining::{self, Given, Handover, Pass};
use crate::service::node::meet;
use crate::service::unmet::Unmet;
use crate::terminal::known::{Known, settings_path};
use crate::words::Words;
use crate::words::told::Told;
use crate::words::unmet::unmet;

/// So often the main is called.
const CALLS: u32 = 3;

/// Joins, saves what is received, and prints what to type next.
pub async fn run(around: &Around, code: &str, address: &str, data: Option<PathBuf>) -> Result<Exit, Failure> {
    let words = &around.words;
    let code: Code = code.parse().map_err(|_| Failure::usage(words.say("cli-join-no-code")))?;
    let parsed = Address::parse(address).or_else(|| Address::new(address, PORT));
    let wrong = || Failure::usage(words.with("cli-init-address", &[("text", address.to_owned().into())]));
    let address = parsed.ok_or_else(wrong)?;
    // Who was turned away, or whose main was set up anew, joins again: it is the same store.
    let before = Member::load(&around.home).ok();
    let data = data.map(std::path::absolute).transpose()?.or_else(|| before.as_ref()?.data.clone());
    let home = Home::take(&around.home)?;
    let identity = Identity::load_or_make(home.path())?;
    let tls = Tls::new(&identity).map_err(io::Error::other)?;
    let mut secure = called(&tls, &address).await.map_err(|why| unreached(words, &why))?;
    let peer = secure.peer;
    let (mut joined, mut terminal) = (None, None);
    let keep = async |given: Given| match given {
        Given::Machine(handover) => keep(words, (&home, before), peer, data, *handover, &mut joined),
        Given::Terminal(pass) => {
            let kept = keep_terminal(words, &home, &pass).map_err(NotJoined::Kept)?;
            terminal = Some((pass.terminal, kept));
            Ok(())
        }
    };
    joining::ask(&mut secure, identity.id(), &code, keep).await.map_err(|failed| match failed {
        NotJoined::Join(JoinError::WrongCode) => Failure::refused(vec![words.say("cli-join-wrong-code")]),
        NotJoined::Join(JoinError::Io(error)) => unreached(words, &Unmet::of(&address.to_string(), &error)),
        NotJoined::Kept(failure) => failure,
    })?;
    if let Some((name, (store, path))) = terminal {
        let args = [("name", name.into()), ("store", store.into()), ("path", path.into())];
        writeln!(io::stdout(), "{}", words.with("cli-join-terminal", &args))?;
        return Ok(Exit::Done);
    }
    let store = joined.unwrap_or_default();
    writeln!(io::stdout(), "{}", words.with("cli-join-done", &[("store", store.into())]))?;
    Ok(Exit::Done)
}

/// Calls the main: on a bad line more than once, for nothing of the code is said yet.
async fn called(tls: &Tls, address: &Address) -> Result<Secure, Unmet> {
    for _ in 1..CALLS {
        match meet::call(tls, address, None, Purpose::Join).await {
            Err(Unmet::NoAnswer { .. } | Unmet::Broken { .. }) => {}
            called => return called,
        }
    }
    meet::call(tls, address, None, Purpose::Join).await
}

/// Why it did not join.
enum NotJoined {
    Join(JoinError),
    Kept(Failure),
}

impl From<JoinError> for NotJoined {
    fn from(error: JoinError) -> Self {
        Self::Join(error)
    }
}

fn keep(
    words: &Words,
    (home, before): (&Home, Option<Member>),
    peer: MachineId,
    data: Option<PathBuf>,
    handover: Handover,
    joined: &mut Option<String>,
) -> Result<(), NotJoined> {
    let kept = || -> Result<String, Failure> {
        let Handover { node, revision, store: id, record } = handover;
        if before.is_some_and(|member| member.node != node) {
            let home = home.path().display().to_string();
            return Err(Failure::refused(vec![words.with("cli-init-there", &[("home", home.into())])]));
        }
        let wrong = |_| Failure::failed(words.say("cli-join-unreadable"));
        let store = revision.store().map_err(wrong)?;
        let ours = fs::read(store_path(home.path())).ok().and_then(|bytes| Store::from_bytes(&bytes).ok());
        if let Some(ours) = ours.filter(|ours| ours.name != store.name) {
            let args = [("ours", ours.name.into()), ("theirs", store.name.into())];
            return Err(Failure::refused(vec![words.with("cli-join-other-store", &args)]));
        }
        save(&store_path(home.path()), revision.text.as_bytes())?;
        // What a machine has seen is never forgotten.
        if let (None, Some(record)) = (load_record(home.path())?, record) {
            save_record(home.path(), &record)?;
        }
        let member = Member::new(node, Some(peer), data, &revision);
        Member { store: id, ..member }.save(home.path())?;
        // It has joined, whatever becomes of the diary.
        let _ = keeper::add(home.path(), &by(), Noted::Joined { machine: peer.to_string() });
        Ok(store.name)
    };
    *joined = Some(kept().map_err(NotJoined::Kept)?);
    Ok(())
}

/// Keeps what a terminal received. Returns the store's name, and where its own settings are.
fn keep_terminal(words: &Words, home: &Home, pass: &Pass) -> Result<(String, String), Failure> {
    let path = home.path();
    if Member::load(path).is_ok() {
        let home = path.display().to_string();
        return Err(Failure::refused(vec![words.with("cli-init-there", &[("home", home.into())])]));
    }
    let store = pass.revision.store().map_err(|_| Failure::failed(words.say("cli-join-unreadable")))?;
    let known = Known::load(path).ok().flatten();
    if known.as_ref().is_some_and(|known| known.store != pass.store) {
        let ours = fs::read(store_path(path)).ok().and_then(|bytes| Store::from_bytes(&bytes).ok());
        let args =
            [("ours", ours.map_or_else(|| "?".to_owned(), |ours| ours.name).into()), ("theirs", store.name.into())];
        return Err(Failure::refused(vec![words.with("cli-join-other-store", &args)]));
    }
    // Programs of the till look into it.
    fs::set_permissions(path, fs::Permissions::from_mode(0o755))?;
    save(&store_path(path), pass.revision.text.as_bytes())?;
    let settings = settings_path(path);
    if !settings.exists() {
        let name = pass.terminal.replace(['\\', '"'], "");
        save(&settings, format!("[terminal]\nname = \"{name}\"\n").as_bytes())?;
    }
    // What a terminal has seen is never forgotten.
    let proof =
        known.and_then(|known| known.proof).into_iter().chain(pass.proof.clone()).max_by_key(|proof| proof.epoch);
    Known { proof, ..Known::from(pass) }.save(path)?;
    Ok((store.name, settings.display().to_string()))
}

/// Why the main could not be reached, as a person may read it.
fn unreached(words: &Words, why: &Unmet) -> Failure {
    let Told { what, todo } = unmet(words, why);
    match why {
        Unmet::NoCode | Unmet::Versions { .. } => Failure::refused(vec![format!("{what} {todo}")]),
        Unmet::NoAnswer { .. } => Failure::failed(format!("{what} {todo} {}", words.say("cli-join-firewall"))),
        _ => Failure::failed(format!("{what} {todo}")),
    }
}
