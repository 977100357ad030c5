//! What of a thing that was set aside is printed.

use serde_json::{Value, json};

use crate::cli::history::harmless;
use crate::disk::lone::{Against, Listed};
use crate::disk::rescue::{Held, Now, Record};
use crate::disk::rows::{Rows, text};
use crate::words::{Words, figures};

/// The records that one side alone held.
pub(super) enum Lacking {
    /// These, of which the mirror has none now.
    Some(Vec<Record>),
    /// So many at the end of the queue; what they are, where that is to be shown.
    End { count: u64, records: Vec<Vec<u8>> },
}

impl Lacking {
    /// Whether there are none.
    pub(super) fn is_empty(&self) -> bool {
        match self {
            Self::Some(records) => records.is_empty(),
            Self::End { count, .. } => *count == 0,
        }
    }

    /// The same as a table; of those at the end of a queue nobody has counted how many are before them. None where there are none.
    pub(super) fn table(&self) -> Option<Rows> {
        use rusqlite::types::Value::{Integer, Text};
        let text = |bytes: &[u8]| Text(String::from_utf8_lossy(bytes).into_owned());
        let (columns, rows) = match self {
            Self::Some(records) => {
                let row = |(number, bytes): &Record| vec![Integer(number.cast_signed()), text(bytes)];
                (&["number", "record"][..], records.iter().map(row).collect::<Vec<_>>())
            }
            Self::End { records, .. } => (&["record"][..], records.iter().map(|bytes| vec![text(bytes)]).collect()),
        };
        let columns = columns.iter().map(|&column| column.to_owned()).collect();
        (!rows.is_empty()).then(|| Rows { table: String::new(), key: vec![], columns, rows, more: false, error: None })
    }
}

/// The rows of a table that one side alone held.
pub(super) fn rows(words: &Words, rows: &Rows, records: bool) -> Vec<String> {
    let count = rows.rows.len();
    let key = if rows.more { "cli-rescue-rows-more" } else { "cli-rescue-rows" };
    let args = [
        ("table", harmless(&rows.table).into()),
        ("n", count.into()),
        ("columns", harmless(&rows.columns.join(", ")).into()),
        ("key", harmless(&rows.key.join(", ")).into()),
    ];
    let mut lines = vec![];
    if count > 0 {
        lines.push(format!("    {}", words.with(key, &args)));
    }
    for row in rows.rows.iter().filter(|_| records) {
        let cells = rows.columns.iter().zip(row).map(|(column, value)| format!("{column}={}", text(value)));
        lines.push(format!("      {}", harmless(&cells.collect::<Vec<_>>().join(", "))));
    }
    if let Some(error) = &rows.error {
        let args = [("table", harmless(&rows.table).into()), ("why", harmless(error).into())];
        lines.push(format!("    {}", words.with("cli-rescue-no-table", &args)));
    }
    lines
}

/// The same as JSON; what stands in them only where that is asked for.
pub(super) fn rows_value(rows: &Rows, records: bool) -> Value {
    let row = |row: &Vec<rusqlite::types::Value>| row.iter().map(cell).collect::<Value>();
    let mut value = json!({
        "table": rows.table, "key": rows.key, "columns": rows.columns, "count": rows.rows.len(), "more": rows.more,
    });
    if records {
        value["rows"] = rows.rows.iter().map(row).collect();
    }
    if let Some(error) = &rows.error {
        value["error"] = error.as_str().into();
    }
    value
}

fn cell(value: &rusqlite::types::Value) -> Value {
    use rusqlite::types::Value::{Blob, Integer, Null, Real, Text};
    match value {
        Null => Value::Null,
        Integer(number) => (*number).into(),
        Real(number) => (*number).into(),
        Text(_) | Blob(_) => text(value).into(),
    }
}

/// What was compared with.
pub(super) fn against(words: &Words, against: Against) -> String {
    words.say(match against {
        Against::Start => "cli-rescue-against-start",
        Against::Now => "cli-rescue-against-now",
    })
}

/// A name and its records.
pub(super) fn lines(words: &Words, held: &Held, lacking: &Lacking, records: bool) -> Vec<String> {
    let mut lines = vec![said(words, held)];
    let mut record = |text: &[u8]| lines.push(format!("    {}", harmless(&String::from_utf8_lossy(text))));
    match lacking {
        Lacking::Some(lacking) if lacking.is_empty() => {}
        Lacking::Some(lacking) => {
            let args = [("n", lacking.len().into()), ("numbers", spans(lacking).into())];
            record(words.with("cli-rescue-lacking", &args).as_bytes());
            for (_, text) in lacking.iter().filter(|_| records) {
                record(text);
            }
        }
        Lacking::End { count: 0, .. } => {}
        Lacking::End { count, records } => {
            record(words.with("cli-rescue-records", &[("n", (*count).into())]).as_bytes());
            for text in records {
                record(text);
            }
        }
    }
    lines
}

/// What is not here any more.
pub(super) fn gone(words: &Words, one: &Listed) -> String {
    let there = figures::bytes(words, one.there_bytes.unwrap_or(0));
    words.with("cli-rescue-gone", &[("file", harmless(&one.file).into()), ("there", there.into())])
}

fn said(words: &Words, held: &Held) -> String {
    let listed = held.listed.as_ref();
    let key = match (listed.map(|listed| (listed.there_bytes, listed.exact)), held.now) {
        (Some((None, _)), _) => "cli-rescue-new",
        (Some((Some(_), true)), _) | (Some(_), None) => "cli-rescue-changed",
        (Some((Some(_), false)), Some(Now::Differs { .. })) => "cli-rescue-changed-now",
        (Some((Some(_), false)), Some(_)) => "cli-rescue-changed-somewhere",
        (None, Some(Now::Nothing) | None) => "cli-rescue-nothing",
        (None, Some(Now::Same)) => "cli-rescue-same",
        (None, Some(Now::Differs { .. })) => "cli-rescue-differs",
        (None, Some(Now::Other)) => "cli-rescue-other",
    };
    let there = listed.and_then(|listed| listed.there_bytes).unwrap_or(0);
    let args = [
        ("file", held.path.to_string().into()),
        ("size", figures::bytes(words, held.size).into()),
        ("there", figures::bytes(words, there).into()),
        ("at", differs_at(held).unwrap_or(0).to_string().into()),
    ];
    words.with(key, &args)
}

/// The first byte that differs, from 0: from what the other machine held then, or else from what the mirror holds now.
fn differs_at(held: &Held) -> Option<u64> {
    match (&held.listed, held.now) {
        (Some(listed), _) if listed.exact => listed.there_bytes.map(|_| listed.same_bytes),
        (_, Some(Now::Differs { at })) => Some(at),
        _ => None,
    }
}

/// A name as JSON.
pub(super) fn value(held: &Held, lacking: &Lacking, records: bool) -> Value {
    let now = held.now.map(|now| match now {
        Now::Nothing => "nothing",
        Now::Same => "same",
        Now::Differs { .. } => "differs",
        Now::Other => "other",
    });
    let mut value =
        json!({ "file": held.path.to_string(), "bytes": held.size, "now": now, "differs_at": differs_at(held) });
    if let Some(listed) = &held.listed {
        value["there_bytes"] = listed.there_bytes.into();
        value["same_bytes"] = listed.same_bytes.into();
    }
    let texts: Vec<&Vec<u8>> = match lacking {
        Lacking::Some(records) => {
            value["lines"] = records.iter().map(|(number, _)| *number).collect();
            records.iter().map(|(_, text)| text).collect()
        }
        Lacking::End { count, records } => {
            value["alone"] = (*count).into();
            records.iter().collect()
        }
    };
    if records {
        value["records"] = texts.into_iter().map(|text| String::from_utf8_lossy(text).into_owned()).collect();
    }
    value
}

/// What is not here any more, as JSON.
pub(super) fn gone_value(one: &Listed) -> Value {
    json!({ "file": one.file, "bytes": null, "there_bytes": one.there_bytes })
}

/// `2-4, 9`
fn spans(lacking: &[Record]) -> String {
    let mut spans: Vec<(u64, u64)> = vec![];
    for (number, _) in lacking {
        match spans.last_mut() {
            Some((_, last)) if *last + 1 == *number => *last = *number,
            _ => spans.push((*number, *number)),
        }
    }
    let said = |(first, last): &(u64, u64)| {
        if first == last { first.to_string() } else { format!("{first}-{last}") }
    };
    spans.iter().map(said).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_in_a_row_are_one_span() {
        let lines: Vec<_> = [1, 2, 3, 7, 9, 10].map(|number| (number, vec![])).to_vec();
        assert_eq!(spans(&lines), "1-3, 7, 9-10");
    }
}
