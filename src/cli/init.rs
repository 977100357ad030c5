//! `espejo init`: set up a store on its main.

use std::ffi::OsString;
use std::fs;
use std::io::{self, BufRead, IsTerminal, Write};
use std::path::{Path, PathBuf};

use super::Around;
use super::args::InitArgs;
use super::exit::{Exit, Failure};
use crate::config::address::{Address, PORT};
use crate::config::draft::{Draft, DraftMachine};
use crate::config::f_s_doc::FsDoc;
use crate::config::revision::Revision;
use crate::config::store::Store;
use crate::link::identity::Identity;
use crate::pair::Node;
use crate::service::home::{Home, save};
use crate::service::member::{Member, store_path};
use crate::words::faults;

/// Writes the configuration and this machine's identity, and prints what to type next.
pub fn run(around: &Around, args: &InitArgs) -> Result<Exit, Failure> {
    let words = &around.words;
    if Member::load(&around.home).is_ok() {
        let home = around.home.display().to_string();
        return Err(Failure::refused(vec![words.with("cli-init-there", &[("home", home.into())])]));
    }
    let draft = draft(around, args)?;
    let text = draft.text();
    Store::parse(&text).map_err(|faults| {
        Failure::usages(faults.iter().map(|fault| faults::config(words, "store.toml", fault)).collect())
    })?;
    let home = Home::take(&around.home)?;
    save(&store_path(home.path()), text.as_bytes())?;
    Identity::load_or_make(home.path())?;
    Member::new(Node::Main, None, None, &Revision { number: 1, text }).save(home.path())?;
    let path = store_path(home.path()).display().to_string();
    writeln!(io::stdout(), "{}", words.with("cli-init-done", &[("store", draft.store.into()), ("path", path.into())]))?;
    Ok(Exit::Done)
}

fn draft(around: &Around, args: &InitArgs) -> Result<Draft, Failure> {
    let words = &around.words;
    let doc = args.from.as_deref().map(|path| read_doc(around, path)).transpose()?;
    let doc_main = doc.as_ref().map(|doc| doc.main.as_str().to_owned());
    let doc_backup = doc.as_ref().map(|doc| doc.backup.as_str().to_owned());
    let mut missing = vec![];
    let mut need = |given: Option<String>, option: &str, question: &str| {
        let answer = given.or_else(|| ask(&words.say(question)));
        answer.unwrap_or_else(|| {
            missing.push(words.with("cli-init-missing", &[("option", option.to_owned().into())]));
            String::new()
        })
    };
    let store = need(args.store.clone().or_else(|| doc_main.clone()), "--store NAME", "cli-init-ask-store");
    let of_doc = |name: &Option<String>| name.clone().filter(|name| resolves(name));
    let main = need(args.main.clone().or_else(|| of_doc(&doc_main)), "--main ADDR", "cli-init-ask-main");
    let backup = need(args.backup.clone().or_else(|| of_doc(&doc_backup)), "--backup ADDR", "cli-init-ask-backup");
    let data = args.data.as_ref().map(|data| data.display().to_string());
    let data = need(data, "--data DIR", "cli-init-ask-data");
    if !missing.is_empty() {
        return Err(Failure::usages(missing));
    }
    let address = |text: &str| {
        let parsed = Address::parse(text).or_else(|| Address::new(text, PORT));
        parsed.ok_or_else(|| Failure::usage(words.with("cli-init-address", &[("text", text.to_owned().into())])))
    };
    let (main, backup) = (address(&main)?, address(&backup)?);
    let data = folder(around, Path::new(&data))?;
    Ok(Draft {
        store,
        main: DraftMachine { name: doc_main, address: main },
        backup: DraftMachine { name: doc_backup, address: backup },
        data,
    })
}

/// The folder of the data as the configuration names it: where it really is, and it must be there.
fn folder(around: &Around, data: &Path) -> Result<String, Failure> {
    let told = |id: &str, error: String| {
        let path = data.display().to_string();
        Failure::usage(around.words.with(id, &[("path", path.into()), ("error", error.into())]))
    };
    let real = fs::canonicalize(data).map_err(|error| told("cli-init-no-data", error.to_string()))?;
    if !real.is_dir() {
        return Err(told("cli-init-data-no-folder", String::new()));
    }
    real.into_os_string().into_string().map_err(|_| told("cli-init-data-name", String::new()))
}

/// Whether a machine answers to `name` in this network.
fn resolves(name: &str) -> bool {
    use std::net::ToSocketAddrs;
    Address::new(name, PORT).is_some() && (name, PORT).to_socket_addrs().is_ok_and(|mut found| found.next().is_some())
}

/// Reads an `f_s.doc`, or the one in a folder.
fn read_doc(around: &Around, path: &Path) -> Result<FsDoc, Failure> {
    let told = |path: &Path, error: &io::Error| Failure::usage(format!("{}: {error}", path.display()));
    let file: PathBuf = if path.is_dir() {
        let listed = fs::read_dir(path).map_err(|error| told(path, &error))?;
        let names: Vec<OsString> = listed.filter_map(Result::ok).map(|entry| entry.file_name()).collect();
        let found = FsDoc::find(names.iter().map(OsString::as_os_str));
        path.join(found.ok_or_else(|| told(path, &io::ErrorKind::NotFound.into()))?)
    } else {
        path.to_owned()
    };
    let bytes = fs::read(&file).map_err(|error| told(&file, &error))?;
    FsDoc::parse(&bytes).map_err(|wrong| {
        let name = file.display().to_string();
        let told = wrong.iter().map(|fault| format!("{name}: {}", faults::f_s_doc(&around.words, fault)));
        Failure::usages(told.collect())
    })
}

/// Asks a person, where one is there.
fn ask(question: &str) -> Option<String> {
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        return None;
    }
    eprint!("{question} ");
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer).ok()?;
    Some(answer.trim().to_owned()).filter(|answer| !answer.is_empty())
}
