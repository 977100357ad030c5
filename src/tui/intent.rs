//! What a key can mean, and where: the vocabulary of a keymap.

/// What a person wants. Its names are the words of a keymap file.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Intent {
    /// See what can be done here, and what the words mean.
    Help,
    /// Get out: of a dialog, of a page, of the screen.
    Leave,
    /// Draw everything anew, after something else wrote on the terminal.
    Redraw,
    /// See everything about the copy.
    PageCopy,
    /// See how each POS terminal stands.
    PageTerminals,
    /// See what was done, by whom, and how it ended.
    PageHistory,
    /// Answer the question that waits the longest.
    Answer,
    /// Compare every byte of both sides.
    Compare,
    /// Start the POS server on a copy of the mirror, to see that it starts.
    Drill,
    /// Start from an earlier state of the copy.
    Earlier,
    /// Start from a later one.
    Later,
    /// Start the server on this machine.
    StartServer,
    /// Return to the main server.
    ReturnToMain,
    /// Change to the backup server, as planned.
    ChangeToBackup,
    /// Cancel the return that runs.
    CancelReturn,
    /// Let an alarm wait a little: short breaks heal.
    NotYet,
    /// Silence the alarm.
    Mute,
    /// One line up.
    Up,
    /// One line down.
    Down,
    /// One screenful up.
    PageUp,
    /// One screenful down.
    PageDown,
    /// To the first line.
    Top,
    /// To the last line.
    Bottom,
    /// To the next button or field.
    Next,
    /// To the button or field before.
    Previous,
    /// Press the button that is in focus.
    Press,
    /// Name two folders, and mirror the one into the other.
    MirrorAFolder,
    /// Of a practice shop: cut the main's power, or switch it on again.
    Power,
    /// Of a practice shop: pull the main's cable, or put it in again.
    Cable,
    /// Of a practice shop: pull the cable of the till on which the backup is, or put it in again.
    OwnCable,
    /// Of a practice shop: have the main's cable out for a moment.
    Break,
    /// Of a practice shop: hold the POS server still, or let it go on.
    Freeze,
    /// Of a practice shop: fill the mirror's disk, or free it.
    FillDisk,
    /// Of a practice shop: have days of the licence pass.
    DaysPass,
    /// Of a practice shop: show the lesson, or no more.
    Lesson,
}

impl Intent {
    /// Its word in a keymap.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Help => "help",
            Self::Leave => "leave",
            Self::Redraw => "redraw",
            Self::PageCopy => "page-copy",
            Self::PageTerminals => "page-terminals",
            Self::PageHistory => "page-history",
            Self::Answer => "answer",
            Self::Compare => "compare",
            Self::Drill => "drill",
            Self::Earlier => "earlier",
            Self::Later => "later",
            Self::StartServer => "start-server",
            Self::ReturnToMain => "return-to-main",
            Self::ChangeToBackup => "change-to-backup",
            Self::CancelReturn => "cancel-return",
            Self::NotYet => "not-yet",
            Self::Mute => "mute",
            Self::Up => "up",
            Self::Down => "down",
            Self::PageUp => "page-up",
            Self::PageDown => "page-down",
            Self::Top => "top",
            Self::Bottom => "bottom",
            Self::Next => "next",
            Self::Previous => "previous",
            Self::Press => "press",
            Self::MirrorAFolder => "mirror-a-folder",
            Self::Power => "power",
            Self::Cable => "cable",
            Self::OwnCable => "own-cable",
            Self::Break => "break",
            Self::Freeze => "freeze",
            Self::FillDisk => "fill-disk",
            Self::DaysPass => "days-pass",
            Self::Lesson => "lesson",
        }
    }

    /// The key of its line in the help.
    #[must_use]
    pub(crate) fn help_key(self) -> &'static str {
        match self {
            Self::Help => "intent-help",
            Self::Leave => "intent-leave",
            Self::Redraw => "intent-redraw",
            Self::PageCopy => "intent-page-copy",
            Self::PageTerminals => "intent-page-terminals",
            Self::PageHistory => "intent-page-history",
            Self::Answer => "intent-answer",
            Self::Compare => "intent-compare",
            Self::Drill => "intent-drill",
            Self::Earlier => "intent-earlier",
            Self::Later => "intent-later",
            Self::StartServer => "intent-start-server",
            Self::ReturnToMain => "intent-return-to-main",
            Self::ChangeToBackup => "intent-change-to-backup",
            Self::CancelReturn => "intent-cancel-return",
            Self::NotYet => "intent-not-yet",
            Self::Mute => "intent-mute",
            Self::Up => "intent-up",
            Self::Down => "intent-down",
            Self::PageUp => "intent-page-up",
            Self::PageDown => "intent-page-down",
            Self::Top => "intent-top",
            Self::Bottom => "intent-bottom",
            Self::Next => "intent-next",
            Self::Previous => "intent-previous",
            Self::Press => "intent-press",
            Self::MirrorAFolder => "intent-mirror-a-folder",
            Self::Power => "intent-power",
            Self::Cable => "intent-cable",
            Self::OwnCable => "intent-own-cable",
            Self::Break => "intent-break",
            Self::Freeze => "intent-freeze",
            Self::FillDisk => "intent-fill-disk",
            Self::DaysPass => "intent-days-pass",
            Self::Lesson => "intent-lesson",
        }
    }
}

/// Where keys mean something: a table of a keymap file.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Scope {
    /// Wherever the place itself does not say otherwise.
    Everywhere,
    /// The home screen.
    Mirror,
    /// The home screen while the server is missed; what it does not bind, the home screen does.
    Alarm,
    /// The home screen while a change of server runs; what it does not bind, the home screen does.
    Turn,
    /// The page about the copy.
    Copy,
    /// The page of the operations.
    History,
    /// The page of the POS terminals.
    Terminals,
    /// The help.
    Help,
    /// A dialog with buttons.
    Confirm,
    /// The first page of an empty home.
    First,
    /// Fields to type in.
    Form,
    /// The strip below the screen of a practice shop: wherever the place above it does not say otherwise.
    Demo,
}

impl Scope {
    /// Every place.
    pub const ALL: [Self; 12] = [
        Self::Everywhere,
        Self::Mirror,
        Self::Alarm,
        Self::Turn,
        Self::Copy,
        Self::History,
        Self::Terminals,
        Self::Help,
        Self::Confirm,
        Self::First,
        Self::Form,
        Self::Demo,
    ];

    /// Whose keys count there, too, its own first.
    #[must_use]
    pub fn and_wider(self) -> &'static [Self] {
        match self {
            Self::Everywhere => &[Self::Everywhere],
            Self::Mirror => &[Self::Mirror, Self::Everywhere],
            Self::Alarm => &[Self::Alarm, Self::Mirror, Self::Everywhere],
            Self::Turn => &[Self::Turn, Self::Mirror, Self::Everywhere],
            Self::Copy => &[Self::Copy, Self::Everywhere],
            Self::History => &[Self::History, Self::Everywhere],
            Self::Terminals => &[Self::Terminals, Self::Everywhere],
            Self::Help => &[Self::Help, Self::Everywhere],
            Self::Confirm => &[Self::Confirm, Self::Everywhere],
            Self::First => &[Self::First, Self::Everywhere],
            Self::Form => &[Self::Form, Self::Everywhere],
            Self::Demo => &[Self::Demo, Self::Everywhere],
        }
    }

    /// Whether it is a home screen.
    #[must_use]
    pub fn is_home(self) -> bool {
        matches!(self, Self::Mirror | Self::Alarm | Self::Turn)
    }

    /// Its word in a keymap.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Everywhere => "everywhere",
            Self::Mirror => "mirror",
            Self::Alarm => "alarm",
            Self::Turn => "turn",
            Self::Copy => "copy",
            Self::History => "history",
            Self::Terminals => "terminals",
            Self::Help => "help",
            Self::Confirm => "confirm",
            Self::First => "first",
            Self::Form => "form",
            Self::Demo => "demo",
        }
    }

    /// What can be wanted there beside what can be wanted everywhere, in the order in which the help lists it.
    #[must_use]
    pub fn intents(self) -> &'static [Intent] {
        use Intent::{
            Answer, Bottom, Break, Cable, CancelReturn, ChangeToBackup, Compare, DaysPass, Down, Drill, Earlier,
            FillDisk, Freeze, Help, Later, Leave, Lesson, MirrorAFolder, Mute, Next, NotYet, OwnCable, PageCopy,
            PageDown, PageHistory, PageTerminals, PageUp, Power, Press, Previous, Redraw, ReturnToMain, StartServer,
            Top, Up,
        };
        match self {
            Self::Everywhere => &[Help, Mute, Leave, Redraw],
            Self::Mirror => {
                &[StartServer, ReturnToMain, ChangeToBackup, PageCopy, PageTerminals, PageHistory, Answer, Compare]
            }
            Self::Alarm => &[NotYet, StartServer, ReturnToMain, PageCopy, PageTerminals, PageHistory],
            Self::Turn => &[CancelReturn, PageCopy, PageTerminals, PageHistory],
            Self::Copy => &[Answer, Compare, Drill, Up, Down, PageUp, PageDown, Top, Bottom],
            Self::History | Self::Terminals | Self::Help => &[Up, Down, PageUp, PageDown, Top, Bottom],
            Self::Confirm => &[Next, Previous, Press, Earlier, Later],
            Self::Form => &[Next, Previous, Press],
            Self::First => &[MirrorAFolder],
            Self::Demo => &[Power, Cable, OwnCable, Break, Freeze, FillDisk, DaysPass, Lesson],
        }
    }
}
