//! The backup that serves is adopted: it is the main from now on, for good, and what was the main becomes its backup. Nothing
//! else changes by it: who serves, in which epoch, and what each machine was set up as stay as they are.

use super::{Left, Machine, MachineError};
use crate::config::adopted::with_home;
use crate::config::revision::Revision;
use crate::os::point;
use crate::pair::{Duty, Node};
use crate::service::member::role;
use crate::service::plan::{Check, Checked, Plan};
use crate::service::refusal::WhyNot;
use crate::service::status::{OperationKind, Status, Step};

impl Machine {
    /// What this machine is: its home role.
    pub(super) fn role(&self) -> Node {
        role(&self.store, self.member.node)
    }

    pub(super) fn plan_adopt(&self, status: &Status) -> Plan {
        let serves = status.duty == Duty::Serving || status.peer.duty == Some(Duty::Serving);
        let duty = match status.holder {
            Node::Main => Some(WhyNot::NothingToAdopt),
            Node::Backup => (!serves).then_some(WhyNot::ServesNot),
        };
        // Who may not serve as a backup any more does not go on as a main without its vendor.
        let licence = self.days.as_ref().and_then(|days| days.may_start().err());
        let kind = OperationKind::Adopt;
        let mut checks = vec![Check::of(Checked::Duty, duty)];
        // One that is older would not understand the settings, and stay what it is.
        let is_older = self.session.as_ref().is_some_and(|session| !session.knows_of(kind));
        if is_older {
            checks.push(Check::of(Checked::Line, Some(WhyNot::OtherOlder)));
        } else if self.role() == Node::Main {
            checks.push(self.check_line());
        }
        if self.role() == Node::Backup {
            checks.push(Check::of(Checked::Licence, licence));
        }
        checks.push(self.check_free());
        Plan::of(kind, checks)
    }

    /// The settings name this machine as the main. Whatever depends on that begins again with them, and the POS server runs on.
    pub(super) async fn go_on_adopting(&mut self) -> Result<(), MachineError> {
        if self.role() == Node::Main {
            self.end_job(Ok(())).await;
        } else if self.pair.duty() == Duty::Serving {
            let text = with_home(&self.revision.text, !self.store.is_adopted);
            if let Some(days) = &mut self.days {
                days.returned().await;
            }
            if let Err(error) = self.member.take(&self.home, &Revision { number: self.revision.number + 1, text }) {
                self.end_job(Err(WhyNot::System { error: error.to_string() })).await;
                return Ok(());
            }
            point!("adopt.named");
            self.passed(Step::NameMain).await;
        } else if !self.pair.is_resuming() {
            self.end_job(Err(WhyNot::ServesNot)).await;
        }
        Ok(())
    }

    /// How the service ends where it was adopted just now: it begins again as the main.
    pub(super) fn has_been_adopted(&self) -> Option<Left> {
        let is_new = self.member.revision != self.revision.number && self.pair.duty() == Duty::Serving;
        (is_new && self.leaving.is_none()).then_some(Left::Adopted)
    }
}
