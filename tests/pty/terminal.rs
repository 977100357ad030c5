//! The real program in a terminal of its own: what it draws is read by a terminal, what it is told comes from a keyboard.

use std::io::{Read, Write};
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use vt100::{MouseProtocolMode, Parser, Screen};

/// How long anything is waited for.
const PATIENCE: Duration = Duration::from_secs(60);

pub struct Terminal {
    parser: Parser,
    said: Receiver<Vec<u8>>,
    keyboard: Box<dyn Write + Send>,
    master: Box<dyn MasterPty + Send>,
    child: Box<dyn Child + Send + Sync>,
    /// Bytes that came so far.
    pub received: usize,
    /// How often the bell was struck.
    pub bells: usize,
    /// Whether the program took the whole screen at any time.
    pub took_screen: bool,
}

impl Terminal {
    /// Runs the program with `args` and the home at `home`, 80 columns by 24 rows.
    pub fn run(home: &Path, args: &[&str]) -> Self {
        let size = PtySize { rows: 24, cols: 80, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).unwrap();
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_espejo"));
        command.args(args);
        command.args(["--home", home.to_str().unwrap()]);
        for name in ["NO_COLOR", "LC_ALL", "LC_CTYPE", "ESPEJO_HOME"] {
            command.env_remove(name);
        }
        command.env("TERM", "xterm-256color");
        command.env("LANG", "en_US.UTF-8");
        command.cwd(home.parent().unwrap());
        let child = pair.slave.spawn_command(command).unwrap();
        // The end is seen only when nobody else holds the other side.
        drop(pair.slave);
        let mut reader = pair.master.try_clone_reader().unwrap();
        let keyboard = pair.master.take_writer().unwrap();
        let (say, said) = channel();
        thread::spawn(move || {
            let mut bytes = vec![0; 64 * 1024];
            while let Ok(read @ 1..) = reader.read(&mut bytes) {
                if say.send(bytes[..read].to_vec()).is_err() {
                    return;
                }
            }
        });
        let parser = Parser::new(24, 80, 0);
        Self { parser, said, keyboard, master: pair.master, child, received: 0, bells: 0, took_screen: false }
    }

    /// All that is seen.
    pub fn text(&self) -> String {
        self.parser.screen().contents()
    }

    /// Row `index`, from 0.
    pub fn row(&self, index: usize) -> String {
        let width = self.parser.screen().size().1;
        self.parser.screen().rows(0, width).nth(index).unwrap_or_default()
    }

    /// The clock at the end of the first line.
    pub fn clock(&self) -> String {
        let row = self.row(0);
        row.trim_end().chars().rev().take(8).collect::<Vec<_>>().into_iter().rev().collect()
    }

    /// Presses what the bytes stand for.
    pub fn press(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).unwrap();
        self.keyboard.flush().unwrap();
    }

    /// Pastes `text`, as a terminal does.
    pub fn paste(&mut self, text: &str) {
        self.press(&format!("\x1b[200~{text}\x1b[201~"));
    }

    /// Gives the terminal another size.
    pub fn resize(&mut self, cols: u16, rows: u16) {
        self.parser.screen_mut().set_size(rows, cols);
        self.master.resize(PtySize { rows, cols, pixel_width: 0, pixel_height: 0 }).unwrap();
    }

    /// Waits until `is_so`. `what` says what was waited for when it never is.
    #[track_caller]
    pub fn wait(&mut self, what: &str, is_so: impl Fn(&Self) -> bool) -> &mut Self {
        let until = Instant::now() + PATIENCE;
        while !is_so(self) {
            match self.said.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(bytes) => self.take(&bytes),
                Err(RecvTimeoutError::Timeout) => panic!("waited for {what}, and saw\n{}", self.text()),
                Err(RecvTimeoutError::Disconnected) => {
                    panic!("waited for {what}, and the program ended:\n{}", self.text())
                }
            }
        }
        self
    }

    /// Waits until `text` is seen.
    #[track_caller]
    pub fn see(&mut self, text: &str) -> &mut Self {
        self.wait(&format!("\"{text}\""), |terminal| terminal.text().contains(text))
    }

    /// Waits until `text` is seen no more.
    #[track_caller]
    pub fn see_no_more(&mut self, text: &str) -> &mut Self {
        self.wait(&format!("the end of \"{text}\""), |terminal| !terminal.text().contains(text))
    }

    /// Waits until the program has ended; its exit code.
    #[track_caller]
    pub fn end(&mut self) -> u32 {
        let until = Instant::now() + PATIENCE;
        loop {
            match self.said.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(bytes) => self.take(&bytes),
                Err(RecvTimeoutError::Timeout) => panic!("it does not end, and shows\n{}", self.text()),
                Err(RecvTimeoutError::Disconnected) => return self.child.wait().unwrap().exit_code(),
            }
        }
    }

    /// Fails unless the terminal is as a shell wants it.
    #[track_caller]
    pub fn is_given_back(&self) {
        let screen: &Screen = self.parser.screen();
        assert!(self.took_screen, "the screen was never taken");
        assert!(!screen.alternate_screen(), "the second screen was not left");
        assert!(!screen.hide_cursor(), "the cursor is hidden");
        assert!(!screen.bracketed_paste(), "pastes are still marked");
        assert_eq!(screen.mouse_protocol_mode(), MouseProtocolMode::None, "clicks are still told");
    }

    fn take(&mut self, bytes: &[u8]) {
        self.received += bytes.len();
        self.bells += String::from_utf8_lossy(bytes).matches('\x07').count();
        self.parser.process(bytes);
        self.took_screen |= self.parser.screen().alternate_screen();
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // One that has ended cannot be ended, and that is well.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
