//! The pictures of the README: the program's own screens, drawn as SVG. `ESPEJO_DRAW=1 cargo test --test screens` draws them anew.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use espejo::tui::{App, Place};
use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};

use super::harness::{COLOUR, Shown, shown};
use super::{store, turns};

/// A cell, in pixels.
const CELL: (u16, u16) = (9, 19);
/// What is around the screen.
const MARGIN: u16 = 12;

/// What is plain.
const PLAIN: &str = "#d0d0d0";
/// What it stands on.
const GROUND: &str = "#161616";

fn hex(colour: Color, plain: &'static str) -> &'static str {
    match colour {
        Color::Black => "#161616",
        Color::Red | Color::LightRed => "#ff6b68",
        Color::Green | Color::LightGreen => "#5fd38d",
        Color::Yellow | Color::LightYellow => "#e5c07b",
        Color::Blue | Color::LightBlue => "#6cb6ff",
        Color::Magenta | Color::LightMagenta => "#d7a0ff",
        Color::Cyan | Color::LightCyan => "#56d4dd",
        Color::White => "#ffffff",
        Color::Gray => "#b0b0b0",
        Color::DarkGray => "#8a8a8a",
        _ => plain,
    }
}

/// The colours of a cell: of its sign, and of what that stands on.
fn colours(cell: &Cell) -> (&'static str, &'static str) {
    let (on, under) = (hex(cell.fg, PLAIN), hex(cell.bg, GROUND));
    if cell.modifier.contains(Modifier::REVERSED) { (under, on) } else { (on, under) }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// The screen as a picture.
fn svg(buffer: &Buffer) -> String {
    let (width, height) = (buffer.area.width * CELL.0 + 2 * MARGIN, buffer.area.height * CELL.1 + 2 * MARGIN);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" \
         font-family=\"DejaVu Sans Mono, Menlo, Consolas, monospace\" font-size=\"15\">\n\
         <rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"{GROUND}\"/>\n"
    );
    for y in 0..buffer.area.height {
        let mut x = 0;
        while x < buffer.area.width {
            let from = x;
            let alike = |cell: &Cell| (colours(cell), cell.modifier.contains(Modifier::BOLD));
            let ((on, under), bold) = alike(&buffer[(x, y)]);
            let mut text = String::new();
            while x < buffer.area.width && alike(&buffer[(x, y)]) == ((on, under), bold) {
                text.push_str(buffer[(x, y)].symbol());
                x += 1;
            }
            let (left, top, long) = (MARGIN + from * CELL.0, MARGIN + y * CELL.1, (x - from) * CELL.0);
            if under != GROUND {
                let high = CELL.1;
                writeln!(out, "<rect x=\"{left}\" y=\"{top}\" width=\"{long}\" height=\"{high}\" fill=\"{under}\"/>")
                    .unwrap();
            }
            if text.trim().is_empty() {
                continue;
            }
            let weight = if bold { " font-weight=\"bold\"" } else { "" };
            let (base, text) = (top + 14, escaped(&text));
            writeln!(
                out,
                "<text x=\"{left}\" y=\"{base}\" fill=\"{on}\"{weight} textLength=\"{long}\" xml:space=\"preserve\">{text}</text>"
            )
            .unwrap();
        }
    }
    out + "</svg>\n"
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/pictures")
}

/// What the README shows.
fn pictures() -> Vec<(&'static str, Shown<App>)> {
    let seen = |status| shown(status, (80, 24), COLOUR, Place::Attached);
    let mut healthy = turns::calm_terminals();
    healthy.terminals.retain(|till| till.is_here);
    vec![
        ("healthy", seen(healthy)),
        ("copying", seen(store::first_copy())),
        ("alarm", seen(turns::down_terminals())),
        ("question", seen(turns::down_terminals()).press("2")),
        ("serving", seen(turns::serving_terminals())),
        ("terminals", seen(turns::board()).press("6")),
        ("return", seen(turns::serving_level()).press("3")),
    ]
}

#[test]
fn the_pictures_of_the_readme_are_the_screens_of_the_program() {
    let pictures = pictures();
    let readme = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    for (name, screen) in &pictures {
        let (path, drawn) = (folder().join(format!("{name}.svg")), svg(screen.buffer()));
        if std::env::var_os("ESPEJO_DRAW").is_some() {
            fs::create_dir_all(folder()).unwrap();
            fs::write(&path, &drawn).unwrap();
        }
        let kept = fs::read_to_string(&path).unwrap_or_default();
        assert!(kept == drawn, "{} is not the screen any more: ESPEJO_DRAW=1 draws it anew", path.display());
        assert!(readme.contains(&format!("](tests/pictures/{name}.svg)")), "README.md does not show {name}");
    }
    let kept: BTreeSet<_> = folder().read_dir().unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(kept.len(), pictures.len(), "a picture that nobody draws: {kept:?}");
}
