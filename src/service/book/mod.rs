//! Keeps what the halves of the copy tell, and makes the status of it. It waits for nothing and does nothing.
//!
//! - `doubts`: why it may be worth less than it looks
//! - [`showing`]: the status

mod doubts;
pub mod showing;

use std::collections::VecDeque;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use super::alarms::Alarms;
use super::event::{Event, What};
use super::news::{News, Passing, Standing};
use super::operations::Operations;
use super::status::{Ask, Copying, EVENTS, Folders, OperationKind, PeerState, Question, TakeOver, Trouble};
use crate::link::Told;
use crate::replica::{End, Grade, Position, Time};
use doubts::Doubts;

/// What is known of the copy.
#[derive(Debug)]
pub struct Book {
    name: String,
    folders: Folders,
    told: Option<Told>,
    link: PeerState,
    /// Since when the sender is not heard.
    silent_since: Option<Instant>,
    /// A copy that is older may not be used without a second consent, in milliseconds.
    max_age_ms: u64,
    stage: Stage,
    position: Position,
    grade: Grade,
    as_of: Time,
    /// The oldest change that is not durable, bytes of it, and files.
    behind: Option<(Instant, u64, u64)>,
    /// There was a time when nothing was behind.
    was_level: bool,
    copying: Option<Copying>,
    /// Files of a first copy that came, and bytes of them.
    came: (u64, u64),
    last_change: Option<(Instant, Timestamp)>,
    /// When something came the whole way last: a canary, or a change.
    sign_at: Option<Instant>,
    /// Generations since the beginning.
    generations: u64,
    unsteady_since: Option<Timestamp>,
    verified_at: Option<Timestamp>,
    doubts: Doubts,
    mirror_trouble: Option<Trouble>,
    alarms: Alarms,
    questions: Vec<Question>,
    asked: u64,
    take_over: Option<TakeOver>,
    events: VecDeque<Event>,
    /// The stored jobs.
    pub operations: Operations,
}

/// How far the mirror is on its way to be of use.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stage {
    /// It is being opened.
    Opening,
    /// A first copy is to come, or coming.
    Building,
    /// It can be used.
    Usable,
}

impl Book {
    /// An empty one for the copy of one folder into another.
    #[must_use]
    pub fn new(name: &str, folders: Folders) -> Self {
        Self {
            name: name.to_owned(),
            folders,
            told: None,
            link: PeerState::Unknown,
            silent_since: None,
            max_age_ms: super::takeover::MAX_AGE_MS,
            stage: Stage::Opening,
            position: Position::default(),
            grade: Grade::default(),
            as_of: Time::default(),
            behind: None,
            was_level: false,
            copying: None,
            came: (0, 0),
            last_change: None,
            sign_at: None,
            generations: 0,
            unsteady_since: None,
            verified_at: None,
            doubts: Doubts::default(),
            mirror_trouble: None,
            alarms: Alarms::default(),
            questions: vec![],
            asked: 0,
            take_over: None,
            events: VecDeque::new(),
            operations: Operations::default(),
        }
    }

    /// The same, with another age that a copy may have.
    #[must_use]
    pub fn with_max_age(self, max_age: Duration) -> Self {
        Self { max_age_ms: u64::try_from(max_age.as_millis()).unwrap_or(u64::MAX), ..self }
    }

    /// The same, with another time that it may be unsteady before a person is called.
    #[must_use]
    pub fn with_steady_alarm(mut self, steady_alarm: Duration) -> Self {
        self.doubts.steady_alarm = steady_alarm;
        self
    }

    /// Takes in what happened, and returns the events that it means.
    pub fn take(&mut self, news: News, now: Timestamp) -> Vec<What> {
        if news.is_sign() {
            self.sign_at = Some(Instant::now());
        }
        // Files come by the thousand, and change nothing about what is wrong.
        let weighs = !matches!(news, News::File(_) | News::Comparing { .. } | News::Behind { .. } | News::Answers(_));
        let mut what = self.note(news, now);
        if weighs {
            what.extend(self.weigh(now));
        }
        for what in &what {
            self.events.push_back(Event { at: now, what: what.clone() });
        }
        let over = self.events.len().saturating_sub(EVENTS);
        self.events.drain(..over);
        what
    }

    /// The canary has come through.
    fn came_through(&mut self, at: Time, level: bool) {
        self.operations.both_there(self.is_usable());
        // In the time that it took nothing else was on its way: what it says of its source holds here.
        if level && self.is_usable() {
            self.as_of = at;
        }
    }

    /// Notes what happened. Returns what is to be told of it by itself.
    fn note(&mut self, news: News, now: Timestamp) -> Vec<What> {
        match news {
            News::Opened { at, redone, strange, rotten, found } => {
                self.operations.opened(at.usable, now);
                self.doubts.rotten = rotten.into_iter().collect();
                self.opened(at, redone, strange, found)
            }
            News::Heard { .. } => {
                (self.link, self.silent_since) = (PeerState::Healthy, None);
                vec![]
            }
            News::Told(told) => self.told(&told, now),
            News::Behind { age, bytes, files } => {
                self.behind = age.and_then(|age| Some((Instant::now().checked_sub(age)?, bytes, files)));
                self.was_level |= self.behind.is_none();
                vec![]
            }
            News::Canary { at, level } => {
                self.came_through(at, level);
                vec![]
            }
            News::Coming(_) | News::GivenUp => {
                self.copying = None;
                vec![]
            }
            News::File(file) => {
                self.passing(file);
                vec![]
            }
            News::Durable { end, begin, took } => vec![self.durable(&end, begin.taken_at, took, now)],
            News::SetAside { files, to } => {
                let to = to.display().to_string();
                files.into_iter().map(|file| What::SetAside { file, to: to.clone() }).collect()
            }
            News::HistoryDropped(left) => vec![What::HistoryDropped { left }],
            News::Trouble(trouble) => {
                self.mirror_trouble = trouble;
                vec![]
            }
            News::Strange(_)
            | News::Unapplied(_)
            | News::Rotten(_)
            | News::Broken { .. }
            | News::Plain(_)
            | News::MuchChanged { .. }
            | News::Meant(_) => self.doubts.hear(news, now),
            News::Comparing { bytes, .. } => {
                self.operations.went_on(bytes);
                vec![]
            }
            News::Compared { files, bytes, differed, asked, proven, wrong } => {
                self.compared((files, bytes, differed), (asked, proven, wrong), now)
            }
            News::Closed => self.closed(),
            News::NotReseeded(why) => {
                self.operations.fail(&why, now);
                vec![]
            }
            News::FirstCopy => self.begun_anew(),
            News::Answers(_)
            | News::Duplicated(_)
            | News::Kept { .. }
            | News::Ended(_)
            | News::AllSent
            | News::Level { .. }
            | News::NotLevel => vec![],
        }
    }

    fn begun_anew(&mut self) -> Vec<What> {
        self.came = (0, 0);
        self.doubts.compared(0, false);
        vec![]
    }

    fn closed(&mut self) -> Vec<What> {
        self.link = PeerState::Lost;
        self.silent_since.get_or_insert_with(Instant::now);
        vec![]
    }

    fn compared(
        &mut self,
        (files, bytes, differed): (u64, u64, u64),
        (asked, proven, wrong): (bool, bool, bool),
        now: Timestamp,
    ) -> Vec<What> {
        self.doubts.compared(differed, wrong);
        if proven {
            self.verified_at = Some(now);
        }
        if asked {
            self.operations.comparison_done(differed, now);
        }
        vec![What::Verified { files, bytes, differed }]
    }

    fn passing(&mut self, file: Passing) {
        if file.done == file.total && u64::from(file.number) > self.came.0 {
            self.came = (file.number.into(), self.came.1 + file.total);
            if self.operations.runs(OperationKind::Reseed) {
                self.operations.went_on(self.came.1);
            }
        }
        self.copying = Some(Copying {
            number: file.number,
            file: file.file,
            done_bytes: file.done,
            total_bytes: file.total,
            files: file.files,
        });
    }

    fn durable(&mut self, end: &End, taken_at: Time, took: Duration, now: Timestamp) -> What {
        self.copying = None;
        self.stage = Stage::Usable;
        self.operations.taken_anew(now);
        (self.position, self.grade, self.as_of) = (end.position, end.grade, taken_at);
        self.generations += 1;
        self.last_change = Some((Instant::now(), now));
        self.unsteady_since = (end.grade == Grade::Unsteady).then(|| self.unsteady_since.unwrap_or(now));
        What::Generation {
            seq: end.position.seq,
            files: end.files.into(),
            gone: end.gone,
            bytes: end.bytes,
            grade: end.grade,
            took_ms: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
        }
    }

    fn opened(&mut self, at: Standing, redone: u64, strange: Vec<String>, found: u64) -> Vec<What> {
        self.stage = if at.usable { Stage::Usable } else { Stage::Building };
        (self.position, self.grade, self.as_of) = (at.position, at.grade, at.as_of);
        let same = at.same.and_then(|seconds| Timestamp::from_second(seconds).ok());
        self.verified_at = same.filter(|_| at.doubted.is_none());
        self.doubts.open(at.doubted, at.much);
        let opened = if at.usable { What::Opened { redone } } else { What::FirstCopy { found } };
        let strange = strange.into_iter().map(|file| What::Strange { file });
        std::iter::once(opened).chain(strange).collect()
    }

    fn told(&mut self, told: &Told, now: Timestamp) -> Vec<What> {
        let mut what = vec![];
        let before = self.told.replace(told.clone());
        let known = before.map(|told| told.special).unwrap_or_default();
        what.extend(
            told.special.iter().filter(|file| !known.contains(file)).map(|file| What::Special { file: file.clone() }),
        );
        let removals = told.removals.map(|(gone, of)| Ask::Removals { gone, of });
        let emptied = (!told.emptied.is_empty()).then(|| Ask::Emptied { files: told.emptied.clone() });
        let older = (!told.older.is_empty()).then(|| Ask::Older { files: told.older.clone() });
        let asks: Vec<Ask> = [removals, emptied, older].into_iter().flatten().collect();
        let (stay, gone): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.questions).into_iter().partition(|question| asks.contains(&question.ask));
        what.extend(gone.into_iter().map(|question| What::Answered { question: question.ask, accepted: None }));
        self.questions = stay;
        for ask in asks {
            if !self.questions.iter().any(|question| question.ask == ask) {
                self.asked += 1;
                what.push(What::Asked(ask.clone()));
                self.questions.push(Question { id: self.asked, ask, since: now });
            }
        }
        what
    }

    /// A person has answered `id`. Returns what was asked.
    pub fn answered(&mut self, id: u64, accepted: bool, now: Timestamp) -> Option<Ask> {
        let at = self.questions.iter().position(|question| question.id == id)?;
        let ask = self.questions[at].ask.clone();
        if accepted {
            self.questions.remove(at);
            let what = What::Answered { question: ask.clone(), accepted: Some(true) };
            self.events.push_back(Event { at: now, what });
            self.weigh(now);
        }
        Some(ask)
    }

    /// Something happened that only the service knows.
    pub fn noted(&mut self, what: What, now: Timestamp) {
        self.events.push_back(Event { at: now, what });
    }

    /// Works out what is wrong. Returns what has become wrong, and what is mended.
    fn weigh(&mut self, now: Timestamp) -> Vec<What> {
        let told = self.told.as_ref();
        let gone = told.and_then(|told| told.error.clone()).map(|error| Trouble::SourceGone { error });
        let unreadable = told.and_then(|told| {
            let first = told.unreadable.first()?.clone();
            Some(Trouble::Unreadable { files: told.unreadable.len() as u64, first })
        });
        let files = self.questions.iter().map(|question| match &question.ask {
            Ask::Removals { gone, .. } => *gone,
            Ask::Emptied { files } | Ask::Older { files } => files.len() as u64,
        });
        let files: u64 = files.sum();
        let held = (files > 0).then_some(Trouble::Held { files });
        let limit = told.and_then(|told| Some(Trouble::unwatched(told.rescans_ms?, told.is_remote)));
        let all = [self.mirror_trouble.clone(), gone, held, unreadable, limit];
        let doubts = self.doubts(now).into_iter().map(Trouble::Doubt);
        self.alarms.weigh(all.into_iter().flatten().chain(doubts), now)
    }

    /// Bytes in all files of the dataset, as far as known.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.told.as_ref().map_or(0, |told| told.bytes)
    }

    /// Whether the link has closed.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.link == PeerState::Lost
    }

    /// Whether the copy is whole.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.is_usable()
    }

    fn is_usable(&self) -> bool {
        self.stage == Stage::Usable
    }

    /// Whether the mirror has had all that there was when it began.
    fn has_caught_up(&self) -> bool {
        let went = self.was_level || self.generations > 0;
        self.is_usable() && self.told.is_some() && self.copying.is_none() && went && self.doubts.unapplied.is_none()
    }
}
