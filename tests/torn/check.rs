//! Whether what a shop's program left can be used: each of its files opens, and they fit together.

use std::fs;
use std::path::Path;

use rusqlite::Connection;

/// Why the data in a folder are no state of the shop.
pub type Bad = Result<(), String>;

/// The two sums of the database, and what `SQLite` says of it.
pub fn database(folder: &Path) -> Bad {
    let told = |error: rusqlite::Error| error.to_string();
    let database = Connection::open(folder.join("shop.db")).map_err(told)?;
    let said: String = database.query_row("PRAGMA integrity_check", [], |row| row.get(0)).map_err(told)?;
    if said != "ok" {
        return Err(said);
    }
    let row = |sql: &str| {
        let row: rusqlite::Result<(i64, i64)> = database.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?)));
        row.map_err(told)
    };
    let sales = row("SELECT count(*), sum(cents) FROM sales")?;
    let drawer = row("SELECT sum(sales), sum(cents) FROM drawer")?;
    if sales == drawer { Ok(()) } else { Err(format!("{sales:?} sold, {drawer:?} in the drawer")) }
}

/// The three files that say how many there are.
pub fn isam(folder: &Path) -> Bad {
    let read = |name: &str| fs::read(folder.join(name)).map_err(|error| error.to_string());
    let (data, index, counter) = (read("ORDERS.DAT")?, read("ORDERS.IDX")?, read("ORDERS.SEQ")?);
    let count = |bytes: &[u8]| bytes.get(..8).map(|count| u64::from_le_bytes(count.try_into().unwrap()));
    let said: Option<u64> = String::from_utf8_lossy(&counter).trim().parse().ok();
    let (in_data, in_index) = (count(&data), count(&index));
    if in_data.is_none() || in_data != in_index || in_data != said {
        return Err(format!("{in_data:?} in the data, {in_index:?} in the index, {said:?} in the counter"));
    }
    let records = in_data.unwrap();
    for number in 0..records {
        let at = usize::try_from(number + 1).unwrap() * 512;
        let Some(record) = data.get(at..at + 512) else { return Err(format!("record {number} is missing")) };
        if u64::from_le_bytes(record[..8].try_into().unwrap()) != number || crc(&record[..508]) != record[508..] {
            return Err(format!("record {number} is torn"));
        }
    }
    Ok(())
}

/// Each line whole, and one after the other.
pub fn queue(folder: &Path) -> Bad {
    let text = fs::read_to_string(folder.join("ORDER.QUE")).map_err(|error| error.to_string())?;
    if !text.ends_with('\n') {
        return Err("the last line is torn".to_owned());
    }
    for (number, line) in text.lines().enumerate() {
        let (body, sum) = line.rsplit_once(';').ok_or_else(|| format!("line {number}: no sum"))?;
        let is_whole = sum == hex(crc(body.as_bytes())) && body.starts_with(&format!("{number:08};"));
        if !is_whole {
            return Err(format!("line {number}: {line}"));
        }
    }
    Ok(())
}

/// The same, and as many as are counted beside it.
pub fn counted(folder: &Path) -> Bad {
    queue(folder)?;
    let read = |name: &str| fs::read(folder.join(name)).map_err(|error| error.to_string());
    let (queue, index) = (read("ORDER.QUE")?, read("ORDERS.MAP")?);
    let lines = String::from_utf8_lossy(&queue).lines().count() as u64;
    let counted = index.get(..8).map(|count| u64::from_le_bytes(count.try_into().unwrap()));
    if counted == Some(lines) { Ok(()) } else { Err(format!("{lines} in the queue, {counted:?} counted")) }
}

fn hex(sum: [u8; 4]) -> String {
    format!("{:08x}", u32::from_le_bytes(sum))
}

/// CRC-32 as zlib has it, low byte first.
fn crc(bytes: &[u8]) -> [u8; 4] {
    let step = |sum: u32, byte: &u8| TABLE[((sum ^ u32::from(*byte)) & 0xff) as usize] ^ sum >> 8;
    (!bytes.iter().fold(!0, step)).to_le_bytes()
}

const TABLE: [u32; 256] = {
    let mut table = [0; 256];
    let (mut byte, mut number) = (0, 0u32);
    while byte < 256 {
        let (mut sum, mut bit) = (number, 0);
        while bit < 8 {
            sum = if sum & 1 == 1 { sum >> 1 ^ 0xedb8_8320 } else { sum >> 1 };
            bit += 1;
        }
        table[byte] = sum;
        (byte, number) = (byte + 1, number + 1);
    }
    table
};
