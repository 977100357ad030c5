//! One terminal of the practice shop: the real agent in a process of its own, through which its cashier sells.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;

use super::places::{Places, TILLS};
use super::program::Program;

/// A terminal. Its agent is killed when it is dropped.
#[derive(Debug)]
pub struct Till {
    /// What people call it.
    pub name: &'static str,
    pub(super) program: Program,
}

impl Till {
    /// The terminal `number`, which has not joined yet.
    pub fn new(folder: &Path, number: usize, places: &Places, lang: Option<String>) -> io::Result<Self> {
        let home = folder.join(TILLS[number].to_lowercase());
        fs::create_dir(&home)?;
        let receipt = toml::Value::from(last_receipt(&home).display().to_string());
        let last = format!("last_receipt = {{ file = {receipt}, pattern = \"(\\\\d+)\" }}\n");
        let settings = format!("[terminal]\n{last}{}", listens(places.pos, places.here[number]));
        fs::write(home.join("terminal.toml"), settings)?;
        Ok(Self { name: TILLS[number], program: Program::new(home, lang, vec![]) })
    }

    /// Where its cashier notes the last receipt that was confirmed.
    #[must_use]
    pub fn last_receipt(&self) -> PathBuf {
        last_receipt(&self.program.home)
    }

    /// Switches it on.
    pub fn start(&mut self) -> io::Result<()> {
        self.program.start("terminal")
    }

    /// Whether it is switched on.
    #[must_use]
    pub fn is_on(&self) -> bool {
        self.program.runs()
    }

    /// Cuts its power.
    pub fn cut_power(&mut self) {
        self.program.kill();
    }

    /// How its agent has ended, if it has by itself.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.program.ended()
    }

    /// What its agent has printed.
    #[must_use]
    pub fn log(&self) -> PathBuf {
        self.program.log()
    }
}

fn last_receipt(home: &Path) -> PathBuf {
    home.join("last-receipt")
}

/// What is set where the POS server's port leads in by another one: many tills share one loopback here.
pub(super) fn listens(server: u16, here: u16) -> String {
    format!("[[terminal.port]]\nserver = {server}\nhere = {here}\n")
}
