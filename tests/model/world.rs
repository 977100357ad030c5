//! The two nodes, their disks, the network, the terminals, and what can happen to them.
//!
//! A sale is a bit. What a node holds is a set of them, and the number of a generation is that set: what differs, differs.

use std::collections::BTreeSet;

use espejo::pair::{Action, Claim, Epoch, Event, Node, Pair, Record};

use super::Shop;
use super::net::{Message, Says};
use super::steps::{Lost, Step};

// What has happened is told by a bool each.
#[allow(clippy::struct_excessive_bools)]
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct World {
    pub nodes: [Machine; 2],
    pub net: BTreeSet<Message>,
    /// The highest epoch that each terminal has seen.
    pub terminals: Vec<Epoch>,
    /// How many sales were confirmed.
    pub sales: u32,
    pub crashes: u8,
    /// A person has said that a machine was dead which was not, or whose evening this one did not see.
    pub forced: bool,
    /// A record, or a terminal, went back; or a person's word began no epoch.
    pub record_back: bool,
    pub terminal_back: bool,
    pub word_in_vain: bool,
    /// A POS server was started though most terminals could not be told of its epoch.
    pub untold: bool,
}

/// One machine.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Machine {
    /// Its service, where it runs.
    pub pair: Option<Pair>,
    /// Its saved record.
    pub disk: Option<Record>,
    /// Its POS server sells, in this epoch.
    pub pos: Option<Epoch>,
    /// It serves in this epoch, and its POS server waits until most terminals know of that.
    pub tells: Option<Epoch>,
    /// Its POS server stands still for a return.
    pub frozen: bool,
    /// Its mirror takes from the server of this epoch.
    pub follows: Option<Epoch>,
    /// The epoch of the server that its data came from last.
    pub of: Epoch,
    /// What it holds.
    pub data: u32,
    /// What was set aside on it.
    pub aside: u32,
    /// It said goodbye, and does not know that the other one does not count on that any more.
    pub parted: bool,
    pub wear: Wear,
}

/// How its disk is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Wear {
    Sound,
    /// It will fail once: as its mirror is closed, or as it is to be noted that another machine serves.
    Worn,
    /// That could not be noted, and is tried again.
    Unsaved,
}

/// Whether that is the word of a person by which a node is to serve.
fn takes(event: &Event) -> bool {
    matches!(event, Event::Promote(_) | Event::Start)
}

pub const NODES: [Node; 2] = [Node::Main, Node::Backup];

impl World {
    /// Before the first day: two machines that know each other, both switched off.
    pub fn new(terminals: usize) -> Self {
        let machine = Machine {
            pair: None,
            disk: None,
            pos: None,
            tells: None,
            frozen: false,
            follows: None,
            of: 0,
            data: 0,
            aside: 0,
            parted: false,
            wear: Wear::Sound,
        };
        let nodes = NODES.map(|node| Machine { disk: Some(Record::first(node)), ..machine.clone() });
        Self {
            nodes,
            net: BTreeSet::new(),
            terminals: vec![0; terminals],
            sales: 0,
            crashes: 0,
            forced: false,
            record_back: false,
            terminal_back: false,
            word_in_vain: false,
            untold: false,
        }
    }

    /// Two machines that have never run.
    pub fn unborn() -> Self {
        let mut world = Self::new(0);
        world.nodes.iter_mut().for_each(|node| node.disk = None);
        world
    }

    pub fn all_begin(&mut self, shop: &Shop) {
        self.begins(shop, 0);
        self.begins(shop, 1);
    }

    /// An ordinary day: the main serves, and the backup mirrors it.
    pub fn well(shop: &Shop) -> Self {
        let mut world = Self::new(shop.terminals);
        world.all_begin(shop);
        for (who, says) in [(1, Self::speaks as fn(&mut Self, usize)), (0, Self::copies)] {
            says(&mut world, who);
            for message in std::mem::take(&mut world.net) {
                world.arrives(shop, &message, None);
            }
        }
        world
    }

    /// The world after a step; none where it changes nothing.
    pub fn after(&self, shop: &Shop, step: &Step) -> Option<Self> {
        let mut world = self.clone();
        match step {
            Step::Begins(who) => world.begins(shop, *who),
            Step::Dies(who, lost) => world.dies(*who, *lost),
            Step::Ends(who) => {
                let epoch = world.nodes[*who].pair.as_ref().map_or(0, |pair| pair.record().epoch);
                world.send(1 - who, Says::Goodbye { epoch });
                world.off(*who);
                world.nodes[*who].parted = true;
            }
            Step::Wears(who) => {
                world.crashes += 1;
                world.nodes[*who].wear = Wear::Worn;
            }
            Step::Mends(who) => world.mends(shop, *who),
            Step::Sells(who) => {
                world.nodes[*who].data |= 1 << world.sales;
                world.sales += 1;
            }
            Step::Speaks(who) => world.speaks(*who),
            Step::Copies(who) => world.copies(*who),
            Step::Happens(who, event, cut) => {
                world.judge(*who, event);
                let before = world.nodes[*who].serves();
                world.happens(shop, *who, event.clone(), *cut);
                let (was, now) = (&self.nodes[*who], &world.nodes[*who]);
                let begun = now.serves().filter(|_| before.is_none() && takes(event));
                world.word_in_vain |=
                    begun.is_some_and(|epoch| was.disk.as_ref().is_some_and(|disk| disk.epoch >= epoch));
            }
            Step::Arrives(message, again, cut) => {
                if !again {
                    world.net.remove(message);
                }
                world.arrives(shop, message, *cut);
            }
            Step::Lost(message) => drop(world.net.remove(message)),
            Step::Hears { terminal, who } => {
                let seen = world.nodes[*who].serves().unwrap_or(0);
                world.terminal_back |= seen < world.terminals[*terminal];
                world.terminals[*terminal] = seen;
                world.terminals.sort_unstable();
            }
            Step::Starts(who) => world.starts(*who),
            Step::Tells { terminal, who } => {
                let epoch = world.terminals[*terminal];
                world.happens(shop, *who, Event::PeerHeard { epoch, start: 0 }, None);
            }
        }
        if !shop.is_honest() {
            world.net = world.net.into_iter().map(Message::hiding).collect();
        }
        (world != *self).then_some(world)
    }

    pub fn begins(&mut self, shop: &Shop, who: usize) {
        let node = &mut self.nodes[who];
        let record = node.disk.clone();
        // Where the POS server ran on all the time, nobody can have taken its place in order.
        let sure = node.pos.is_some();
        if record.as_ref().is_some_and(|record| record.claim != Claim::Serving) {
            node.pos = None;
        }
        node.tells = None;
        node.pair = Some(Pair::new(NODES[who]));
        // What its last life said may still be under way.
        let said = std::mem::take(&mut self.net).into_iter().filter(|message| message.to == who || !message.old);
        self.net = said.map(|message| message.after(who)).collect();
        self.happens(shop, who, Event::Began { record, sure }, None);
    }

    /// Its POS server has waited for most terminals to know of its epoch, or for long enough.
    pub fn starts(&mut self, who: usize) {
        let Some(epoch) = self.nodes[who].tells.take() else { return };
        self.untold |= !self.terminals.is_empty() && !self.most(|seen| seen >= epoch);
        self.nodes[who].pos = Some(epoch);
    }

    /// Whether most of the terminals have seen that.
    pub fn most(&self, has: impl Fn(Epoch) -> bool) -> bool {
        self.terminals.iter().filter(|seen| has(**seen)).count() * 2 > self.terminals.len()
    }

    /// Its disk is sound: what could not be noted is.
    pub fn mends(&mut self, shop: &Shop, who: usize) {
        let node = &mut self.nodes[who];
        if std::mem::replace(&mut node.wear, Wear::Sound) == Wear::Unsaved {
            node.disk = node.pair.as_ref().map(|pair| pair.record().clone());
            self.happens(shop, who, Event::Saved, None);
        }
    }

    fn dies(&mut self, who: usize, lost: Lost) {
        self.crashes += 1;
        let pos = self.nodes[who].pos.filter(|_| lost == Lost::Service);
        self.off(who);
        self.nodes[who].pos = pos;
    }

    /// A machine is switched off: what it has not saved is gone. What was said to it does not reach a later life of it: a session
    /// belongs to two lives, and nothing of it to another.
    fn off(&mut self, who: usize) {
        let node = &mut self.nodes[who];
        (node.pair, node.pos, node.tells) = (None, None, None);
        (node.frozen, node.follows) = (false, None);
        node.wear = Wear::Sound;
        self.net.retain(|message| message.to != who);
    }

    /// A person says something: whether that is so.
    fn judge(&mut self, who: usize, event: &Event) {
        let other = &self.nodes[1 - who];
        // It serves, it lives, its evening was not seen, or it has begun an epoch of which nothing is known here.
        let epoch = |node: &Machine| node.disk.as_ref().map_or(0, |disk| disk.epoch);
        let unknown = epoch(other) > epoch(&self.nodes[who]);
        self.forced |=
            takes(event) && (other.serves().is_some() || other.pair.is_some() || self.nodes[who].parted || unknown);
    }

    /// Something happens to a node: it takes it in and does what that calls for, up to `cut` actions. Returns how many.
    pub fn happens(&mut self, shop: &Shop, who: usize, event: Event, cut: Option<usize>) -> usize {
        let (mut events, mut count) = (vec![event], 0);
        while let Some(event) = events.pop() {
            let Some(pair) = &mut self.nodes[who].pair else { return count };
            let before = pair.clone();
            for action in shop.step(pair, event) {
                if cut == Some(count) {
                    self.dies(who, Lost::Power);
                    return count;
                }
                count += 1;
                if self.cannot_save(who, &before, &action) {
                    events = before.untaken().into_iter().collect();
                    self.nodes[who].pair = Some(before);
                    break;
                }
                events.extend(self.perform(shop, who, action));
            }
        }
        count
    }

    /// Whether that is a step of this node's own that cannot be saved: it is not taken then.
    fn cannot_save(&mut self, who: usize, before: &Pair, action: &Action) -> bool {
        let Action::Save(record) = action else { return false };
        let was = before.record();
        let is_step = record.claim != Claim::Idle && (record.epoch, &record.claim) != (was.epoch, &was.claim);
        let wear = &mut self.nodes[who].wear;
        is_step && std::mem::replace(wear, if *wear == Wear::Worn { Wear::Sound } else { *wear }) == Wear::Worn
    }

    fn perform(&mut self, shop: &Shop, who: usize, action: Action) -> Option<Event> {
        let node = &mut self.nodes[who];
        match action {
            Action::Save(record) => {
                if node.wear == Wear::Worn {
                    node.wear = Wear::Unsaved;
                    return None;
                }
                if node.wear == Wear::Unsaved {
                    node.wear = Wear::Sound;
                }
                self.record_back |= node.disk.as_ref().is_some_and(|old| old.epoch > record.epoch);
                if shop.saves() {
                    node.disk = Some(record);
                }
                return Some(Event::Saved);
            }
            Action::Serve(epoch) => {
                (node.follows, node.frozen) = (None, false);
                // Where it ran on all the time nothing waits.
                node.tells = Some(epoch).filter(|_| node.pos.is_none());
                if self.terminals.is_empty() {
                    self.starts(who);
                }
            }
            Action::Follow(epoch) => node.follows = Some(epoch),
            Action::Drain => {
                if node.follows.take().is_some() && node.wear == Wear::Worn {
                    node.wear = Wear::Sound;
                    return Some(Event::NotDrained);
                }
                return Some(Event::Drained { seq: node.data.into() });
            }
            Action::Freeze => (node.pos, node.tells, node.frozen) = (None, None, true),
            Action::Unfreeze => {
                node.frozen = false;
                node.tells = node.pair.as_ref().map(|pair| pair.record().epoch);
                if self.terminals.is_empty() {
                    self.starts(who);
                }
            }
            Action::Retire if shop.retires() => {
                (node.pos, node.tells) = (None, None);
                (node.frozen, node.follows) = (false, None);
            }
            Action::Grant { to, at } => self.send(1 - who, Says::Grant { to, at }),
            Action::Retire | Action::Refuse { .. } | Action::Deny(_) => {}
        }
        None
    }
}

impl Machine {
    /// In which epoch it serves, if it does; its POS server may still wait.
    pub fn serves(&self) -> Option<Epoch> {
        self.pos.or(self.tells)
    }
}
