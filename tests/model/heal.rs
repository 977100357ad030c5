//! The way on from any state: both machines are switched on, nothing more is lost, and a person decides where nobody can know.

use espejo::pair::{Duty, Event, Other};

use super::Shop;
use super::world::World;

/// Turns of talking after which all is well, or never will be.
const ROUNDS: usize = 10;
/// Turns after which a person is asked.
const PATIENCE: usize = 4;

/// Whether from here there is a way to one server and a mirror that holds what it holds.
pub fn can_heal(shop: &Shop, world: &World) -> bool {
    let mut world = world.clone();
    world.net.clear();
    for who in [0, 1] {
        if world.nodes[who].pair.is_none() {
            world.begins(shop, who);
        }
        world.mends(shop, who);
    }
    for round in 0..ROUNDS {
        if world.is_well() {
            return true;
        }
        for who in [0, 1] {
            ends_its_return(shop, &mut world, who);
            world.speaks(who);
            world.starts(who);
            if world.nodes[who].pos.is_some() {
                world.copies(who);
            }
            for message in std::mem::take(&mut world.net) {
                world.arrives(shop, &message, None);
            }
        }
        if round >= PATIENCE && world.nodes.iter().all(|node| node.pos.is_none() && !node.frozen) {
            a_person_decides(shop, &mut world);
        }
    }
    world.is_well()
}

/// A POS server that stands still goes on, here or there.
fn ends_its_return(shop: &Shop, world: &mut World, who: usize) {
    let (node, other) = (&world.nodes[who], &world.nodes[1 - who]);
    if node.frozen {
        let epoch = node.pair.as_ref().map(|pair| pair.record().epoch);
        let is_level = other.follows == epoch && other.data == node.data;
        let event = if is_level { Event::Level { seq: node.data.into() } } else { Event::NotLevel };
        world.happens(shop, who, event, None);
    }
}

/// Nobody serves: who was the server goes on, else who holds most begins.
fn a_person_decides(shop: &Shop, world: &mut World) {
    let waits = |who: &usize| world.nodes[*who].pair.as_ref().is_some_and(espejo::pair::Pair::is_resuming);
    if let Some(who) = [0, 1].into_iter().find(waits) {
        world.happens(shop, who, Event::Start, None);
        return;
    }
    let is_free = |who: &usize| world.nodes[*who].pair.as_ref().is_some_and(|pair| pair.duty() != Duty::Serving);
    let who = [0, 1].into_iter().filter(is_free).max_by_key(|who| world.nodes[*who].data.count_ones());
    if let Some(who) = who {
        world.happens(shop, who, Event::Promote(Other::Silent), None);
    }
}
