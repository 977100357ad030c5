//! The events that wait for the shop's program, on disk: one file of lines, to which is added. It is written anew where most of
//! it is over, where it was found damaged, and where a line could not be added.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::os;
use crate::pair::Epoch;

/// So many events wait at the most.
pub const MOST: usize = 10_000;
/// Where there would be more, one part in so many goes at once: the file is not written anew for each.
const SHARE: usize = 100;
/// Lines in the file that say nothing any more, at the most, beside as many as wait.
const SPENT: usize = 500;

/// An event that waits. As JSON it is what the program reads.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Item {
    /// Its number, from 1: who is told twice knows it by that.
    pub number: u64,
    /// When it was.
    pub at: Timestamp,
    /// What it was, as a short word that stays.
    pub event: String,
    /// The epoch that was in force, where that was known.
    pub epoch: Option<Epoch>,
    /// The operation that it is about.
    pub operation: Option<u64>,
    /// Who did it; empty where nobody did.
    pub by: String,
    /// All there is to know of it.
    pub detail: Value,
}

/// The event that stands for those that had to go.
pub const DROPPED: &str = "events-dropped";

/// A line of the file.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Line {
    /// The number of the next event.
    Next(u64),
    /// An event that waits.
    Event(Box<Item>),
    /// The event of this number does not wait any more, nor does any before it.
    Done(u64),
}

/// The events that wait, the oldest first.
#[derive(Debug)]
pub struct Queue {
    path: PathBuf,
    /// None where the file is to be written anew.
    file: Option<File>,
    waiting: VecDeque<Item>,
    next: u64,
    lines: usize,
    most: usize,
}

/// The queue in `home`.
#[must_use]
pub fn path(home: &Path) -> PathBuf {
    home.join("events.queue")
}

impl Queue {
    /// The queue in `home`; an empty one where there is none. What is damaged in it is passed over.
    #[must_use]
    pub fn open(home: &Path, most: usize) -> Self {
        let path = path(home);
        let bytes = fs::read(&path).unwrap_or_else(|error| {
            if error.kind() != io::ErrorKind::NotFound {
                tracing::error!(%error, "the events that wait cannot be read");
            }
            vec![]
        });
        let mut queue = Self { path, file: None, waiting: VecDeque::new(), next: 1, lines: 0, most: most.max(2) };
        let mut damaged = 0;
        // A last line without an end was never said to be there.
        for line in bytes.split_inclusive(|&byte| byte == b'\n') {
            match serde_json::from_slice(line) {
                Ok(line) => queue.take(line),
                Err(_) => damaged += 1,
            }
        }
        if damaged > 0 {
            tracing::warn!(damaged, "lines of the events that wait cannot be read");
        }
        queue
    }

    fn take(&mut self, line: Line) {
        match line {
            Line::Next(number) => self.next = self.next.max(number),
            Line::Event(item) => {
                self.next = self.next.max(item.number + 1);
                self.waiting.push_back(*item);
            }
            Line::Done(number) => {
                self.next = self.next.max(number + 1);
                self.waiting.retain(|item| item.number > number);
            }
        }
    }

    /// The event that is to be told next.
    #[must_use]
    pub fn first(&self) -> Option<&Item> {
        self.waiting.front()
    }

    /// How many wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Whether none waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Adds events, which get their numbers. They are on disk when this returns; where that fails they wait all the same.
    pub fn push(&mut self, items: impl IntoIterator<Item = Item>) -> io::Result<()> {
        let from = self.next;
        for mut item in items {
            item.number = self.next;
            self.next += 1;
            self.waiting.push_back(item);
        }
        self.make_room();
        let added: Vec<Line> = self
            .waiting
            .iter()
            .filter(|item| item.number >= from)
            .map(|item| Line::Event(Box::new(item.clone())))
            .collect();
        self.add(&added, true)
    }

    /// The event of this number was told. That this is written need not be waited for: else it is told twice.
    pub fn done(&mut self, number: u64) -> io::Result<()> {
        // It had to go meanwhile.
        if self.waiting.front().is_none_or(|first| first.number != number) {
            return Ok(());
        }
        self.waiting.pop_front();
        self.add(&[Line::Done(number)], false)
    }

    /// The oldest go where there are too many, and one event says so in their place.
    fn make_room(&mut self) {
        if self.waiting.len() <= self.most {
            return;
        }
        let over = (self.waiting.len() - self.most + self.most / SHARE).max(2).min(self.waiting.len());
        let gone: Vec<Item> = self.waiting.drain(..over).collect();
        let told_before =
            |item: &Item| if item.event == DROPPED { item.detail["dropped"].as_u64().unwrap_or(0) } else { 1 };
        let dropped: u64 = gone.iter().map(told_before).sum();
        tracing::warn!(dropped, "too many events wait for the program that is told of them: the oldest are dropped");
        if let Some(last) = gone.into_iter().next_back() {
            let detail = serde_json::json!({ "what": DROPPED, "dropped": dropped });
            let (operation, by) = (None, String::new());
            self.waiting.push_front(Item { event: DROPPED.to_owned(), operation, by, detail, ..last });
        }
        self.file = None;
    }

    fn add(&mut self, lines: &[Line], durably: bool) -> io::Result<()> {
        let file = self.file.as_ref().filter(|_| self.lines <= 2 * self.waiting.len() + SPENT);
        let Some(mut file) = file else { return self.write_anew() };
        let mut text = vec![];
        for line in lines {
            serde_json::to_writer(&mut text, line)?;
            text.push(b'\n');
        }
        self.lines += lines.len();
        let added = file.write_all(&text).and_then(|()| if durably { file.sync_data() } else { Ok(()) });
        if added.is_err() {
            self.file = None;
        }
        added
    }

    fn write_anew(&mut self) -> io::Result<()> {
        self.file = None;
        let mut text = vec![];
        let all = self.waiting.iter().map(|item| Line::Event(Box::new(item.clone())));
        for line in std::iter::once(Line::Next(self.next)).chain(all) {
            serde_json::to_writer(&mut text, &line)?;
            text.push(b'\n');
        }
        os::ground::save(&self.path, &text)?;
        self.file = Some(File::options().append(true).open(&self.path)?);
        self.lines = self.waiting.len() + 1;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn item(event: &str) -> Item {
        let at = Timestamp::from_second(1).unwrap();
        let (event, by) = (event.to_owned(), String::new());
        Item { number: 0, at, event, epoch: Some(3), operation: None, by, detail: json!({ "what": "noted" }) }
    }

    fn words(queue: &Queue) -> Vec<(u64, &str)> {
        queue.waiting.iter().map(|item| (item.number, item.event.as_str())).collect()
    }

    #[test]
    fn what_waits_waits_after_a_restart_and_numbers_go_on() {
        let home = tempfile::tempdir().unwrap();
        let mut queue = Queue::open(home.path(), MOST);
        queue.push(["a", "b", "c"].map(item)).unwrap();
        queue.done(1).unwrap();
        queue.done(3).unwrap();
        let mut queue = Queue::open(home.path(), MOST);
        assert_eq!(words(&queue), [(2, "b"), (3, "c")], "only the first one is told");
        queue.done(2).unwrap();
        queue.done(3).unwrap();
        let mut queue = Queue::open(home.path(), MOST);
        assert!(queue.is_empty());
        queue.push([item("d")]).unwrap();
        assert_eq!(words(&queue), [(4, "d")]);
    }

    #[test]
    fn a_line_that_is_cut_or_damaged_takes_no_other_with_it() {
        let home = tempfile::tempdir().unwrap();
        Queue::open(home.path(), MOST).push(["a", "b", "c"].map(item)).unwrap();
        let text = fs::read_to_string(path(home.path())).unwrap();
        fs::write(path(home.path()), &text[..text.len() - 9]).unwrap();
        let mut queue = Queue::open(home.path(), MOST);
        assert_eq!(words(&queue), [(1, "a"), (2, "b")]);
        queue.push([item("d")]).unwrap();
        assert_eq!(words(&Queue::open(home.path(), MOST)), words(&queue));
        let text = fs::read_to_string(path(home.path())).unwrap();
        fs::write(path(home.path()), text.replace("\"a\"", "\"a")).unwrap();
        assert_eq!(words(&Queue::open(home.path(), MOST)).len(), 2);
        fs::write(path(home.path()), [7, 0, 255]).unwrap();
        assert!(Queue::open(home.path(), MOST).is_empty());
    }

    #[test]
    fn the_oldest_go_where_there_are_too_many_and_that_is_told() {
        let home = tempfile::tempdir().unwrap();
        let mut queue = Queue::open(home.path(), 200);
        for number in 0..500 {
            queue.push([item(&number.to_string())]).unwrap();
        }
        assert!(queue.len() <= 200 && queue.len() > 190, "{}", queue.len());
        let first = queue.first().unwrap().clone();
        assert_eq!(first.event, DROPPED);
        assert_eq!(first.detail["dropped"], 500 - (queue.len() - 1), "each one once");
        let numbers: Vec<u64> = queue.waiting.iter().map(|item| item.number).collect();
        assert!(numbers.windows(2).all(|two| two[0] < two[1]) && numbers.last() == Some(&500));
        assert_eq!(words(&Queue::open(home.path(), 200)), words(&queue));
    }

    #[test]
    fn the_file_does_not_grow_for_ever() {
        let home = tempfile::tempdir().unwrap();
        let mut queue = Queue::open(home.path(), MOST);
        for number in 1..=1500 {
            queue.push([item("a")]).unwrap();
            queue.done(number).unwrap();
        }
        let length = fs::metadata(path(home.path())).unwrap().len();
        assert!(length < 120_000, "{length}");
        assert_eq!(Queue::open(home.path(), MOST).next, 1501);
    }

    #[test]
    fn what_could_not_be_written_is_written_with_the_next() {
        let home = tempfile::tempdir().unwrap();
        let mut queue = Queue::open(home.path(), MOST);
        fs::create_dir(path(home.path())).unwrap();
        assert!(queue.push([item("a")]).is_err());
        assert_eq!(words(&queue), [(1, "a")], "it waits all the same");
        fs::remove_dir(path(home.path())).unwrap();
        queue.push([item("b")]).unwrap();
        assert_eq!(words(&Queue::open(home.path(), MOST)), [(1, "a"), (2, "b")]);
    }
}
