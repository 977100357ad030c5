//! What can be wrong in a `store.toml`, and where.

/// One thing in a `store.toml` that is not as it should be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fault {
    /// The line, from 1.
    pub line: usize,
    /// The column, in characters from 1.
    pub column: usize,
    /// The key with its tables, `mirror.interval`; empty where it is the file.
    pub key: String,
    /// What is wrong.
    pub what: FaultKind,
}

/// What can be wrong. What stands in quotes in the file is given as it stands there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum FaultKind {
    /// It is not TOML.
    NotToml(String),
    /// The file is no UTF-8 from here on.
    NotUtf8,
    /// No such key in this table.
    UnknownKey {
        /// One that is written nearly so.
        near: Option<&'static str>,
        /// All that there are.
        known: Vec<&'static str>,
    },
    /// It must be there and is not.
    Missing,
    /// Of these one must be there.
    NoneOf(&'static [&'static str]),
    /// Something else is meant to stand here.
    WrongType(Wanted),
    /// A list with nothing in it.
    Empty,
    /// A text without a letter, or one with a character that would move the cursor of who reads it.
    NoText,
    /// No span of time.
    NoSpan(String),
    /// No size in bytes.
    NoSize(String),
    /// Below or above what is allowed.
    OutOfRange {
        /// The least.
        least: String,
        /// The most.
        most: String,
    },
    /// Another word than these.
    NotOneOf {
        /// The word.
        found: String,
        /// These.
        allowed: Vec<&'static str>,
    },
    /// No address of a machine.
    NoAddress(String),
    /// The other machine cannot reach this address.
    OnlyThisMachine,
    /// No address of a page that can be asked for without encryption.
    NoUrl(String),
    /// No name of a unit of the system.
    NoUnit(String),
    /// No public key.
    NoPublicKey,
    /// It is no PIN as `espejo pin` prints it.
    NoPin,
    /// No pattern for names of files.
    NoGlob(String),
    /// No regular expression.
    NoPattern(String),
    /// A regular expression that does not say which part is the number.
    NoGroup,
    /// A kind of files, said of a dataset.
    KindOfFiles,
    /// A kind of dataset, said of files.
    KindOfDataset,
    /// A dataset cannot be called so.
    NoDatasetName,
    /// A folder that cannot hold a dataset.
    NoFolder(FolderFault),
    /// No path of a file inside the dataset.
    NotInside {
        /// The same file as it is meant to be written, if that can be told.
        near: Option<String>,
    },
    /// The same stands there already, in that line.
    Twice(usize),
    /// This folder lies inside another's, or around it.
    Overlaps(String),
    /// It cannot stand beside that.
    NotBeside(&'static str),
    /// It means nothing without that.
    Needs(&'static str),
    /// `{data:NAME}` names no dataset.
    NoDataset {
        /// The name.
        name: String,
        /// One that is written nearly so.
        near: Option<String>,
    },
    /// Nothing says where `{value}` goes.
    NoValue,
    /// `exclude` leaves out what this needs.
    Excluded(String),
    /// Nothing would be mirrored.
    AllExcluded,
    /// A file is of another kind than this needs.
    WrongKind {
        /// The kind that the file has by its own table.
        found: &'static str,
        /// The kind that is needed.
        wanted: &'static str,
    },
    /// Shorter than that.
    ShorterThan(&'static str),
    /// Longer than that, which has its default.
    LongerThan(&'static str),
    /// Espejo itself listens there.
    PortTaken(&'static str),
}

/// What is meant to stand at a key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wanted {
    /// A text.
    Text,
    /// A whole number.
    Number,
    /// A span of time.
    Span,
    /// A size in bytes.
    Size,
    /// A program and its arguments.
    Command,
    /// A list of texts.
    Texts,
    /// A list of numbers.
    Numbers,
    /// A table.
    Table,
    /// Tables, each with its own header in double brackets.
    Tables,
    /// How the records of a queue end.
    Record,
    /// What happens to a counter when the backup starts.
    OnStart,
    /// A bell, or a program instead.
    Sound,
    /// True or false.
    Yes,
}

/// Why a folder cannot hold a dataset.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FolderFault {
    /// It must begin at the root.
    Relative,
    /// It leads out of where it begins.
    LeadsOut,
    /// It is the root of the disk.
    WholeDisk,
    /// It is the home itself, where other things are kept.
    Home,
}
