//! What the serving half says beside generations.

use std::time::Duration;

use super::Receiving;
use super::incoming::Incoming;
use super::work::Work;
use crate::link::frame::Say;
use crate::service::news::News;

impl Receiving {
    pub(super) fn heard(&mut self, say: Say) -> Result<(), String> {
        match say {
            Say::Hello(_) => {}
            Say::Told(told) => {
                self.held = told.bytes;
                self.tell(News::Told(told));
            }
            Say::Behind { age_ms, bytes } => self.behind(age_ms, bytes, 0),
            Say::BehindIn { age_ms, bytes, files } => self.behind(age_ms, bytes, files),
            Say::GiveUp => {
                self.incoming = Incoming::default();
                self.tell(News::GivenUp);
                self.applier.work(Work::GiveUp);
            }
            Say::Canary { at, level } => self.applier.work(Work::Canary { at, level }),
            Say::Start(start) => self.applier.work(Work::Start(start)),
            Say::Look(paths) => self.applier.work(Work::Look(paths)),
            Say::Last { position, digest } => {
                if position != self.durable {
                    return Err(format!("the main is at {position}, this machine at {}", self.durable));
                }
                self.applier.work(Work::Last { digest });
            }
            Say::Proving { files, bytes } => {
                self.comparisons.proving(files, bytes);
                self.tell_comparing();
            }
            Say::Plain(files) => self.tell(News::Plain(files)),
            Say::Proved { files, bytes, differed, position, digest } => {
                self.comparisons.proved((files, bytes), differed);
                if position != self.durable {
                    return Err(format!("the main proves {position}, this machine is at {}", self.durable));
                }
                self.applier.work(Work::Digest { digest });
            }
        }
        Ok(())
    }

    /// How far this side is behind.
    fn behind(&self, age_ms: Option<u64>, bytes: u64, files: u64) {
        self.tell(News::Behind { age: age_ms.map(Duration::from_millis), bytes, files });
    }
}
