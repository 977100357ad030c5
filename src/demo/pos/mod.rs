//! A small POS server for tests and for practice: orders come over TCP, one a line; what is answered is on disk.
//!
//! `SELL CAJA-1 CAJA-1-17 350` is answered by `OK 1044 main`: the number of the receipt, and what this POS server is called where it has
//! a name; the same order again by the same number.
//! `PING` is answered by `PONG`. What cannot be written ends the program before it has answered: the cashier asks again, and
//! the next start puts the books in order. It may be killed at any moment.
//!
//! - [`books`]: the queue, the counter, the lock
//! - [`register`]: the database, made of the queue

pub mod books;
pub mod register;

use std::convert::Infallible;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread;

use books::Books;

use super::order::Order;

/// Bytes of a line that is understood, at the most.
const LONGEST: u64 = 200;

/// Serves the shop in `folder` at an address of this machine until it is killed, and adds `name` to each answer.
pub fn serve(folder: &Path, at: SocketAddr, name: Option<&str>) -> io::Result<Infallible> {
    // Who has the port has the books: only then are they touched.
    let listener = TcpListener::bind(at)?;
    let books = Arc::new(Mutex::new(Books::open(folder)?));
    let name: Arc<str> = name.map(|name| format!(" {name}")).unwrap_or_default().into();
    let (fail, failed) = mpsc::channel();
    thread::spawn(move || {
        for stream in listener.incoming().filter_map(Result::ok) {
            let (books, name, fail) = (Arc::clone(&books), Arc::clone(&name), fail.clone());
            thread::spawn(move || {
                if let Err(Failed::Books(error)) = talk(&stream, &books, &name) {
                    let _ = fail.send(error);
                }
            });
        }
    });
    Err(failed.recv().unwrap_or_else(|_| io::ErrorKind::BrokenPipe.into()))
}

/// Why nobody is listened to any more.
enum Failed {
    /// The cashier has hung up, or says nothing sensible.
    Line,
    /// Nothing can be booked any more.
    Books(io::Error),
}

impl From<io::Error> for Failed {
    fn from(_: io::Error) -> Self {
        Self::Line
    }
}

fn talk(stream: &TcpStream, books: &Mutex<Books>, name: &str) -> Result<(), Failed> {
    stream.set_nodelay(true)?;
    let (mut lines, mut out) = (BufReader::new(stream), stream);
    let mut line = String::new();
    loop {
        line.clear();
        if (&mut lines).take(LONGEST).read_line(&mut line)? == 0 {
            return Ok(());
        }
        let said = line.strip_suffix('\n').ok_or(Failed::Line)?;
        // Who waits for the books is answered when they are free: an answer says that orders can be booked.
        let mut books = books.lock().unwrap_or_else(PoisonError::into_inner);
        let answer = match Order::read(said) {
            Some(order) => format!("OK {}{name}\n", books.sell(&order).map_err(Failed::Books)?),
            None if said == "PING" => "PONG\n".to_owned(),
            None => "NO\n".to_owned(),
        };
        drop(books);
        out.write_all(answer.as_bytes())?;
    }
}
