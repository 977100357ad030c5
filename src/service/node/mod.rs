//! The service of one of the two machines of a store: it mirrors, or is mirrored, over the network.
//!
//! It selects (waits for one `Input`), notes it, performs what follows, publishes how it stands. It never waits for a disk
//! or for the network; what may take long runs elsewhere and comes back as an input.
//!
//! - [`meet`]: connections between the two machines
//! - `as_of`: the start from an earlier state
//! - `beginning`: a machine as it begins
//! - [`calling`]: a person is called
//! - [`ending`]: how it ends
//! - `check`: examines this machine
//! - [`pos`]: the POS server program of this machine
//! - [`far`]: that of the other one
//! - [`days`]: the days of the backup licence
//! - [`session`]: what belongs to one meeting
//! - [`note`]: what the two services say to each other
//! - `since`: since which protocol each of that exists
//! - [`heart`]: the heartbeat
//! - `inbox`: where all that can wake it comes in
//! - [`joining`]: another machine joins
//! - `lacks`: what may be missing in the copy
//! - [`lanes`]: one dataset on its way
//! - [`standing`]: how the machine stands
//! - `morning`: it was the server, and asks whether it still is
//! - `own_till`: this machine as a till
//! - `isolated`: it serves, and is alone
//! - `devices`: printers that both machines must reach
//! - `alone`: what it does with nobody asking
//! - `adopting`: the backup that serves becomes the main for good
//! - `job`: the change of server that runs
//! - `rehearsing`: the process of a drill
//! - `recovering`: a record that cannot be gone on with
//! - `witnesses`: what the terminals see
//! - `twin`: two machines with one key
//! - `stalling`: a dataset that stops, while the others go on
//! - `stillness`: the shop's program stands still for a capture, and goes on
//! - `draining`: the mirrors are closed before anything is served from them
//! - `planning`: what each change of server would do now
//! - `publishing`: how it stands is told
//! - `keeping`: what goes into the diary
//! - `numbers`: the numbers that must never be given twice
//! - `setting`: they are worked out and set
//! - `writing`: where a number goes on is written
//! - `maintenance`: nobody is called for a while
//! - `drill`: the start of the POS server is tried
//! - `dumps`, `asides`: databases that are mirrored by dumps; what they alone held
//! - `duties`, `handing`: what it begins with; a place is given, and taken
//! - `expiring`: what was set aside goes when it is old
//! - `found`: what became of numbers
//! - `given`: numbers that a person gives
//! - `inputs`, `talk`, `orders`, `inviting`, `turning`: what each thing that can happen calls for

mod adopting;
mod alone;
mod as_of;
mod asides;
mod beginning;
pub mod calling;
mod check;
pub mod days;
pub mod devices;
mod draining;
mod drill;
mod dumps;
mod duties;
pub mod ending;
mod expiring;
pub mod far;
mod found;
mod given;
mod handing;
pub mod heart;
mod inbox;
mod inputs;
mod inviting;
mod isolated;
mod job;
pub mod joining;
mod keeping;
mod lacks;
pub mod lanes;
mod maintenance;
pub mod meet;
mod morning;
pub mod note;
mod numbers;
mod orders;
mod own_till;
mod planning;
pub mod pos;
mod publishing;
mod recovering;
mod rehearsing;
pub mod session;
mod setting;
mod since;
mod stalling;
pub mod standing;
mod stillness;
mod talk;
mod turning;
mod twin;
mod witnesses;
mod writing;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::boot::{self, LastEnd, Mark};
use super::engine::Asked;
use super::event::Noted;
use super::home::load_record;
use super::keeper::Keeper;
use super::member::Member;
use super::proofs::Proofs;
use super::status::{Maintenance, Server, Status};
use super::unmet::Unmet;
use crate::config::revision::Revision;
use crate::config::store::Store;
use crate::link::identity::MachineId;
use crate::link::pace::Pace;
use crate::link::pulse;
use crate::link::tls::Tls;
use crate::os::net::Datagrams;
use crate::pair::{Claim, Duty, Event, Pair, Record};
use crate::server::keeps::Keeping;
use calling::Caller;
use days::Days;
use devices::Devices;
pub use ending::{Left, MachineError};
use far::Far;
use heart::{BEAT, Heart};
use inbox::{Inbox, Input, Tellers};
use joining::Invite;
use keeping::Unsaved;
use lanes::Lane;
use meet::Again;
use own_till::OwnTill;
pub use own_till::Programs;
use pos::Program;
use session::Session;
use standing::Standing;
use turning::Turning;
use twin::Twin;
use witnesses::Tills;

/// The service of a machine.
pub struct Machine {
    home: PathBuf,
    member: Member,
    store: Store,
    revision: Revision,
    tls: Tls,
    pair: Pair,
    lanes: Vec<Lane>,
    heart: Heart,
    standing: Standing,
    /// The days of its licence, where it is a backup.
    days: Option<Days>,
    keeper: Keeper,
    /// The proofs of epochs.
    proofs: Proofs,
    /// Calls a person, where it is a backup.
    caller: Option<Caller>,
    /// What could not be saved, where that is so.
    unsaved: Option<Unsaved>,
    session: Option<Session>,
    /// Since when the two do not talk any more.
    apart: Option<Instant>,
    /// Tells who calls that it is time to: see [`meet::keep_calling`].
    again: Option<mpsc::UnboundedSender<Again>>,
    /// Who may come in.
    other: watch::Sender<Option<MachineId>>,
    /// Where the other machine's heart is.
    their_heart: Option<SocketAddr>,
    udp: Datagrams,
    /// How fast all datasets together may be sent.
    pace: Option<Pace>,
    invite: Option<Invite>,
    /// The terminals.
    tills: Tills,
    /// This machine as one.
    own_till: OwnTill,
    numbers: numbers::Numbers,
    drills: drill::Drills,
    states: as_of::States,
    dumps: dumps::Dumps,
    /// When it is looked whether anything that was set aside is too old.
    expiring: expiring::Looks,
    devices: Devices,
    theirs: Option<(Duty, Server, String)>,
    /// The version of its POS server program.
    their_version: Option<String>,
    /// Who keeps POS server programs.
    keeping: Arc<dyn Keeping>,
    /// Where `[server]` is set.
    program: Option<Program>,
    /// The other machine's.
    far: Far,
    /// How the service ends as soon as the POS server has stopped.
    leaving: Option<Left>,
    /// The other machine's clock less this one's, in milliseconds.
    clock_off_ms: Option<i64>,
    their_status: Option<Box<Status>>,
    unmet: Option<Unmet>,
    /// What was asked of the other machine.
    asked: orders::AskedOther,
    publish: watch::Sender<Option<Arc<Status>>>,
    due: Instant,
    /// When the other machine was last told how the mirror stands.
    told_at: Option<Instant>,
    tell: Tellers,
    /// What takes and makes connections.
    work: Vec<JoinHandle<()>>,
    /// What was said last of maintenance.
    maintenance: Option<Maintenance>,
    /// It said goodbye, and has not heard the other machine since: that one may count on it, and serve alone.
    has_parted: bool,
    /// Another machine with this one's key was there when the other machine was met last.
    has_twin: bool,
    /// A second machine with the key of the other one.
    twin: Twin,
    /// Some dataset could be opened since it began.
    went: bool,
    /// Lanes that were begun.
    lanes_begun: usize,
    began: Instant,
    /// The change of server that is under way.
    turning: Turning,
}

impl Machine {
    /// Runs the machine of `home` until it is asked to end. `before`: how it ended in this process before, if it did. Its POS
    /// server program is kept by `keeping`; the `programs` of this machine that follow the server go on with the next one.
    pub async fn run(
        home: &Path,
        before: Option<Left>,
        programs: &mut Programs,
        keeping: Arc<dyn Keeping>,
        publish: watch::Sender<Option<Arc<Status>>>,
        asked: &mut mpsc::UnboundedReceiver<Asked>,
    ) -> Result<Left, MachineError> {
        let lost = recovering::recover(home, Member::load(home)?.node)?;
        let (mut machine, mut inbox) = Self::begin(home, keeping, publish).await?;
        machine.own_till.programs = std::mem::take(programs);
        if let Some(kept) = lost.clone() {
            machine.noted("", Noted::RecordLost { kept });
        }
        machine.keep_program()?;
        machine.dumped().iter().for_each(crate::service::dumping::Dumped::sweep);
        let record = load_record(home)?;
        let known = record.clone().unwrap_or_else(|| Record::first(machine.member.node));
        if known.claim == Claim::Idle {
            machine.back_at_last(known.epoch).await;
            machine.receive(&known)?;
        } else {
            machine.clean_up_after_drill();
        }
        let last = boot::begin(home)?;
        machine.turning.was_cut = last == LastEnd::Cut;
        machine.has_parted = Mark::Goodbye.is_set(home);
        machine.has_twin = Mark::Twin.is_set(home);
        let found = machine.found().await;
        machine.mend_numbers(known.claim == Claim::Serving, found.is_some())?;
        // Where its POS server runs on, it was the server all the time.
        let sure = machine.member.other.is_none()
            || lost.is_none() && (before == Some(Left::Adopted) || last == LastEnd::Crashed && found == Some(true));
        if known.claim != Claim::Serving && found.is_some() {
            // It gave its place away, or lost it, and crashed before its POS server had stopped.
            machine.program.as_mut().map(Program::stop_found);
        }
        machine.resume(&known.claim).await;
        if let Some(record) = &record {
            // It may be from before there were proofs.
            machine.prove(record).await?;
        }
        let left = match machine.step(Event::Began { record, sure }).await {
            Ok(()) => machine.turn(&mut inbox, asked).await,
            Err(error) => Err(error),
        };
        *programs = std::mem::take(&mut machine.own_till.programs);
        Box::pin(machine.end(left)).await
    }

    async fn turn(
        &mut self,
        inbox: &mut Inbox,
        asked: &mut mpsc::UnboundedReceiver<Asked>,
    ) -> Result<Left, MachineError> {
        let mut beats = interval(BEAT);
        beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut datagram = [0; pulse::LENGTH + 1];
        let mut is_let_go = false;
        loop {
            let input = tokio::select! {
                biased;
                _ = beats.tick() => Input::Beat,
                Some(proof) = inbox.shown.recv() => Input::Shown(proof),
                asked = asked.recv(), if !is_let_go => asked.map_or(Input::Stop, Input::Asked),
                Some((session, note)) = inbox.notes.recv() => Input::Note(session, note),
                Some((lane, news)) = inbox.news.recv() => Input::News(lane, news),
                Some(news) = inbox.served.recv() => Input::Served(news),
                Some(met) = inbox.met.recv() => Input::Met(met),
                Some(joined) = inbox.joined.recv() => Input::Joined(joined),
                () = self.tills.changed() => Input::Witnessed,
                received = self.udp.receive(&mut datagram) => match received {
                    Ok(length) => Input::Datagram(datagram[..length].to_vec()),
                    // What could not be delivered before comes back as an error: it is nothing new.
                    Err(_) => continue,
                },
            };
            is_let_go |= matches!(input, Input::Stop);
            if let Some(left) = self.take(input).await?.or_else(|| self.has_been_adopted()) {
                return Ok(left);
            }
            if Instant::now() >= self.due {
                self.publish_now();
            }
        }
    }
}
