//! What the two machines say to each other calls for this.

use tokio::sync::oneshot;
use tokio::time::Instant;

use super::meet::{self, Met};
use super::note::Note;
use super::pos::Program;
use super::session::Session;
use super::{Left, Machine, MachineError};
use crate::config::revision::Revision;
use crate::config::store::Store;
use crate::link::greeting::Refusal;
use crate::link::proof::Proof;
use crate::os::ground;
use crate::pair::{Duty, Epoch, Event, Node};
use crate::service::boot::Mark;
use crate::service::command::{Command, Reply};
use crate::service::event::Noted;
use crate::service::licence::begin_ledger;
use crate::service::proofs::start_of;
use crate::service::refusal::WhyNot;
use crate::service::unmet::Unmet;

impl Machine {
    pub(super) async fn met(&mut self, met: Met) {
        match met {
            Met::Failed(why) => {
                if self.unmet.as_ref() != Some(&why) {
                    tracing::info!(?why, "the other machine could not be called");
                }
                self.notice_twin(matches!(why, Unmet::Twin { .. }));
                self.unmet = Some(why);
                self.heart.closed(Instant::now());
            }
            // Who was let in and is forgotten since.
            Met::Control { mut secure, .. } | Met::Dataset { mut secure, .. }
                if Some(secure.peer) != self.member.other =>
            {
                let _ = meet::answer(&mut secure, Some(Refusal::Stranger)).await;
            }
            Met::Control { session, secure } if self.is_twin(session) => self.turn_twin_away(secure).await,
            Met::Control { session, mut secure } => {
                self.is_no_twin();
                if self.again.is_none() && meet::answer(&mut secure, None).await.is_err() {
                    return;
                }
                (self.unmet, self.apart) = (None, None);
                self.heart.connected(session, &secure.secret, Instant::now());
                let far = if self.member.node == Node::Main { &self.store.backup } else { &self.store.main };
                self.their_heart = meet::resolve(&far.address).await.ok();
                // The one before ends with all that belonged to it.
                self.nobody_answers();
                let protocol = secure.spoken;
                self.session = Some(Session::begin(session, secure, self.tell.notes.clone()));
                tracing::info!(session, protocol, "the two machines talk");
                self.say_here();
                self.say_job();
                self.say_devices();
                if let Some(session) = &self.session {
                    session.say(Note::Terminals { entries: self.tills.registry.entries().to_vec() });
                }
                if let (Some(session), Some(said)) = (&self.session, &self.maintenance) {
                    session.say(Note::Maintenance(said.clone()));
                }
                if self.pair.duty() == Duty::Serving
                    && let Some(session) = &self.session
                {
                    session.say(Note::Configured(self.revision.clone()));
                }
            }
            Met::Dataset { session, name, mut secure } => {
                let calls = self.again.is_some();
                let place = self.lanes.iter().position(|lane| lane.name == name);
                let current = self.session.as_ref().is_some_and(|current| current.number == session);
                // Who called gave a way to a dataset that it has no use for itself: an answer would be taken for words of the copy.
                let refused = (!current || place.is_none()).then_some(Refusal::NoPlace);
                if !calls && meet::answer(&mut secure, refused).await.is_err() || !current {
                    return;
                }
                match place.filter(|at| self.lanes[*at].goes()) {
                    Some(at) => self.give_way(at, secure),
                    None if calls || place.is_some() => {
                        // The way is kept, though nobody here uses it yet: without it the session would be over before anything
                        // is said.
                        self.session.as_mut().and_then(|current| current.unused.insert(name, secure));
                    }
                    None => {}
                }
            }
            Met::Joining(secure) => self.joining(secure),
        }
    }

    pub(super) fn say_here(&self) {
        self.tell_terminals();
        let Some(session) = &self.session else { return };
        session.say(Note::Here {
            duty: self.pair.duty(),
            epoch: self.pair.record().epoch,
            start: start_of(self.pair.record()),
            proof: self.proofs.of(self.pair.record().epoch).cloned(),
            server: self.server_stands(),
            version: meet::version(),
            server_version: self.program.as_ref().and_then(Program::version),
            clock_ms: ground::now().as_millisecond(),
            counts: self.pair.record().goodbye || self.unsaved.is_some(),
            numbered: self.numbers.set_lately(),
        });
    }

    pub(super) async fn note(&mut self, session: u64, note: Option<Note>) -> Result<Option<Left>, MachineError> {
        if self.session.as_ref().is_none_or(|current| current.number != session) {
            return Ok(None);
        }
        let Some(note) = note else {
            self.hang_up();
            self.publish_soon();
            return Ok(None);
        };
        self.heart.felt(Instant::now());
        match note {
            Note::Ping => return Ok(None),
            Note::Unknown { asks } => self.not_understood(asks),
            Note::Here { duty, server, version, server_version, clock_ms, epoch, start, proof, counts, numbered } => {
                self.hear_numbered(&numbered);
                if !counts && std::mem::take(&mut self.has_parted) {
                    Mark::Goodbye.clear(&self.home);
                }
                self.their_version = server_version;
                self.far.hear(duty, server, Instant::now());
                self.theirs = Some((duty, server, version));
                self.clock_off_ms = Some(clock_ms - ground::now().as_millisecond());
                self.peer_heard((epoch, start), proof).await?;
                if let Some(session) = &mut self.session {
                    session.has_said = epoch <= self.pair.record().epoch;
                }
            }
            Note::Grant { to, at } => self.granted(to, at).await?,
            Note::Goodbye { epoch } => self.step(Event::Goodbye { epoch }).await?,
            Note::Configured(revision) => return Ok(self.configured(&revision)),
            Note::Operation(operation) => {
                self.keeper.hear(&operation, self.member.node.other());
                self.turning.job.hear(*operation);
                self.name_job();
            }
            Note::Devices { reached } => self.hear_devices(reached),
            Note::Terminals { entries } => self.merge_terminals(&entries),
            Note::Maintenance(said) => self.hear_maintenance(said),
            Note::Done { by, what } => self.keeper.hear_event(&by, &what),
            Note::Standing(status) => {
                self.stands(&status);
                self.learn_found(&status.found);
                self.hear_numbered(&status.numbered);
                self.their_status = Some(status);
            }
            Note::Ask { number, command } => self.asked_by_other(number, command).await?,
            Note::Answer { number, reply } => {
                if let Some(answer) = self.asked.answers.remove(&number) {
                    let _ = answer.send(reply);
                }
            }
        }
        self.publish_soon();
        Ok(None)
    }

    /// The other machine asks for something that only this one can do.
    async fn asked_by_other(&mut self, number: u64, command: Command) -> Result<(), MachineError> {
        if let (Command::Check { .. }, Some(session)) = (&command, &self.session) {
            self.examine(session.sayer(number)).await;
            return Ok(());
        }
        let reply = if command.is_for_server() && self.pair.duty() != Duty::Serving {
            // Neither machine serves: asked back, each would wait for the other for ever.
            Reply::Refused { why: vec![WhyNot::ServesNot] }
        } else if command.is_for_server() {
            let (answer, answered) = oneshot::channel();
            self.turn_over(command, answer).await?;
            answered.await.unwrap_or(Reply::Refused { why: vec![WhyNot::Other] })
        } else {
            self.command(command).await
        };
        if let Some(session) = &self.session {
            session.say(Note::Answer { number, reply });
        }
        Ok(())
    }

    /// A later version says something that this one does not know: it is passed over, and what was asked is refused.
    fn not_understood(&self, asks: Option<u64>) {
        tracing::debug!("a note that this version does not know is passed over");
        if let (Some(session), Some(number)) = (&self.session, asks) {
            session.say(Note::Answer { number, reply: Reply::Refused { why: vec![WhyNot::Other] } });
        }
    }

    /// The machine that serves says which configuration counts.
    fn configured(&mut self, revision: &Revision) -> Option<Left> {
        if self.pair.duty() == Duty::Serving {
            return None;
        }
        match revision.store() {
            // Which of the two is the main is no matter of numbers: the machine that serves knows.
            Ok(store) if revision.number <= self.revision.number && store.is_adopted == self.store.is_adopted => None,
            Ok(store) => {
                if let Err(error) = self.keep_settings(&store, revision) {
                    // It is said again in the next session, and there may be room by then.
                    tracing::error!(%error, "a configuration that counts could not be kept");
                    self.hang_up();
                    return None;
                }
                tracing::info!(revision = revision.number, "another configuration counts now");
                self.noted("", Noted::Configured { revision: revision.number });
                self.leave_for(&store)
            }
            Err(faults) => {
                tracing::error!(?faults, "a configuration came that cannot be read");
                None
            }
        }
    }

    fn keep_settings(&mut self, store: &Store, revision: &Revision) -> Result<(), MachineError> {
        if store.is_adopted != self.store.is_adopted && self.role() == Node::Main {
            begin_ledger(&self.home, &self.tls.id().to_string())?;
        }
        Ok(self.member.take(&self.home, revision)?)
    }

    /// The other machine has seen this epoch: which of the two is the server follows from that.
    pub(super) async fn peer_heard(
        &mut self,
        (epoch, start): (Epoch, u64),
        proof: Option<Proof>,
    ) -> Result<(), MachineError> {
        let (was, ours) = (self.pair.duty(), self.pair.record().epoch);
        let counted = self.pair.record().goodbye;
        let believed = match self.proofs.believe((epoch, start), proof, self.member.other) {
            // What this machine has seen itself need not be proven to it.
            Err(why) if epoch > ours => Err(why),
            Ok(()) | Err(_) => Ok(()),
        };
        let is_news = self.proofs.doubt(believed.is_err().then_some(epoch));
        if let Err(why) = believed {
            if is_news {
                tracing::error!(epoch, ours, %why, "the other machine speaks of an epoch that it does not prove");
            }
            return Ok(());
        }
        self.step_quietly(Event::PeerHeard { epoch, start }).await?;
        let record = self.pair.record();
        if self.pair.duty() != was || record.epoch != ours || record.goodbye != counted {
            self.say_here();
        }
        Ok(())
    }
}
