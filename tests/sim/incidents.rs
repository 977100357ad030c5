//! What is done to the store: by cables, by power, by disks, by clocks, and by people with fast fingers.

use std::time::Duration;

use espejo::service::Command;
use jiff::SignedDuration;
use tokio::time::Instant;

use super::shop::{NAMES, Shop};
use super::story::tell;

impl Shop {
    /// One thing is done, drawn by chance.
    pub async fn incident(&mut self) {
        let who = self.random.index(2);
        match self.random.below(20) {
            0..=2 => self.cable(),
            3..=4 => self.heal_cable(),
            5 => self.slow_cable(who),
            6 if self.nodes[who].is_on => self.fall(who).await,
            7 if self.nodes[who].is_on => {
                let after = u32::try_from(self.random.below(6)).unwrap();
                tell(format!("{}: the power will be cut after {after} moments", NAMES[who]));
                self.nodes[who].host.state().falls_after = Some(after);
            }
            8 if self.nodes[who].is_on => {
                let with_pos = self.random.once_in(2);
                tell(format!("{}: its service is stopped dead, with its POS server: {with_pos}", NAMES[who]));
                self.crash(who, with_pos).await;
            }
            6..=9 => self.switch_on(who).await,
            10 => {
                let full = self.random.once_in(2);
                tell(format!("{}: the disk is full: {full}", NAMES[who]));
                self.nodes[who].host.state().full = full;
            }
            11 => {
                let off = i64::try_from(self.random.below(100_000)).unwrap() - 50_000;
                tell(format!("{}: the clock jumps to {off} s from the right time", NAMES[who]));
                self.nodes[who].host.state().clock_off = SignedDuration::from_secs(off);
            }
            12 => {
                let sick = self.random.once_in(2);
                tell(format!("{}: the POS server does not answer: {sick}", NAMES[who]));
                self.nodes[who].pos.state().sick = sick;
            }
            13 if self.nodes[who].is_on && self.random.once_in(3) => {
                self.ask(who, Command::Stop { by: "evening".to_owned() });
            }
            _ => self.fingers(who),
        }
    }

    /// A person presses something, perhaps twice.
    fn fingers(&mut self, who: usize) {
        for _ in 0..=self.random.below(2) {
            let by = "ana".to_owned();
            let (yes, accept_loss) = (!self.random.once_in(4), !self.random.once_in(4));
            let command = match self.random.below(14) {
                0..=3 => {
                    Command::Promote { by, yes, accept_loss, unlock: false, reason: None, numbers: vec![], as_of: None }
                }
                4..=6 => Command::Return { by, reason: None },
                7..=8 => Command::Switch { by, reason: None },
                9 => Command::Start { by },
                10 => Command::Cancel { by },
                11 => Command::Verify { by },
                12 => {
                    let questions = self.status(who).map(|status| status.questions.clone()).unwrap_or_default();
                    let accept = self.random.once_in(2);
                    let Some(asked) = questions.first() else { continue };
                    Command::Answer { question: asked.id, accept, by }
                }
                _ => Command::Reseed { by },
            };
            self.ask(who, command);
        }
    }

    fn cable(&mut self) {
        let (now, which) = (Instant::now(), self.random.index(3));
        tell(format!("the cable is cut: {}", ["from the main", "from the backup", "both ways"][which]));
        self.net.change(|ways| {
            for (from, way) in ways.iter_mut().enumerate() {
                if which == 2 || which == from {
                    way.cut.get_or_insert(now);
                }
            }
        });
    }

    fn heal_cable(&mut self) {
        tell("the cable is whole".to_owned());
        self.net.change(|ways| ways.iter_mut().for_each(|way| way.cut = None));
    }

    fn slow_cable(&mut self, from: usize) {
        let (least, more) = (self.random.below(400), self.random.below(400));
        let lost = if self.random.once_in(2) { self.random.below(60) } else { 0 };
        tell(format!("from the {}: {least} ms and up to {more} more, {lost} of 100 are lost", NAMES[from]));
        self.net.change(|ways| (ways[from].delay_ms, ways[from].lost) = ((least, more), lost));
    }

    async fn switch_on(&mut self, who: usize) {
        if self.nodes[who].is_on && self.nodes[who].status.has_changed().is_ok() {
            return;
        }
        // One that was ended in order stands still; it is switched off, and on again.
        let _ = self.nodes[who].pos.state().runs.take();
        tell(format!("{}: is switched on", NAMES[who]));
        self.nodes[who].host.abort();
        self.start(who, true).await;
    }

    /// All that was done is mended, and a person is there who does what is offered until one machine serves and the other one
    /// follows. Returns which one serves.
    pub async fn heal(&mut self) -> Result<usize, String> {
        tell("all is mended".to_owned());
        self.net.change(|ways| {
            for way in ways {
                (way.cut, way.delay_ms, way.lost) = (None, (1, 2), 0);
            }
        });
        for who in [0, 1] {
            self.nodes[who].mend();
            self.switch_on(who).await;
        }
        let end = Instant::now() + Duration::from_secs(900);
        while Instant::now() < end {
            self.pass(Duration::from_secs(2)).await?;
            if let Some(server) = self.is_well() {
                return Ok(server);
            }
            if self.random.once_in(5) {
                // Somebody may have ended one for the night just before.
                for who in [0, 1] {
                    self.switch_on(who).await;
                }
                self.persist();
            }
        }
        Err(format!("there is no way on: {:?}", [0, 1].map(|who| self.status(who).map(|status| status.duty))))
    }

    /// A person looks at each machine, and does what it offers.
    fn persist(&mut self) {
        for who in [0, 1] {
            let Some(status) = self.status(who) else { continue };
            let by = "ben".to_owned();
            if let Some(asked) = status.questions.first() {
                self.ask(who, Command::Answer { question: asked.id, accept: true, by: by.clone() });
            }
            let offered = status.plans.iter().find(|plan| plan.is_offered() && !plan.kind.gives());
            let command = match offered.map(|plan| plan.kind) {
                Some(espejo::service::status::OperationKind::Start) => Command::Start { by },
                Some(espejo::service::status::OperationKind::Promote) => Command::Promote {
                    by,
                    yes: true,
                    accept_loss: true,
                    unlock: false,
                    reason: None,
                    numbers: vec![],
                    as_of: None,
                },
                _ => continue,
            };
            self.ask(who, command);
            return;
        }
    }
}
