//! What the people at a terminal, and the programs on it, are to hear.

use tokio::sync::mpsc;

use super::speech::{Message, Shut};
use crate::link::greeting::Refusal;

/// What the people at a terminal are to hear.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum News {
    /// The POS server of this machine answers: work goes on.
    Works {
        /// What the machine is called.
        name: String,
    },
    /// The server is about to change, or begins: the till waits.
    Waits {
        /// Who is to serve next, as far as is known.
        name: String,
    },
    /// Whoever serves is not reached.
    Unreached {
        /// What the machine is called.
        name: String,
    },
    /// Somebody has written to the people at the terminals.
    Message(Message),
    /// A machine does not let this terminal in.
    TurnedAway {
        /// What the machine is called.
        name: String,
        /// Why.
        why: Refusal,
    },
    /// Another machine than the one that was joined is at that address.
    OtherMachine {
        /// What the machine is called.
        name: String,
    },
    /// It cannot listen at a port.
    Shut {
        /// The port.
        port: u16,
        /// What the system said.
        why: String,
    },
    /// The store's configuration that was received cannot be used: the one before counts.
    BadConfiguration,
    /// What the terminal is to know again after a restart cannot be saved.
    Unsaved {
        /// What the system said.
        why: String,
    },
}

/// Who serves, as programs and files on this machine are told.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Server {
    /// In which epoch.
    pub epoch: u64,
    /// Where it is: a name or an address.
    pub address: String,
    /// What it is called.
    pub name: String,
    /// The store.
    pub store: String,
}

/// Tells people each thing once.
#[derive(Debug)]
pub struct Crier {
    news: mpsc::UnboundedSender<News>,
    /// What they were told last of who serves.
    stands: Option<News>,
    /// What is wrong, as long as it is so.
    wrong: Vec<News>,
}

impl Crier {
    /// One whose news go to `news`.
    #[must_use]
    pub fn new(news: mpsc::UnboundedSender<News>) -> Self {
        Self { news, stands: None, wrong: vec![] }
    }

    /// Something is said, once.
    pub fn says(&self, news: News) {
        // Who ends does not listen any more.
        let _ = self.news.send(news);
    }

    /// So it stands now: that is said where it is another state than before.
    pub fn stands(&mut self, news: News) {
        if self.stands.as_ref() != Some(&news) {
            self.stands = Some(news.clone());
            self.says(news);
        }
    }

    /// Something is wrong: that is said once for as long as it is so.
    pub fn wrong(&mut self, news: News) {
        if !self.wrong.contains(&news) {
            self.wrong.push(news.clone());
            self.says(news);
        }
    }

    /// The machine of this name lets the terminal in: what was wrong with that is over.
    pub fn heard(&mut self, machine: &str) {
        let is_over = |news: &News| matches!(news, News::TurnedAway { name, .. } | News::OtherMachine { name } if name == machine);
        self.wrong.retain(|news| !is_over(news));
    }

    /// What was to be saved is.
    pub fn saved(&mut self) {
        self.wrong.retain(|news| !matches!(news, News::Unsaved { .. } | News::BadConfiguration));
    }

    /// At these ports it cannot listen, and at all others it can.
    pub fn shut(&mut self, ports: &[Shut]) {
        let is_open = |port: u16| ports.iter().all(|shut| shut.port != port);
        self.wrong.retain(|news| !matches!(news, News::Shut { port, .. } if is_open(*port)));
        for Shut { port, why } in ports {
            self.wrong(News::Shut { port: *port, why: why.clone() });
        }
    }
}

impl Server {
    /// By what is known again whether this was told.
    #[must_use]
    pub fn told(&self) -> String {
        format!("{} {}", self.epoch, self.address)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_thing_is_said_once_for_as_long_as_it_is_so() {
        let (tell, mut told) = mpsc::unbounded_channel();
        let mut crier = Crier::new(tell);
        let name = || "SERVIDOR".to_owned();
        let away = || News::TurnedAway { name: name(), why: Refusal::Stranger };
        let shut = [Shut { port: 9000, why: "in use".into() }];
        for _ in 0..3 {
            crier.stands(News::Works { name: name() });
            crier.wrong(away());
            crier.shut(&shut);
        }
        crier.heard("CAJA-3");
        crier.shut(&[]);
        crier.wrong(away());
        crier.shut(&shut);
        crier.heard("SERVIDOR");
        crier.wrong(away());
        let port = || News::Shut { port: 9000, why: "in use".into() };
        let said: Vec<_> = std::iter::from_fn(|| told.try_recv().ok()).collect();
        assert_eq!(said, [News::Works { name: name() }, away(), port(), port(), away()]);
    }
}
