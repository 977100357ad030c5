//! The thread that writes the diary. Whatever becomes of the file, whoever writes goes on: a file that is damaged is set aside
//! and a new one begun, and what cannot be written is said, and tried again until it can.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use super::{BOUNDS, DiaryError, Entry, Store, diary_path};
use crate::os::ground::{self, Worker};

/// So many jobs are known again when a diary is opened.
pub const JOBS: u32 = 50;
/// After so many rows is looked whether old ones are to go.
const TURN: u32 = 1000;

/// After so long what could not be written is tried again.
const AGAIN: Duration = Duration::from_secs(2);
/// So much that could not be written is remembered at the most.
const WAITING: usize = 10_000;

/// What became of the file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Noticed {
    /// It was damaged; it is kept here, and a new one has begun.
    Damaged(PathBuf),
    /// It cannot be written.
    Fails(String),
    /// It can be written again.
    Works,
}

struct Work {
    entry: Entry,
    done: Option<oneshot::Sender<bool>>,
}

/// A diary that is written.
#[derive(Debug)]
pub struct Diary {
    work: mpsc::UnboundedSender<Work>,
    noticed: mpsc::UnboundedReceiver<Noticed>,
}

impl Diary {
    /// Opens the diary of `home`, and begins to write it on a thread of its own. Returns it, and what each of the last jobs was
    /// last. This reads the disk.
    pub fn open(home: &Path) -> std::io::Result<(Self, Vec<Value>)> {
        let (tell, noticed) = mpsc::unbounded_channel();
        let mut hand = Hand { path: diary_path(home), store: None, fails: false, written: 0, tell };
        let jobs = hand.attempt(|store| {
            store.prune(BOUNDS, ground::now())?;
            store.jobs(JOBS)
        });
        let (work, todo) = mpsc::unbounded_channel();
        Worker::begin("diary", hand.run(todo))?;
        Ok((Self { work, noticed }, jobs.unwrap_or_default()))
    }

    /// Has an entry written.
    pub fn note(&self, entry: Entry) {
        let _ = self.work.send(Work { entry, done: None });
    }

    /// Has an entry written, and waits until it is on disk. Returns whether it is; else that is tried again.
    pub async fn write(&self, entry: Entry) -> bool {
        let (done, written) = oneshot::channel();
        let _ = self.work.send(Work { entry, done: Some(done) });
        written.await.unwrap_or(false)
    }

    /// What became of the file since this was asked last.
    pub fn noticed(&mut self) -> Option<Noticed> {
        self.noticed.try_recv().ok()
    }
}

/// What writes.
struct Hand {
    path: PathBuf,
    store: Option<Store>,
    fails: bool,
    written: u32,
    tell: mpsc::UnboundedSender<Noticed>,
}

impl Hand {
    async fn run(mut self, mut todo: mpsc::UnboundedReceiver<Work>) {
        let mut waiting = vec![];
        loop {
            let first = if waiting.is_empty() { Ok(todo.recv().await) } else { timeout(AGAIN, todo.recv()).await };
            let is_over = matches!(first, Ok(None));
            // What waits meanwhile goes with it: one sync for all.
            let more = std::iter::from_fn(|| todo.try_recv().ok());
            let mut asked = vec![];
            for Work { entry, done } in first.ok().flatten().into_iter().chain(more) {
                waiting.push(entry);
                asked.extend(done);
            }
            waiting.drain(..waiting.len().saturating_sub(WAITING));
            let is_written = waiting.is_empty() || self.attempt(|store| store.append(&waiting)).is_some();
            if is_written {
                self.written += u32::try_from(waiting.len()).unwrap_or(u32::MAX);
                waiting.clear();
            }
            for done in asked {
                let _ = done.send(is_written);
            }
            if is_over {
                return;
            }
            if self.written >= TURN {
                self.written = 0;
                self.attempt(|store| store.prune(BOUNDS, ground::now()));
            }
        }
    }

    /// Does something with the file; once more with a new one where it is damaged.
    fn attempt<T>(&mut self, mut what: impl FnMut(&mut Store) -> Result<T, DiaryError>) -> Option<T> {
        for _ in 0..2 {
            let opened = self.store.take().map_or_else(|| Store::open(&self.path), Ok);
            let tried = opened.and_then(|mut store| {
                let tried = what(&mut store);
                self.store = Some(store);
                tried
            });
            match tried {
                Ok(done) => {
                    if std::mem::take(&mut self.fails) {
                        let _ = self.tell.send(Noticed::Works);
                    }
                    return Some(done);
                }
                Err(error) if error.is_damage() => {
                    self.store = None;
                    match set_aside(&self.path) {
                        Ok(kept) => drop(self.tell.send(Noticed::Damaged(kept))),
                        Err(error) => return self.failed(error.to_string()),
                    }
                }
                Err(error) => return self.failed(error.to_string()),
            }
        }
        self.failed("damaged again".to_owned())
    }

    fn failed<T>(&mut self, why: String) -> Option<T> {
        if !std::mem::replace(&mut self.fails, true) {
            let _ = self.tell.send(Noticed::Fails(why));
        }
        None
    }
}

/// Puts the file, and what belongs to it, under another name. Returns that.
fn set_aside(path: &Path) -> std::io::Result<PathBuf> {
    let at = ground::now().strftime("%Y%m%d-%H%M%S").to_string();
    let named = |end: &str| {
        let mut name = path.as_os_str().to_owned();
        name.push(end);
        PathBuf::from(name)
    };
    let free = |number: &u32| {
        let kept = named(&if *number == 1 { format!(".damaged-{at}") } else { format!(".damaged-{at}-{number}") });
        (!kept.exists()).then_some(kept)
    };
    let kept = (1..1000).find_map(|number| free(&number)).ok_or(std::io::ErrorKind::AlreadyExists)?;
    std::fs::rename(path, &kept)?;
    for end in ["-wal", "-shm"] {
        let mut to = kept.clone().into_os_string();
        to.push(end);
        match std::fs::rename(named(end), to) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(kept)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use jiff::Timestamp;
    use serde_json::json;

    use super::*;

    fn job(id: u64) -> Entry {
        Entry { at: Timestamp::now(), by: "ana".to_owned(), job: Some(id.to_string()), body: json!({ "id": id }) }
    }

    #[tokio::test]
    async fn what_is_written_is_on_disk() {
        let home = tempfile::tempdir().unwrap();
        let (mut diary, before) = Diary::open(home.path()).unwrap();
        assert!(before.is_empty());
        diary.note(job(1));
        assert!(diary.write(job(2)).await);
        let read = Store::read(&diary_path(home.path())).unwrap().unwrap();
        assert_eq!(read.jobs(9).unwrap(), [json!({"id": 1}), json!({"id": 2})]);
        assert_eq!(diary.noticed(), None);
        drop(diary);
        assert_eq!(Diary::open(home.path()).unwrap().1.len(), 2);
    }

    #[tokio::test]
    async fn a_damaged_one_is_set_aside_and_a_new_one_begun() {
        for damage in ["all", "head", "middle", "other"] {
            let home = tempfile::tempdir().unwrap();
            let path = diary_path(home.path());
            Store::open(&path).unwrap().append(&(0..200).map(job).collect::<Vec<_>>()).unwrap();
            let mut bytes = fs::read(&path).unwrap();
            match damage {
                "all" => bytes = b"the disk had other plans".repeat(100),
                "head" => bytes[..16].fill(7),
                "middle" => (bytes[4096..]).iter_mut().step_by(3).for_each(|byte| *byte ^= 0x5a),
                _ => {
                    fs::remove_file(&path).unwrap();
                    let db = rusqlite::Connection::open(&path).unwrap();
                    db.execute_batch("CREATE TABLE row (price REAL)").unwrap();
                    drop(db);
                    bytes = fs::read(&path).unwrap();
                }
            }
            fs::write(&path, &bytes).unwrap();
            let (mut diary, jobs) = Diary::open(home.path()).unwrap();
            assert!(jobs.is_empty(), "{damage}");
            let Some(Noticed::Damaged(kept)) = diary.noticed() else { panic!("{damage}: nothing was said") };
            assert!(kept.to_string_lossy().contains("diary.db.damaged-2"), "{}", kept.display());
            assert_eq!(fs::read(&kept).unwrap().len(), bytes.len(), "{damage}");
            assert!(diary.write(job(7)).await, "{damage}: and it goes on");
            assert_eq!(diary.noticed(), None);
        }
    }

    #[tokio::test]
    async fn one_that_cannot_be_written_is_said_once_and_stops_nobody() {
        let home = tempfile::tempdir().unwrap();
        fs::create_dir(diary_path(home.path())).unwrap();
        let (mut diary, _) = Diary::open(home.path()).unwrap();
        assert!(!diary.write(job(1)).await && !diary.write(job(2)).await);
        assert!(matches!(diary.noticed(), Some(Noticed::Fails(_))));
        assert_eq!(diary.noticed(), None);
        fs::remove_dir(diary_path(home.path())).unwrap();
        assert!(diary.write(job(3)).await, "as soon as it can");
        assert_eq!(diary.noticed(), Some(Noticed::Works));
        let read = Store::read(&diary_path(home.path())).unwrap().unwrap();
        assert_eq!(read.jobs(9).unwrap(), [1, 2, 3].map(|id| json!({ "id": id })), "what could not be written, too");
    }

    #[tokio::test]
    async fn what_could_not_be_written_is_tried_again_unasked_and_at_the_end() {
        for ends in [false, true] {
            let home = tempfile::tempdir().unwrap();
            let path = diary_path(home.path());
            fs::create_dir(&path).unwrap();
            let (mut diary, _) = Diary::open(home.path()).unwrap();
            assert!(!diary.write(job(1)).await);
            fs::remove_dir(&path).unwrap();
            let noticed = if ends {
                let Diary { work, mut noticed } = diary;
                drop(work);
                noticed.recv().await.unwrap();
                noticed.recv().await
            } else {
                diary.noticed.recv().await.unwrap();
                diary.noticed.recv().await
            };
            assert_eq!(noticed, Some(Noticed::Works));
            let read = Store::read(&path).unwrap().unwrap();
            assert_eq!(read.jobs(9).unwrap(), [json!({"id": 1})]);
        }
    }
}
