//! Where everything stands: one file a screen, one function each. Gets values in words, gives cells; knows no status.
//!
//! - [`home`]: what all home screens have: a column of events, and the actions at the end
//! - [`mirror`]: the home screen of a mirror
//! - [`alarm`]: while the server is missed
//! - [`serving`]: while the backup is the server
//! - [`turning`]: while a change of server runs
//! - [`copy`]: the page about the copy
//! - [`history`]: the page of the operations
//! - [`terminals`]: the page of the POS terminals
//! - [`help`]: the help
//! - [`licence`]: the lines of the backup licence
//! - [`strip`]: what lies below the screen of a practice shop
//! - [`welcome`]: the first page and its form
//! - [`parts`]: the lines that more than one of them has

pub mod alarm;
pub mod copy;
pub mod help;
pub mod history;
pub mod home;
pub mod licence;
pub mod mirror;
pub mod parts;
pub mod serving;
pub mod strip;
pub mod terminals;
pub mod turning;
pub mod welcome;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::theme::Look;
use super::view::{Page, Scene};
use super::widgets::{Canvas, Drawn};

/// Draws everything.
pub fn draw(scene: &Scene, look: Look, area: Rect, buf: &mut Buffer) -> Drawn {
    let mut on = Canvas { look, buf, drawn: Drawn::default() };
    let area = scene.strip.as_ref().map_or(area, |view| strip::draw(view, area, &mut on));
    let inside = scene.frame.draw(area, &mut on);
    match &scene.page {
        Page::Mirror(view) => mirror::draw(view, inside, &mut on),
        Page::Alarm(view) => alarm::draw(view, inside, &mut on),
        Page::Serving(view) => serving::draw(view, inside, &mut on),
        Page::Turning(view) => turning::draw(view, inside, &mut on),
        Page::Copy(view) => copy::draw(view, inside, &mut on),
        Page::History(view) => history::draw(view, inside, &mut on),
        Page::Terminals(view) => terminals::draw(view, inside, &mut on),
        Page::Help(view) => help::draw(view, inside, &mut on),
        Page::Welcome(view) => welcome::draw(view, inside, &mut on),
        Page::Form(view) => welcome::draw_form(view, inside, &mut on),
    }
    if let Some(dialog) = &scene.dialog {
        dialog.draw(inside, &mut on);
    }
    on.drawn
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::service::Status;
    use crate::tui::{App, Glyphs, Intent, Keymap, Message, Options, Palette, Place, Stage};
    use crate::words::Words;

    /// English with every sentence 40 % longer, as German or Finnish is.
    fn longer() -> Words {
        let english = include_str!("../../words/en.ftl");
        let longer = |line: &str| match line.split_once(" = ") {
            Some((_, said)) if !line.starts_with("size-") && !line.starts_with("figure-") && !said.contains("->") => {
                let more = "lorem ipsum dolor sit amet ".chars().cycle().take(said.chars().count() * 2 / 5);
                format!("{line}{}", more.collect::<String>().trim_end())
            }
            _ => line.to_owned(),
        };
        Words::of("en", english.lines().map(longer).collect::<Vec<_>>().join("\n"))
    }

    fn status() -> Status {
        serde_json::from_str(
            r#"{ "store": "pos", "node": "backup", "version": "0.1.0", "at": "2026-11-14T16:42:07Z", "duty": "mirroring",
            "epoch": 1, "holder": "main", "server": "stopped", "verdict": "unknown", "terminals": [], "operation": null,
            "peer": { "state": "healthy", "heard_ago_ms": 1, "round_trip_ms": 1, "duty": null, "server": null },
            "mirror": { "position": { "seq": 9041, "checksum":
                "abababababababababababababababababababababababababababababababab" },
                "behind_ms": 400, "behind_bytes": 512, "behind_at_least": false, "grade": "steady",
                "copying": { "number": 5, "file": "POS-Q.Seq", "done_bytes": 6, "total_bytes": 10, "files": 7 },
                "last_change_ago_ms": 80, "verified_at": null, "as_of": "2026-11-14T16:42:06Z", "phase": "following", "caught_up": true },
            "datasets": [{ "name": "pos", "kinds": ["files"], "grade": "incomplete", "files": 7, "bytes": 1000,
                "changed_at": "2026-11-14T16:42:06Z", "unreadable": ["POS-R"], "special": [], "unsteady_since": null }],
            "can_take_over": { "yes": true, "since": "2026-11-14T16:42:06Z", "reasons": [] }, "maintenance": false,
            "licence": { "state": "missing", "remaining_ms": 0, "ends_at": null },
            "alarms": [{ "code": "MIR-203", "trouble": "unreadable", "files": 1, "first": "POS-R",
                "since": "2026-11-14T16:00:00Z" }],
            "questions": [{ "id": 1, "ask": "removals", "gone": 7, "of": 9, "since": "2026-11-14T16:00:00Z" }],
            "folders": { "source": "/srv/pos", "dest": "/var/mirror" }, "events": [] }"#,
        )
        .unwrap()
    }

    /// A backup that misses its main, and would have to be asked two things before a start.
    fn missed() -> Status {
        let mut status = status();
        status.questions.clear();
        status.folders = None;
        status.machines = serde_json::from_str(r#"{ "main": "SERVIDOR", "backup": "CAJA-3" }"#).unwrap();
        status.peer.state = crate::service::status::PeerState::Lost;
        status.peer.heard_ago_ms = Some(12_000);
        status.plans = serde_json::from_str(
            r#"[{ "kind": "promote", "licence_ends_at": "2026-11-24T16:42:07Z", "steps": ["take-epoch"],
            "loss": { "as_of": "2026-11-14T16:42:06Z", "behind_ms": 12000, "behind_at_least": true, "behind_bytes": 9 },
            "checks": [{ "check": "verdict", "why": { "is": "nobody-knows" } }, { "check": "copy", "why": null },
                { "check": "copy-age", "why": { "is": "copy-old", "age_ms": 725000, "limit_ms": 600000 } }] }]"#,
        )
        .unwrap();
        status
    }

    #[test]
    fn longer_words_leave_the_answer_the_keys_and_the_code() {
        let look = Look { palette: Palette::Sixteen, glyphs: Glyphs::Ascii };
        let keymap = Keymap::standard().unwrap();
        let options = Options {
            words: longer(),
            keymap,
            place: Place::Embedded,
            look,
            home: "/var/lib/espejo".into(),
            by: String::new(),
        };
        let now: jiff::Timestamp = "2026-11-14T16:42:07Z".parse().unwrap();
        let zoned = now.to_zoned(jiff::tz::TimeZone::UTC);
        let seen = |app: &App, width| {
            let area = Rect::new(0, 0, width, 24);
            let mut buf = Buffer::empty(area);
            draw(&app.scene(&options, &zoned), look, area, &mut buf);
            buf.content.iter().map(ratatui::buffer::Cell::symbol).collect::<String>()
        };
        let mut app = App::new(Place::Embedded, "ana".into());
        app.update(now, Message::Heard(Arc::new(status())));
        for width in [80, 100, 132] {
            let home = seen(&app, width);
            for wanted in ["YES, this copy could take over now.", "MIR-203", "8 F8", "9 F9", "1", "Esc", "05 POS-Q"] {
                assert!(
                    home.contains(wanted),
                    "{wanted} at {width}:\n{}",
                    home.chars()
                        .collect::<Vec<_>>()
                        .chunks(width.into())
                        .map(|row| row.iter().collect::<String>() + "\n")
                        .collect::<String>()
                );
            }
        }
        app.update(now, Message::Want(Intent::Answer));
        let dialog = seen(&app, 80);
        assert!(dialog.contains("[> Keep the mirror as it is") && dialog.contains("[  Take it over"));
        let mut app = App::new(Place::Attached, "ana".into());
        app.update(now, Message::Heard(Arc::new(missed())));
        for width in [80, 100, 132] {
            let alarm = seen(&app, width);
            for wanted in
                ["ALARM: SERVIDOR is silent.", "This machine can take over", "8 F8", "2 F2", "3 F3", "a. Leave"]
            {
                assert!(alarm.contains(wanted), "{wanted} at {width}");
            }
        }
        app.update(now, Message::Want(Intent::StartServer));
        let dialog = seen(&app, 80);
        for wanted in ["[> Cancel", "[  Start CAJA-3", "Start CAJA-3 as the server?", " =", "[     ]"] {
            assert!(dialog.contains(wanted), "{wanted} in {dialog}");
        }
    }
}
