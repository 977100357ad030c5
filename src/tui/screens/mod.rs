//! Where everything stands: one file a screen, one function each. Gets values in words, gives cells; knows no status.
//!
//! - [`mirror`]: the home screen of a mirror
//! - [`copy`]: the page about the copy
//! - [`help`]: the help
//! - [`welcome`]: the first page and its form
//! - [`parts`]: the lines that more than one of them has

pub mod copy;
pub mod help;
pub mod mirror;
pub mod parts;
pub mod welcome;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::theme::Look;
use super::view::{Page, Scene};
use super::widgets::{Canvas, Drawn};

/// Draws everything.
pub fn draw(scene: &Scene, look: Look, area: Rect, buf: &mut Buffer) -> Drawn {
    let mut on = Canvas { look, buf, drawn: Drawn::default() };
    let inside = scene.frame.draw(area, &mut on);
    match &scene.page {
        Page::Mirror(view) => mirror::draw(view, inside, &mut on),
        Page::Copy(view) => copy::draw(view, inside, &mut on),
        Page::Help(view) => help::draw(view, inside, &mut on),
        Page::Welcome(view) => welcome::draw(view, inside, &mut on),
        Page::Form(view) => welcome::draw_form(view, inside, &mut on),
    }
    if let Some(dialog) = &scene.dialog {
        dialog.draw(inside, &mut on);
    }
    on.drawn
}
