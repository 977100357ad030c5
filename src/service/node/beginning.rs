//! A machine as it begins: what it knows, its port, its diary; nothing is served or received yet.

use std::io;
use std::path::Path;
use std::sync::Arc;

use tokio::sync::watch;
use tokio::time::Instant;

use super::as_of::States;
use super::days::Days;
use super::devices::Devices;
use super::drill::Drills;
use super::dumps::Dumps;
use super::far::Far;
use super::heart::Heart;
use super::inbox::{Inbox, channels};
use super::meet::{self, Calling};
use super::numbers::Numbers;
use super::orders::AskedOther;
use super::own_till::OwnTill;
use super::standing::Standing;
use super::turning::Turning;
use super::twin::Twin;
use super::witnesses::Tills;
use super::{Machine, MachineError, keeping, maintenance};
use crate::link::identity::Identity;
use crate::link::pace::Pace;
use crate::link::tls::Tls;
use crate::os::ground::spawn;
use crate::pair::{Node, Pair};
use crate::server::keeps::Keeping;
use crate::service::member::{Member, role};
use crate::service::status::Status;

impl Machine {
    pub(super) async fn begin(
        home: &Path,
        keeping: Arc<dyn Keeping>,
        publish: watch::Sender<Option<Arc<Status>>>,
    ) -> Result<(Self, Inbox), MachineError> {
        let (mut member, identity) = (Member::load(home)?, Identity::load_or_make(home)?);
        let (store, revision) = member.revise(home)?;
        let tls = Tls::new(&identity).map_err(io::Error::other)?;
        let own = if member.node == Node::Main { &store.main } else { &store.backup };
        let (listener, udp) = meet::listen(&own.address).await?;
        let (keeper, proofs, caller) = keeping::begin(home, &mut member, identity, &store).await?;
        let ((tell, inbox), (other, others)) = (channels(), watch::channel(member.other));
        let mut machine = Self {
            home: home.to_owned(),
            work: vec![spawn(meet::accept(listener, tls.clone(), others, tell.met.clone()))],
            days: Days::load(home, role(&store, member.node), &store, tls.id())?,
            numbers: Numbers::load(home)?,
            drills: Drills::load(home),
            states: States::default(),
            dumps: Dumps::load(home),
            expiring: super::expiring::Looks::begin(),
            devices: Devices::look(&store.devices),
            pair: Pair::new(member.node),
            heart: Heart::new(member.node == Node::Main, Instant::now()),
            tills: Tills::open(home, (&store, own), &tls, tell.shown.clone()),
            member,
            pace: store.mirror.max_rate.map(Pace::new),
            store,
            revision,
            tls,
            lanes: vec![],
            standing: Standing::default(),
            keeper,
            proofs,
            caller,
            session: None,
            apart: None,
            unsaved: None,
            again: None,
            other,
            their_heart: None,
            udp,
            invite: None,
            own_till: OwnTill::open(home),
            theirs: None,
            their_version: None,
            keeping,
            program: None,
            far: Far::default(),
            leaving: None,
            clock_off_ms: None,
            their_status: None,
            unmet: None,
            asked: AskedOther::default(),
            publish,
            due: Instant::now(),
            told_at: None,
            tell,
            maintenance: maintenance::load(home),
            has_parted: false,
            has_twin: false,
            twin: Twin::default(),
            went: false,
            lanes_begun: 0,
            began: Instant::now(),
            turning: Turning::default(),
        };
        machine.begin_calling();
        Ok((machine, inbox))
    }

    /// Calls the other machine from now on, where this is the one that calls; whoever was called before is not any more.
    pub(super) fn begin_calling(&mut self) {
        self.again = None;
        let Some(other) = self.member.other.filter(|_| self.member.node == Node::Backup) else { return };
        let datasets = self.store.datasets.iter().map(|dataset| dataset.name.clone()).collect();
        let calling = Calling { tls: self.tls.clone(), address: self.store.main.address.clone(), other, datasets };
        let (again, calls) = meet::begin_to_call(calling, &self.tell.met);
        self.again = Some(again);
        self.work.push(calls);
    }
}
