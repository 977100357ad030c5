//! What each thing that can happen calls for.

use std::time::Duration;

use tokio::time::Instant;

use super::meet::Again;
use super::note::Note;
use super::pos::Program;
use super::session::Session;
use super::{Input, Left, Machine, MachineError};
use crate::config::store::Store;
use crate::link::pulse;
use crate::os::ground::spawn;
use crate::os::{ground, point};
use crate::pair::{Action, Duty, Event, story};
use crate::replica::Time;
use crate::service::book::Book;
use crate::service::command::{Command, Reply};
use crate::service::keeper::kept;
use crate::service::news::News;
use crate::service::receiving::{Failed, Order};
use crate::service::refusal::WhyNot;
use crate::service::status::{Folders, PeerState, Step};

/// A session whose other side is lost for so long is given up.
const GIVEN_UP: Duration = Duration::from_secs(10);

/// Datagrams that are heard at once at the most: there may be no end of them, and not from the other machine.
const LISTENED: usize = 256;

/// Time between two notes that say nothing but that this machine is there.
const PING: Duration = Duration::from_secs(1);

impl Machine {
    pub(super) async fn take(&mut self, input: Input) -> Result<Option<Left>, MachineError> {
        match input {
            Input::Stop => {
                self.keeper.end("").await;
                return Ok(self.leave(Left::Stopped));
            }
            Input::Served(news) => {
                let left = self.served(news).await?;
                self.go_on().await?;
                return Ok(left);
            }
            Input::Beat => {
                self.beat();
                self.keep_to_licence().await?;
                self.wait_over().await?;
                self.lanes_go_on().await?;
                self.drill_goes_on().await;
                self.dumps_go_on().await?;
                self.expire().await;
                self.states_go_on().await;
                return Ok(None);
            }
            Input::Datagram(bytes) => {
                self.hear(&bytes);
                return Ok(None);
            }
            Input::Asked((Command::Stop { by }, answer)) => {
                tracing::info!(by, "asked to end");
                self.keeper.end(&by).await;
                let _ = answer.send(Reply::Done);
                return Ok(self.leave(Left::Stopped));
            }
            Input::Asked((
                command @ (Command::Promote { .. }
                | Command::Return { .. }
                | Command::Switch { .. }
                | Command::Adopt { .. }
                | Command::Start { .. }
                | Command::Cancel { .. }),
                answer,
            )) => self.turn_over(command, answer).await?,
            Input::Asked((command, answer)) => self.asked(command, answer).await,
            Input::News(lane, news) => self.news(lane, news).await?,
            Input::Met(met) => self.met(met).await,
            Input::Note(session, note) => return self.note(session, note).await,
            Input::Joined(joined) => return self.joined(joined),
            Input::Shown(proof) => self.shown(proof).await?,
            Input::Witnessed => {
                // Two hundred of them tell something each second: it is seen when it is time to publish.
                self.stored().await?;
                return Ok(None);
            }
        }
        self.publish_soon();
        Ok(None)
    }

    /// Hears all that has come from the other machine's heart: silence is judged by what came, not by what was listened to.
    pub(super) fn listen(&mut self) {
        let mut datagram = [0; pulse::LENGTH + 1];
        for _ in 0..LISTENED {
            match self.udp.try_receive(&mut datagram) {
                Ok(length) => self.hear(&datagram[..length]),
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => break,
                // What could not be delivered before comes back as an error: it is nothing new.
                Err(_) => {}
            }
        }
        self.heart.listened(Instant::now());
    }

    /// Takes in a datagram.
    fn hear(&mut self, datagram: &[u8]) {
        let now = Instant::now();
        let was = self.heart.state(now);
        self.heart.hear(datagram, now);
        if was != PeerState::Healthy {
            self.publish_soon();
        }
        if was == PeerState::Lost && self.heart.state(now) != was {
            // Whatever kept the two apart is over: who calls need not wait for its time.
            self.call(Again::Heard);
        }
    }

    fn beat(&mut self) {
        self.listen();
        let now = Instant::now();
        let epoch = self.pair.record().epoch;
        if let Some(days) = &mut self.days {
            days.count(self.pair.duty() == Duty::Serving);
        }
        if let Some(beat) = self.heart.beat(epoch, 0, now)
            && let Some(to) = self.their_heart
        {
            // What cannot be sent is not heard: that says enough.
            let _ = self.udp.try_send(&beat, to);
        }
        if self.program.as_mut().is_some_and(Program::has_another_version) {
            self.say_here();
        }
        let published = self.publish.borrow().as_ref().map(|status| status.peer.state);
        if published.is_some_and(|published| published != self.heart.state(now)) {
            // Nothing comes from who falls silent: it is this machine's own time that tells.
            self.publish_soon();
        }
        if self.told_at.is_none_or(|at| now.duration_since(at) >= PING) {
            self.told_at = Some(now);
            if let Some(session) = &self.session {
                session.say(Note::Ping);
            }
        }
        if self.session.is_some() && self.heart.silent(now).is_some_and(|silent| silent >= GIVEN_UP) {
            self.hang_up();
        }
    }

    pub(super) fn hang_up(&mut self) {
        if let Some(session) = self.put_away_session() {
            spawn(session.close());
        }
    }

    /// The session is over: another one is to be made.
    pub(super) fn put_away_session(&mut self) -> Option<Session> {
        let session = self.session.take()?;
        let now = Instant::now();
        self.heart.closed(now);
        self.nobody_answers();
        self.apart.get_or_insert(now);
        tracing::info!(session = session.number, "the two machines do not talk any more");
        self.call(Again::Over(session.number));
        Some(session)
    }

    /// What was asked of the other machine is not answered any more.
    pub(super) fn nobody_answers(&mut self) {
        for (_, answer) in self.asked.answers.drain() {
            let _ = answer.send(Reply::Refused { why: vec![WhyNot::NoAnswer] });
        }
    }

    fn call(&self, again: Again) {
        if let Some(who_calls) = &self.again {
            let _ = who_calls.send(again);
        }
    }

    /// Takes an event to the core, performs what it calls for, and says to the other machine what this one does now.
    pub(super) async fn step(&mut self, event: Event) -> Result<(), MachineError> {
        self.step_quietly(event).await?;
        self.say_here();
        Ok(())
    }

    /// Takes an event to the core, and performs what it calls for.
    pub(super) async fn step_quietly(&mut self, event: Event) -> Result<(), MachineError> {
        let mut events = vec![event];
        while let Some(event) = events.pop() {
            let before = self.pair.clone();
            for action in self.pair.step(event) {
                tracing::debug!("{}", story::told(&action));
                match action {
                    Action::Save(record) => {
                        point!("turn.save-asked");
                        let owed = self.owe_dumps(before.record(), &record);
                        let saved = if owed.is_ok() { self.save(&record).await } else { owed };
                        match saved {
                            Ok(()) => {
                                self.unsaved = None;
                                point!("turn.saved");
                                events.push(Event::Saved);
                            }
                            Err(error) => {
                                if self.not_saved(&record, before.clone(), error).await? {
                                    // It was about to give its place, or to take it: it does neither.
                                    events = self.pair.untaken().into_iter().collect();
                                    break;
                                }
                            }
                        }
                    }
                    Action::Serve(epoch) => {
                        self.keep_unapplied().await;
                        if let Some(days) = &mut self.days {
                            days.begin().await;
                            point!("turn.day-begun");
                        }
                        self.serve(epoch).await?;
                        self.passed(Step::TakeEpoch).await;
                        if let Some(session) = &self.session {
                            session.say(Note::Configured(self.revision.clone()));
                        }
                    }
                    Action::Follow(epoch) => self.follow(epoch)?,
                    Action::Drain => events.push(self.drain().await),
                    Action::Retire => {
                        point!("turn.retire");
                        self.turning.served = true;
                        self.program.as_mut().map(Program::stop_if_wanted);
                        if let Err((dataset, Failed { why, .. })) = self.end_lanes().await {
                            // It serves no more all the same.
                            tracing::error!(dataset, why, "a dataset failed as it was no longer sent");
                        }
                        point!("turn.retired");
                    }
                    Action::Freeze => self.freeze().await,
                    Action::Unfreeze => self.unfreeze().await,
                    Action::Grant { to, at } => self.grant(to, at).await,
                    Action::Deny(why) => {
                        tracing::warn!(?why, "a change of server was not begun");
                        self.end_job(Err(WhyNot::from(why))).await;
                    }
                    Action::Refuse { theirs, ours } => {
                        tracing::warn!(theirs, ours, "a server of the past was refused");
                        self.hang_up();
                    }
                }
            }
        }
        self.keeper.epoch(self.pair.record().epoch);
        self.keeper.duty(self.pair.duty());
        Ok(())
    }

    /// Where a dataset lies on this machine.
    pub(super) fn folder(&self, store: &Store, name: &str) -> std::path::PathBuf {
        self.member.folder(&self.home, store, name)
    }

    /// The dataset at `at` keeps its state of `from`. The others keep theirs: all go back together.
    fn keep_all(&self, at: usize, from: Time) {
        let dataset = &self.lanes[at].name;
        for other in self.lanes.iter().filter(|other| other.name != *dataset) {
            let _ = other.orders.send(Order::KeepFor { dataset: dataset.clone(), from });
        }
    }

    async fn news(&mut self, lane: usize, mut news: News) -> Result<(), MachineError> {
        // What belonged to a duty that is over says nothing any more.
        let Some(at) = self.lanes.iter().position(|known| known.number == lane) else { return Ok(()) };
        if let News::Ended(why) = news {
            self.lanes[at].says(why);
            return Ok(());
        }
        if let News::Answers(answers) = news {
            let answers = self.dumps.take(answers);
            self.numbers.take(answers, ground::now());
            self.numbers.keep_readings(&self.home);
            self.publish_soon();
            return Ok(());
        }
        if matches!(news, News::Canary { level: true, .. }) {
            let name = self.lanes[at].name.clone();
            self.is_level_again(&name);
        }
        if let News::Kept { from } = news {
            self.keep_all(at, from);
            return Ok(());
        }
        if let News::Duplicated(copied) = news {
            self.duplicated(lane, copied).await;
            return Ok(());
        }
        if news.is_progress() {
            self.lanes[at].works();
        }
        if let News::Opened { strange, .. } = &mut news
            && self.lanes[at].served
        {
            strange.clear();
        }
        if let News::Heard { epoch, start } = news {
            let proven = self.proofs.of(epoch).map(|proof| proof.start);
            if epoch > self.pair.record().epoch && proven.is_none() {
                // Its proof comes by another way, and the mirror waits for that.
                tracing::info!(epoch, "a server of an epoch that is not proven yet is not answered");
                return Ok(());
            }
            self.step(Event::ServerHeard { epoch, start: proven.unwrap_or(start) }).await?;
        }
        if let News::SetAside { to, .. } = &news
            && self.pair.record().strays
        {
            let name = self.lanes[at].name.clone();
            self.find_numbers(&name, to.clone()).await;
        }
        self.sent(lane, &news).await?;
        // Files come by the thousand, and mean nothing to an operation but how far it is.
        let weighs = !matches!(news, News::File(_) | News::Comparing { .. } | News::Behind { .. });
        let (kept, is_open) = (kept(&news), matches!(news, News::Opened { .. }));
        let mut happened = vec![];
        if let Some(lane) = self.lanes.iter_mut().find(|known| known.number == lane) {
            happened = lane.book.take(news, ground::now());
            for what in &happened {
                tracing::info!(dataset = lane.name, event = ?what);
            }
        }
        if weighs {
            happened.extend(kept);
            self.heard(lane, &happened).await;
        }
        if is_open {
            // Whoever has given its place to this machine says so again: it could not be taken before.
            self.say_here();
        }
        Ok(())
    }
}

pub(super) fn book(store: &Store, dataset: &str) -> Book {
    Book::new(dataset, Folders::default())
        .with_max_age(store.mirror.max_age)
        .with_steady_alarm(store.mirror.steady_alarm)
}
