//! What must hold at each step, and at the end.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::Duration;

use espejo::pair::{Claim, Duty, Node};
use espejo::service::Status;
use espejo::service::status::Server;
use tokio::time::Instant;

use super::pos::{QUEUE, sales, sales_in};
use super::shop::{NAMES, NODES, Shop};
use super::story::tell;

/// So long a POS server of the past may run at the most where its service runs: it may have to be killed.
const STOPPING: Duration = Duration::from_secs(40);

/// So long a mirror has stood still when its files are what it says.
const STILL: Duration = Duration::from_secs(1);

/// What was seen of a machine.
#[derive(Default)]
pub struct Seen {
    /// Records that were looked at.
    records: usize,
    /// The epoch of the last one.
    epoch: u64,
    /// Starts of the POS server that were looked at.
    starts: usize,
    /// Since when its POS server runs in an epoch of the past, while its service runs.
    past: Option<Instant>,
    /// The last generation that its mirror said, and since when.
    position: Option<(u64, Instant)>,
    /// What stood in its mirror then.
    held: Option<BTreeSet<u64>>,
}

impl Shop {
    /// Whether all is as it must be at any time.
    pub fn check(&mut self) -> Result<(), String> {
        let [main, backup] = [0, 1].map(|who| self.nodes[who].pos.state().runs.map(|(epoch, _)| epoch));
        if let (Some(one), Some(other)) = (main, backup)
            && one == other
        {
            return Err(format!("two POS servers in epoch {one}"));
        }
        for who in [0, 1] {
            self.check_records(who)?;
            self.check_starts(who)?;
            self.check_past(who)?;
            self.look_at_mirror(who);
        }
        Ok(())
    }

    fn check_records(&mut self, who: usize) -> Result<(), String> {
        let node = &mut self.nodes[who];
        let records = &node.host.state().records;
        for record in &records[node.seen.records..] {
            if record.epoch < node.seen.epoch {
                return Err(format!("{} went back from epoch {} to {}", NAMES[who], node.seen.epoch, record.epoch));
            }
            if record.claim == Claim::Serving && Node::of_epoch(record.epoch) != NODES[who] {
                return Err(format!("{} took epoch {}, which is not its own", NAMES[who], record.epoch));
            }
            node.seen.epoch = record.epoch;
        }
        node.seen.records = records.len();
        Ok(())
    }

    fn check_starts(&mut self, who: usize) -> Result<(), String> {
        let node = &mut self.nodes[who];
        let (starts, records) = (&node.pos.state().started, &node.host.state().records);
        let name = NAMES[who];
        for (epoch, found) in &starts[node.seen.starts..] {
            tell(format!("{name}: the POS server is started in {epoch}, with {} sales", found.len()));
            // A main that was never asked anything has its first record by nature.
            let is_saved = |record: &espejo::pair::Record| record.epoch == *epoch && record.claim == Claim::Serving;
            if !records.iter().rev().take(8).any(is_saved) {
                return Err(format!("the POS server of {name} is started in {epoch}, which {name} has not saved"));
            }
            // What a power cut had taken from the server before, and its mirror held, was set aside when the two met again.
            let mut kept = found.clone();
            set_aside(self.dir.path(), false, &mut kept);
            if let Some(lost) = node.seen.held.take().and_then(|held| held.difference(&kept).next().copied()) {
                return Err(format!("{name} starts without sale {lost}, which its mirror had acknowledged"));
            }
        }
        node.seen.starts = starts.len();
        Ok(())
    }

    fn check_past(&mut self, who: usize) -> Result<(), String> {
        let node = &mut self.nodes[who];
        let runs = node.pos.state().runs.map(|(epoch, _)| epoch);
        let is_past = node.is_on && runs.is_some_and(|epoch| epoch < node.seen.epoch);
        if !is_past || node.status.borrow().is_none() {
            node.seen.past = None;
            return Ok(());
        }
        let since = *node.seen.past.get_or_insert_with(Instant::now);
        if since.elapsed() >= STOPPING {
            let (name, seen) = (NAMES[who], node.seen.epoch);
            return Err(format!("{name} has seen epoch {seen}, and its POS server runs on in {runs:?}"));
        }
        Ok(())
    }

    /// Notes what stands in a mirror that holds what it has acknowledged.
    fn look_at_mirror(&mut self, who: usize) {
        let Some(status) = self.status(who) else { return };
        let node = &mut self.nodes[who];
        if status.duty != Duty::Mirroring || status.strays || !status.mirror.caught_up {
            node.seen.position = None;
            return;
        }
        let now = (status.mirror.position.seq, Instant::now());
        let (seq, since) = *node.seen.position.get_or_insert(now);
        if seq != now.0 {
            node.seen.position = Some(now);
        } else if since.elapsed() >= STILL && node.seen.held.is_none() || since.elapsed() >= STILL * 5 {
            node.seen.position = Some(now);
            let held = sales_in(&node.data.join(QUEUE));
            self.mirrored.extend(&held);
            self.nodes[who].seen.held = Some(held);
        }
    }

    /// Whether one machine serves, and the other one holds what it holds. Returns which one serves.
    pub fn is_well(&self) -> Option<usize> {
        let (main, backup) = (self.status(0)?, self.status(1)?);
        let serves = |status: &Status| status.duty == Duty::Serving && status.server == Server::Ready;
        let follows = |status: &Status| {
            let mirror = &status.mirror;
            let is_level = mirror.as_of.is_some() && mirror.caught_up && mirror.behind_ms == 0;
            status.duty == Duty::Mirroring && is_level && !status.strays && status.questions.is_empty()
        };
        let server = match (serves(&main), serves(&backup)) {
            (true, false) if follows(&backup) => 0,
            (false, true) if follows(&main) => 1,
            _ => return None,
        };
        let queue = |who: usize| fs::read(self.nodes[who].data.join(QUEUE)).unwrap_or_default();
        (main.epoch == backup.epoch && queue(0) == queue(1)).then_some(server)
    }

    /// Whether everything that was ever sold stands where the shop works on, or was set aside.
    pub fn check_sales(&self, server: usize) -> Result<(), String> {
        let mut found = sales_in(&self.nodes[server].data.join(QUEUE));
        let all = found.len();
        set_aside(self.dir.path(), false, &mut found);
        tell(format!("{} sales, {all} on {}, {} with what was set aside", self.sold.len(), NAMES[server], found.len()));
        for (sale, (who, epoch)) in &self.sold {
            let was_lost = self.unsynced.contains(sale) && !self.mirrored.contains(sale);
            if !was_lost && !found.contains(sale) {
                return Err(format!("sale {sale}, made on {} in {epoch}, is nowhere", NAMES[*who]));
            }
        }
        Ok(())
    }
}

/// All sales in what was set aside below `folder`.
fn set_aside(folder: &Path, is_aside: bool, found: &mut BTreeSet<u64>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            set_aside(&path, is_aside || path.ends_with("rescue"), found);
        } else if is_aside {
            found.extend(sales(&String::from_utf8_lossy(&fs::read(&path).unwrap())));
        }
    }
}
