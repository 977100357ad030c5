//! What can happen in a world, and to whom.

use espejo::pair::{Event, Other};

use super::Shop;
use super::net::{IN_FLIGHT, Message};
use super::world::{NODES, Wear, World};

/// What can happen.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Step {
    /// A machine is switched on, or its service begins again.
    Begins(usize),
    /// Power is lost, or only the service.
    Dies(usize, Lost),
    /// Its disk is about to fail, once.
    Wears(usize),
    /// What could not be noted is.
    Mends(usize),
    /// It ends in order.
    Ends(usize),
    /// A sale.
    Sells(usize),
    /// It says what it has seen.
    Speaks(usize),
    /// It sends what there is.
    Copies(usize),
    /// It happens; after so many actions the power is lost.
    Happens(usize, Event, Option<usize>),
    /// A message arrives; it may arrive again. After so many actions the power is lost.
    Arrives(Message, bool, Option<usize>),
    /// A message is lost.
    Lost(Message),
    /// Its POS server waits no more.
    Starts(usize),
    /// A terminal hears a server.
    Hears { terminal: usize, who: usize },
    /// A terminal tells a node what it has seen.
    Tells { terminal: usize, who: usize },
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Lost {
    Power,
    Service,
}
impl World {
    /// All that can happen now.
    pub fn can_happen(&self, shop: &Shop, steps: &mut Vec<Step>) {
        for who in [0, 1] {
            self.can_happen_to(who, shop, steps);
        }
        for message in &self.net {
            let arrives = |again, cut| Step::Arrives(message.clone(), again, cut);
            steps.push(Step::Lost(message.clone()));
            steps.extend([arrives(false, None), arrives(true, None)]);
            let count = self.performed(shop, message.to, &message.event());
            steps.extend(self.cuts(shop, count).map(|cut| arrives(false, Some(cut))));
        }
        for (terminal, seen) in self.terminals.iter().enumerate() {
            for who in [0, 1] {
                let node = &self.nodes[who];
                if node.serves().is_some_and(|epoch| epoch > *seen) {
                    steps.push(Step::Hears { terminal, who });
                }
                if node.pair.as_ref().is_some_and(|pair| pair.record().epoch < *seen) {
                    steps.push(Step::Tells { terminal, who });
                }
            }
        }
    }

    fn can_happen_to(&self, who: usize, shop: &Shop, steps: &mut Vec<Step>) {
        let node = &self.nodes[who];
        if node.pos.is_some() && self.sales < shop.sales {
            steps.push(Step::Sells(who));
        }
        let Some(pair) = &node.pair else {
            steps.push(Step::Begins(who));
            return;
        };
        if self.crashes < shop.crashes {
            steps.push(Step::Dies(who, Lost::Power));
            if node.pos.is_some() {
                steps.push(Step::Dies(who, Lost::Service));
            }
            // It would only make the way to a fault longer.
            if shop.fault.is_none() && node.wear == Wear::Sound {
                steps.push(Step::Wears(who));
            }
        }
        if node.tells.is_some() {
            steps.push(Step::Starts(who));
        }
        if node.wear == Wear::Unsaved {
            steps.push(Step::Mends(who));
        }
        if self.net.len() < IN_FLIGHT {
            steps.push(Step::Speaks(who));
            if node.serves().is_some() {
                steps.push(Step::Copies(who));
            }
        }
        if !pair.is_turning() {
            steps.push(Step::Ends(who));
        }
        for event in self.events(who, shop) {
            let count = self.performed(shop, who, &event);
            steps.push(Step::Happens(who, event.clone(), None));
            steps.extend(self.cuts(shop, count).map(|cut| Step::Happens(who, event.clone(), Some(cut))));
        }
    }

    /// What time or a person can bring to a node that runs.
    fn events(&self, who: usize, shop: &Shop) -> Vec<Event> {
        let (node, other) = (&self.nodes[who], &self.nodes[1 - who]);
        let Some(pair) = &node.pair else { return vec![] };
        let mut events = vec![];
        if pair.is_resuming() {
            events.push(Event::Unheard);
            // Who was about to begin as this one did has either told most of them by now, or begun all the same; and who gives its
            // place has this one for its mirror.
            let epoch = pair.record().epoch;
            if shop.vouch(self.most(|seen| seen == epoch)) && other.tells.is_none() && !other.frozen {
                events.push(Event::Vouched);
            }
        }
        if node.frozen {
            events.push(Event::NotLevel);
            if shop.gives(other.follows == Some(pair.record().epoch) && other.data == node.data) {
                events.push(Event::Level { seq: node.data.into() });
            }
        }
        if NODES[who].next_epoch(pair.record().epoch) <= shop.epochs {
            events.extend([Event::Promote(Other::Silent), Event::Promote(Other::Failing), Event::Start]);
        }
        if NODES[1 - who].next_epoch(pair.record().epoch) <= shop.epochs {
            events.push(Event::Return);
        }
        events
    }

    /// After how many actions the power may be lost, of so many.
    fn cuts(&self, shop: &Shop, count: usize) -> std::ops::Range<usize> {
        if self.crashes < shop.crashes { 1..count } else { 0..0 }
    }

    /// How many actions a node performs when this happens.
    fn performed(&self, shop: &Shop, who: usize, event: &Event) -> usize {
        self.clone().happens(shop, who, event.clone(), None)
    }
}
