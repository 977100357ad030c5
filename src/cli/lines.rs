//! What a run without a screen prints: a line a file, a line an event.

use std::io::{self, Write};

use crate::service::engine::Line;
use crate::service::event::What;
use crate::service::news::Passing;
use crate::words::{FluentValue, Words, told};

/// Prints one line to `out`.
pub fn print(out: &mut impl Write, words: &Words, line: &Line) -> io::Result<()> {
    match line {
        Line::File(file) => writeln!(out, "{}", passing(words, file)),
        Line::Event(what) => event(out, words, what),
    }?;
    out.flush()
}

/// A file on its way: `05 POS-Q.Seq 80 %`.
fn passing(words: &Words, file: &Passing) -> String {
    let percent = (file.done * 100).checked_div(file.total).unwrap_or(100).min(100);
    let number = format!("{:02}", file.number);
    let args: [(&str, FluentValue<'_>); 3] =
        [("number", number.into()), ("file", file.file.as_str().into()), ("percent", percent.to_string().into())];
    words.with("cli-file", &args)
}

fn event(out: &mut impl Write, words: &Words, what: &What) -> io::Result<()> {
    writeln!(out, "{}", told::event(words, what))?;
    match what {
        What::Trouble(trouble) => writeln!(out, "  {}", told::trouble(words, trouble).todo),
        What::Asked(ask) => {
            let asked = told::question(words, ask);
            writeln!(out, "  {}\n  {}", asked.keeping, words.say("cli-how-to-answer"))
        }
        _ => Ok(()),
    }
}
