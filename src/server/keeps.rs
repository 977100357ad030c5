//! Who keeps the program: this system, or a simulation in its place.

use std::io;

use super::body::Body;
use super::{Handle, News, Order, Setup};

/// What happens to the program goes there.
pub type Tell = Box<dyn Fn(News) + Send>;

/// Keeps programs.
pub trait Keeping: Send + Sync {
    /// Begins to keep the program of `setup`; it is started when that is ordered.
    fn begin(&self, setup: Setup, tell: Tell) -> io::Result<Box<dyn Keeps>>;

    /// Whether anything runs of the program that an earlier service of this home has started; and if so, whether that is all of it,
    /// as it is to be. This may take a process.
    fn found(&self, setup: &Setup) -> Option<bool>;
}

/// Keeps one program. It is left as it is when this is dropped.
pub trait Keeps: Send + Sync {
    /// Gives an order.
    fn say(&self, order: Order);
}

/// Keeps programs of this system.
#[derive(Clone, Copy, Debug)]
pub struct System;

impl Keeping for System {
    fn begin(&self, setup: Setup, tell: Tell) -> io::Result<Box<dyn Keeps>> {
        Ok(Box::new(Handle::begin(setup, tell)?))
    }

    fn found(&self, setup: &Setup) -> Option<bool> {
        Body::found(setup).map(|(_, is_whole)| is_whole)
    }
}

impl Keeps for Handle {
    fn say(&self, order: Order) {
        self.order(order);
    }
}
