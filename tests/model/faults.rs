//! One fault in each rule: what a node would do without it. Each must be found.

use espejo::pair::{Action, Claim, Event, Pair, Record};

use super::{Shop, table};

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Fault {
    /// What was to be saved is not on disk.
    SavesNothing,
    /// Who hears of a higher epoch sells on.
    SellsOnWhenSurpassed,
    /// Higher epochs are not heard.
    IsDeafToTheFuture,
    /// A server of the past is followed.
    FollowsThePast,
    /// Who was the server goes on at once.
    ResumesUnasked,
    /// It goes on though the other one never said goodbye.
    ResumesUnheard,
    /// Who counts on a goodbye says that it does not.
    HidesThatItCounts,
    /// Who is started by a person goes on in its old epoch.
    StartsInItsOldEpoch,
    /// It takes an epoch that is not its own.
    TakesTheOthersEpoch,
    /// Who has lost its place forgets that it may hold sales alone.
    ForgetsThatItSold,
    /// Nothing is set aside.
    SetsNothingAside,
    /// The place is given, and taken, though something is missing.
    GivesWhatIsNotLevel,
    /// Who has given its place away forgets that in a crash.
    ForgetsThatItGave,
    /// A place that was given long ago is taken.
    TakesAnOldGift,
    /// It goes on where only some of the terminals have seen nothing newer.
    IsVouchedForByFew,
}

impl Fault {
    pub const ALL: [Self; 15] = [
        Self::SavesNothing,
        Self::SellsOnWhenSurpassed,
        Self::IsDeafToTheFuture,
        Self::FollowsThePast,
        Self::ResumesUnasked,
        Self::ResumesUnheard,
        Self::HidesThatItCounts,
        Self::StartsInItsOldEpoch,
        Self::TakesTheOthersEpoch,
        Self::ForgetsThatItSold,
        Self::SetsNothingAside,
        Self::GivesWhatIsNotLevel,
        Self::ForgetsThatItGave,
        Self::TakesAnOldGift,
        Self::IsVouchedForByFew,
    ];

    /// How many terminals it takes to show it.
    pub fn terminals(self) -> usize {
        if self == Self::IsVouchedForByFew { 2 } else { 0 }
    }

    /// Whether much must happen before it shows.
    pub fn is_far(self) -> bool {
        self == Self::TakesAnOldGift
    }
}

impl Shop {
    fn has(&self, fault: Fault) -> bool {
        self.fault == Some(fault)
    }

    /// Whether a place is taken that was given at what this node holds, or not.
    pub fn takes(&self, is_level: bool) -> bool {
        is_level || self.has(Fault::GivesWhatIsNotLevel)
    }

    /// Whether a place is given away when the other node holds all, or not.
    pub fn gives(&self, is_level: bool) -> bool {
        is_level || self.has(Fault::GivesWhatIsNotLevel)
    }

    /// Whether the terminals vouch for a node, where most of them have seen nothing newer, or not.
    pub fn vouch(&self, are_most: bool) -> bool {
        self.terminals > 0 && (are_most || self.has(Fault::IsVouchedForByFew))
    }

    /// Whether a node says that it counts on the other one's goodbye, where it does.
    pub fn is_honest(&self) -> bool {
        !self.has(Fault::HidesThatItCounts)
    }

    pub fn sets_aside(&self, strays: bool) -> bool {
        strays && !self.has(Fault::SetsNothingAside)
    }

    pub fn saves(&self) -> bool {
        !self.has(Fault::SavesNothing)
    }

    pub fn retires(&self) -> bool {
        !self.has(Fault::SellsOnWhenSurpassed)
    }

    /// What a node does when this happens to it.
    pub fn step(&self, pair: &mut Pair, event: Event) -> Vec<Action> {
        let Some(fault) = self.fault else {
            let (before, happened) = (table::state(pair), table::event(pair, &event));
            let before = if matches!(event, Event::Began { .. }) { "beginning" } else { before };
            let actions = pair.step(event);
            if self.noted {
                table::saw(before, happened, &actions, pair);
            }
            return actions;
        };
        let Record { epoch, node, .. } = *pair.record();
        let as_heard = Event::PeerHeard { epoch, start: 0 };
        let event = match (fault, event) {
            (
                Fault::IsDeafToTheFuture,
                Event::PeerHeard { epoch: theirs, .. } | Event::ServerHeard { epoch: theirs, .. },
            ) if theirs > epoch => {
                return vec![];
            }
            (Fault::FollowsThePast, Event::ServerHeard { epoch: theirs, .. }) if theirs < epoch => {
                let record = Record { epoch: theirs, claim: Claim::Idle, ..pair.record().clone() };
                pair.step(Event::Began { record: Some(record.clone()), sure: false });
                return vec![Action::Retire, Action::Save(record)];
            }
            (Fault::ResumesUnasked, Event::Began { record, .. }) => Event::Began { record, sure: true },
            (Fault::ResumesUnheard, Event::Unheard) => as_heard,
            (Fault::StartsInItsOldEpoch, Event::Start) if pair.is_resuming() => as_heard,
            (Fault::ForgetsThatItGave, Event::Began { record: Some(record), sure })
                if matches!(record.claim, Claim::Given { .. }) =>
            {
                Event::Began { record: Some(Record { claim: Claim::Serving, ..record }), sure }
            }
            (Fault::TakesAnOldGift, Event::Granted { .. }) => Event::Granted { to: node.next_epoch(epoch) },
            (_, event) => event,
        };
        pair.step(event).into_iter().map(|action| self.acts(epoch, action)).collect()
    }

    fn acts(&self, before: u64, action: Action) -> Action {
        match action {
            Action::Save(record) if self.has(Fault::ForgetsThatItSold) => {
                Action::Save(Record { strays: false, ..record })
            }
            Action::Save(record)
                if self.has(Fault::TakesTheOthersEpoch) && record.is_serving() && record.epoch > before =>
            {
                Action::Save(Record { epoch: record.epoch - 1, ..record })
            }
            Action::Serve(epoch) if self.has(Fault::TakesTheOthersEpoch) && epoch > 1 => Action::Serve(epoch - 1),
            action => action,
        }
    }
}
