//! What must hold in a world.

use espejo::pair::{Claim, Duty, Node};

use super::world::{Machine, NODES, World};

impl World {
    pub fn at_most_one_in_an_epoch(&self) -> bool {
        self.nodes[0].serves().is_none() || self.nodes[0].serves() != self.nodes[1].serves()
    }

    pub fn who_serves_has_saved_that(&self) -> bool {
        NODES.into_iter().zip(&self.nodes).all(|(name, node)| {
            node.serves().is_none_or(|epoch| {
                let saved = node.disk.as_ref();
                saved.is_some_and(|disk| disk.epoch == epoch && disk.claim == Claim::Serving)
                    && Node::of_epoch(epoch) == name
            })
        })
    }

    pub fn one_unless_forced(&self) -> bool {
        self.forced || self.untold || self.nodes.iter().filter(|node| node.pos.is_some()).count() < 2
    }

    pub fn no_record_goes_back(&self) -> bool {
        !self.record_back
    }

    pub fn no_terminal_goes_back(&self) -> bool {
        !self.terminal_back
    }

    pub fn a_word_begins_an_epoch(&self) -> bool {
        !self.word_in_vain
    }

    pub fn no_sale_is_lost(&self) -> bool {
        let all = self.nodes.iter().fold(0, |all, node| all | node.data | node.aside);
        all == (1 << self.sales) - 1
    }

    pub fn returned(&self) -> bool {
        self.nodes[0].pos.is_some_and(|epoch| epoch > 1) && self.nodes[1].follows == self.nodes[0].pos
    }

    /// One serves, and the other one mirrors it and holds what it holds.
    pub fn is_well(&self) -> bool {
        [(0, 1), (1, 0)].into_iter().any(|(server, mirror)| {
            let (server, mirror) = (&self.nodes[server], &self.nodes[mirror]);
            let follows = mirror.pair.as_ref().is_some_and(|pair| pair.duty() == Duty::Mirroring);
            server.pos.is_some()
                && mirror.pos.is_none()
                && follows
                && mirror.follows == server.pos
                && mirror.data == server.data
        })
    }

    /// In a line.
    pub fn told(&self) -> String {
        let node = |node: &Machine| {
            let duty = node.pair.as_ref().map_or_else(|| "off".to_owned(), |pair| format!("{:?}", pair.duty()));
            let disk = node.disk.as_ref().map_or_else(String::new, |disk| {
                format!("{:?} in {}{}", disk.claim, disk.epoch, if disk.strays { ", strays" } else { "" })
            });
            format!("{duty} (disk: {disk}; POS {:?}; holds {:b}, aside {:b})", node.pos, node.data, node.aside)
        };
        format!(
            "main {} | backup {} | {:?} | terminals {:?}",
            node(&self.nodes[0]),
            node(&self.nodes[1]),
            self.net,
            self.terminals
        )
    }
}
