//! PINs: `espejo pin` makes one for `store.toml`; with `--pin`, or in `ESPEJO_PIN`, one is given to the service.

use std::io::{self, IsTerminal, Write};
use std::sync::OnceLock;

use argon2::Argon2;
use argon2::password_hash::{PasswordHasher, SaltString};

use super::Around;
use super::exit::{Exit, Failure};
use super::parts::PinOf;
use crate::service::control::Client;
use crate::service::{Command, Reply};

/// Letters and digits that a PIN has at the least.
const LEAST: usize = 6;

/// Whether a PIN is to be given, and which, once it was typed.
#[derive(Debug, Default)]
pub struct Given {
    is_asked: bool,
    typed: OnceLock<String>,
}

impl Given {
    /// `is_asked`: it is typed here, where no script gives it.
    #[must_use]
    pub fn new(is_asked: bool) -> Self {
        Self { is_asked, typed: OnceLock::new() }
    }

    /// The PIN that was given so far.
    #[must_use]
    pub fn typed(&self) -> Option<&str> {
        self.typed.get().map(String::as_str)
    }
}

/// Gives the PIN to the service that `client` talks to, where one is to be given.
pub async fn give(around: &Around, client: &mut Client) -> Result<(), Failure> {
    let scripted = std::env::var("ESPEJO_PIN").ok().filter(|pin| !pin.is_empty());
    if scripted.is_none() && !around.pin.is_asked {
        return Ok(());
    }
    let pin = match (around.pin.typed(), scripted) {
        (Some(pin), _) => pin.to_owned(),
        (None, Some(pin)) => pin,
        (None, None) => ask(&around.words.say("cli-pin"))?,
    };
    if let Reply::Refused { why } = client.ask(&Command::Pin { pin: pin.clone() }).await? {
        return Err(Failure::not_done(&around.words, &why));
    }
    let _ = around.pin.typed.set(pin);
    Ok(())
}

/// Makes a PIN as it is kept, and says where it belongs.
pub fn make(around: &Around, of: PinOf) -> Result<Exit, Failure> {
    let words = &around.words;
    let pin = ask(&words.say("cli-pin-new"))?;
    if pin.chars().count() < LEAST {
        return Err(Failure::usage(words.with("cli-pin-short", &[("n", LEAST.into())])));
    }
    if io::stdin().is_terminal() && ask(&words.say("cli-pin-again"))? != pin {
        return Err(Failure::usage(words.say("cli-pin-differs")));
    }
    let failed = |error: argon2::password_hash::Error| Failure::failed(error.to_string());
    let mut salt = [0; 16];
    let random = rustls::crypto::aws_lc_rs::default_provider().secure_random;
    random.fill(&mut salt).map_err(|_| Failure::failed("no random numbers"))?;
    let salt = SaltString::encode_b64(&salt).map_err(failed)?;
    let hash = Argon2::default().hash_password(pin.as_bytes(), &salt).map_err(failed)?;
    eprintln!("{}", words.say("cli-pin-where"));
    let key = match of {
        PinOf::Operator => "operator_pin",
        PinOf::Support => "support_pin",
    };
    writeln!(io::stdout(), "{key} = \"{hash}\"")?;
    Ok(Exit::Done)
}

/// Asks for a PIN; nobody sees it where a person types it.
fn ask(prompt: &str) -> io::Result<String> {
    if io::stdin().is_terminal() {
        return rpassword::prompt_password(format!("{prompt} "));
    }
    let mut line = String::new();
    io::stdin().read_line(&mut line)?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}
