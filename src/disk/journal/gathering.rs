//! What a machine that was the server notes of setting aside what it alone holds, so that it is done once, whatever is killed.

use rusqlite::{OptionalExtension, Row, params};

use super::index::Index;
use crate::disk::error::DiskError;

/// That a machine which was the server is to set aside what it alone holds, before it follows another one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Gathering {
    /// The last epoch in which it was the server.
    pub served: u64,
    /// When it began to, in seconds since 1970.
    pub began: i64,
    /// All is set aside.
    pub over: bool,
}

impl Index {
    /// What is noted of it.
    pub fn gathering(&self) -> Result<Option<Gathering>, DiskError> {
        let read = |row: &Row<'_>| {
            Ok(Gathering { served: row.get::<_, i64>(0)?.cast_unsigned(), began: row.get(1)?, over: row.get(2)? })
        };
        self.at(self.db.query_row("SELECT served, began, over FROM gathering", [], read).optional())
    }

    /// Notes it.
    pub fn set_gathering(&self, gathering: Gathering) -> Result<(), DiskError> {
        let Gathering { served, began, over } = gathering;
        let values = params![served.cast_signed(), began, over];
        self.run("INSERT OR REPLACE INTO gathering VALUES (1, ?1, ?2, ?3)", values).map(drop)
    }
}
