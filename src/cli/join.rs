//! `espejo join`: join a store with a code.

use std::io::{self, Write};
use std::path::PathBuf;

use super::Around;
use super::exit::{Exit, Failure};
use crate::config::address::{Address, PORT};
use crate::link::greeting::{Purpose, Refusal};
use crate::link::identity::{Identity, MachineId};
use crate::link::join::{Code, JoinError};
use crate::link::tls::Tls;
use crate::service::home::{Home, save};
use crate::service::member::{Member, store_path};
use crate::service::node::joining::{self, Handover};
use crate::service::node::meet::{self, Unmet};
use crate::words::Words;

/// Joins, saves what is received, and prints what to type next.
pub async fn run(around: &Around, code: &str, address: &str, data: Option<PathBuf>) -> Result<Exit, Failure> {
    let words = &around.words;
    let code: Code = code.parse().map_err(|_| Failure::usage(words.say("cli-join-no-code")))?;
    let parsed = Address::parse(address).or_else(|| Address::new(address, PORT));
    let wrong = || Failure::usage(words.with("cli-init-address", &[("text", address.to_owned().into())]));
    let address = parsed.ok_or_else(wrong)?;
    if Member::load(&around.home).is_ok() {
        let home = around.home.display().to_string();
        return Err(Failure::refused(vec![words.with("cli-init-there", &[("home", home.into())])]));
    }
    let data = data.map(std::path::absolute).transpose()?;
    let home = Home::take(&around.home)?;
    let identity = Identity::load_or_make(home.path())?;
    let tls = Tls::new(&identity).map_err(io::Error::other)?;
    let mut secure =
        meet::call(&tls, &address, None, Purpose::Join).await.map_err(|why| unmet(words, &address, why))?;
    let peer = secure.peer;
    let mut joined = None;
    let keep = async |handover: Handover| keep(&home, peer, data, handover, &mut joined);
    joining::ask(&mut secure, identity.id(), &code, keep).await.map_err(|failed| match failed {
        NotJoined::Join(JoinError::WrongCode) => Failure::refused(vec![words.say("cli-join-wrong-code")]),
        NotJoined::Join(JoinError::Io(error)) => unmet(words, &address, Unmet::Io(error)),
        NotJoined::Kept(failure) => failure,
    })?;
    let store = joined.unwrap_or_default();
    writeln!(io::stdout(), "{}", words.with("cli-join-done", &[("store", store.into())]))?;
    Ok(Exit::Done)
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
    home: &Home,
    peer: MachineId,
    data: Option<PathBuf>,
    handover: Handover,
    joined: &mut Option<String>,
) -> Result<(), NotJoined> {
    let kept = || -> Result<String, Failure> {
        let Handover { node, revision } = handover;
        let wrong = |_| Failure::failed("the main sent a configuration that this version cannot read");
        let store = revision.store().map_err(wrong)?;
        save(&store_path(home.path()), revision.text.as_bytes())?;
        Member::new(node, Some(peer), data, &revision).save(home.path())?;
        Ok(store.name)
    };
    *joined = Some(kept().map_err(NotJoined::Kept)?);
    Ok(())
}

/// Why the main could not be reached, as a person may read it.
fn unmet(words: &Words, address: &Address, why: Unmet) -> Failure {
    let address = ("address", address.to_string().into());
    match why {
        Unmet::Refused { why: Refusal::NoCode, .. } => Failure::refused(vec![words.say("cli-join-no-invite")]),
        Unmet::Refused { version, .. } => {
            let ours = meet::version();
            Failure::refused(vec![words.with("cli-join-version", &[("theirs", version.into()), ("ours", ours.into())])])
        }
        Unmet::Io(error) => {
            Failure::failed(words.with("cli-join-unmet", &[address, ("error", error.to_string().into())]))
        }
        Unmet::Stranger | Unmet::Foreign(_) => {
            Failure::failed(words.with("cli-join-unmet", &[address, ("error", why.to_string().into())]))
        }
    }
}
