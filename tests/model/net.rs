//! What the two nodes say to each other, and what becomes of it on the way.

use espejo::pair::{Epoch, Event, Pair};

use super::Shop;
use super::world::{Machine, World};

/// Messages in flight at the most.
pub const IN_FLIGHT: usize = 3;

/// Something on its way.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Message {
    pub to: usize,
    /// Who said it has begun another life since.
    pub old: bool,
    /// Who said it counts on the goodbye of who hears it.
    counts: bool,
    says: Says,
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Says {
    /// A node says what it has seen.
    Here { epoch: Epoch, start: u64 },
    /// A server says its epoch, and what there is.
    Copy { epoch: Epoch, start: u64, data: u32 },
    /// A node gives its place away.
    Grant { to: Epoch, at: u64 },
    /// A node ends in order.
    Goodbye { epoch: Epoch },
}

impl World {
    pub fn speaks(&mut self, who: usize) {
        let Some(pair) = &self.nodes[who].pair else { return };
        let start = pair.record().starts.last().map_or(0, |start| start.seq);
        let epoch = pair.record().epoch;
        self.send(1 - who, Says::Here { epoch, start });
    }

    pub fn copies(&mut self, who: usize) {
        let (Some(pair), data) = (&self.nodes[who].pair, self.nodes[who].data) else { return };
        let start = pair.record().starts.last().map_or(0, |start| start.seq);
        let epoch = pair.record().epoch;
        self.send(1 - who, Says::Copy { epoch, start, data });
    }

    /// Something is said in a session of both lives: whatever is left of an earlier one comes to nothing. Nothing is said to a
    /// machine that is off.
    pub fn send(&mut self, to: usize, says: Says) {
        if self.net.len() == IN_FLIGHT || self.nodes[to].pair.is_none() {
            return;
        }
        self.net.retain(|message| message.to == to || !message.old);
        // It also does as long as it has not noted that it does not any more.
        let Machine { pair, disk, .. } = &self.nodes[1 - to];
        let counts = pair.as_ref().map(Pair::record).into_iter().chain(disk).any(|record| record.goodbye);
        self.net.insert(Message { to, old: false, counts, says });
    }

    pub fn arrives(&mut self, shop: &Shop, message: &Message, cut: Option<usize>) {
        let who = message.to;
        if self.nodes[who].pair.is_none() {
            return;
        }
        self.nodes[who].parted &= message.counts;
        if !message.old {
            // A new session ends the one before.
            self.net.retain(|other| other.to != who || !other.old);
        }
        if let Says::Grant { at, .. } = message.says
            && !shop.takes(u64::from(self.nodes[who].data) == at)
        {
            return;
        }
        self.happens(shop, who, message.event(), cut);
        if let Says::Copy { epoch, data, .. } = message.says {
            self.takes(shop, who, epoch, data);
        }
    }

    /// A mirror takes what a server sends.
    fn takes(&mut self, shop: &Shop, who: usize, epoch: Epoch, data: u32) {
        let node = &mut self.nodes[who];
        let Some(pair) = node.pair.as_ref().filter(|_| node.follows == Some(epoch)) else { return };
        let is_older = node.of == epoch && node.data & !data != 0;
        let strays = pair.record().strays;
        if pair.record().epoch != epoch || is_older && !strays {
            return;
        }
        if shop.sets_aside(strays) {
            node.aside |= node.data & !data;
        }
        (node.data, node.of) = (data, epoch);
        if strays {
            self.happens(shop, who, Event::Gathered, None);
        }
    }
}

impl Message {
    /// The same after `who` has begun another life.
    pub fn after(self, who: usize) -> Self {
        Self { old: self.old || self.to != who, ..self }
    }

    /// The same, and nothing said of what its sender counts on.
    pub fn hiding(self) -> Self {
        Self { counts: false, ..self }
    }

    pub fn event(&self) -> Event {
        match self.says {
            Says::Here { epoch, start } => Event::PeerHeard { epoch, start },
            Says::Copy { epoch, start, .. } => Event::ServerHeard { epoch, start },
            Says::Grant { to, .. } => Event::Granted { to },
            Says::Goodbye { epoch } => Event::Goodbye { epoch },
        }
    }
}
