//! The pieces that screens are laid out of. May name the theme and intents; knows no status, no words, no clock.
//!
//! - [`fit`]: text made to fit a number of cells
//! - [`bar`](mod@bar): a bar
//! - [`rows`]: rows of toned text, stacked by weight into the room there is, painted, and where they can be clicked
//! - [`frame`]: the head line, the rules and the hints around every screen
//! - [`scroll`]: a text longer than the screen
//! - [`boxed`]: a dialog in the middle of the screen, with buttons

pub mod bar;
pub mod boxed;
pub mod fit;
pub mod frame;
pub mod rows;
pub mod scroll;

pub use rows::{Block, Canvas, Drawn, Hit, Press, Row};
