//! Keys in, whole screen out, with every style that is not plain; the status is made up, the clock is an argument.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, unreachable_pub)]

#[path = "screens/cases.rs"]
mod cases;
#[path = "screens/changes.rs"]
mod changes;
#[path = "screens/harness.rs"]
mod harness;
#[path = "screens/pictures.rs"]
mod pictures;
#[path = "screens/statuses.rs"]
mod statuses;
#[path = "screens/store.rs"]
mod store;
#[path = "screens/turns.rs"]
mod turns;

use std::sync::Arc;

use crossterm::event::Event as Input;
use espejo::service::Command;
use espejo::service::status::Unmet;
use espejo::tui::{App, Chosen, Effect, FaultKind, First, Keymap, Left, Message, Place, Stage};
use espejo::words::Words;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use harness::{COLOUR, PLAIN, Shown, on, options, shown};
use statuses::{
    comparing, copying, disk_full, emptied, first_copy, healthy, history, now, odd_names, removals, source_gone,
    unreadable,
};

#[test]
fn home_at_every_size() {
    shown(healthy(), (80, 24), COLOUR, Place::Embedded).is("healthy_80x24");
    shown(healthy(), (200, 60), COLOUR, Place::Embedded).is("healthy_200x60");
    shown(healthy(), (40, 10), COLOUR, Place::Embedded).is("healthy_40x10");
    shown(healthy(), (80, 24), PLAIN, Place::Embedded).is("healthy_no_colour_ascii");
}

#[test]
fn the_copy_goes_on() {
    shown(first_copy(), (80, 24), COLOUR, Place::Embedded).is("first_copy_80x24");
    shown(copying(), (80, 24), COLOUR, Place::Embedded).is("copying_80x24");
    shown(copying(), (40, 10), COLOUR, Place::Embedded).is("copying_40x10");
    shown(copying(), (80, 24), PLAIN, Place::Embedded).is("copying_ascii");
    shown(comparing(), (80, 24), COLOUR, Place::Embedded).is("comparing_80x24");
}

#[test]
fn something_is_wrong() {
    shown(disk_full(), (80, 24), COLOUR, Place::Embedded).is("disk_full_80x24");
    shown(disk_full(), (40, 10), COLOUR, Place::Embedded).is("disk_full_40x10");
    shown(disk_full(), (200, 60), COLOUR, Place::Embedded).is("disk_full_200x60");
    shown(source_gone(), (80, 24), COLOUR, Place::Embedded).is("source_gone_80x24");
    shown(unreadable(), (80, 24), COLOUR, Place::Embedded).is("unreadable_80x24");
    shown(odd_names(), (80, 24), COLOUR, Place::Embedded).is("odd_names_80x24");
}

#[test]
fn the_backup_of_a_store() {
    let seen = |status, size, look| shown(status, size, look, Place::Attached);
    seen(store::backup(), (80, 24), COLOUR).is("backup_80x24");
    seen(store::backup(), (200, 60), COLOUR).is("backup_200x60");
    seen(store::backup(), (40, 10), COLOUR).is("backup_40x10");
    seen(store::backup(), (80, 24), PLAIN).is("backup_ascii");
    seen(store::first_copy(), (80, 24), COLOUR).is("backup_first_copy_80x24");
    seen(store::first_copy(), (80, 24), PLAIN).is("backup_first_copy_ascii");
    seen(store::hints(), (80, 24), COLOUR).is("backup_hints_80x24");
    seen(store::old(), (80, 24), COLOUR).is("backup_old_80x24");
    seen(store::backup(), (80, 24), COLOUR).press("5").is("backup_copy_page_80x24");
    shown(store::backup(), (80, 24), COLOUR, Place::Embedded).press("esc").is("backup_quit_dialog");
}

#[test]
fn the_backup_whose_main_is_silent_or_was_never_met() {
    let seen = |status, size, look| shown(status, size, look, Place::Attached);
    let far = || "192.168.1.10:7410".to_owned();
    seen(store::lost(), (80, 24), COLOUR).is("backup_lost_80x24");
    seen(store::lost(), (40, 10), COLOUR).is("backup_lost_40x10");
    seen(store::lost(), (200, 60), COLOUR).is("backup_lost_200x60");
    seen(store::lost(), (80, 24), PLAIN).is("backup_lost_ascii");
    seen(store::forgotten(), (80, 24), COLOUR).is("backup_forgotten_80x24");
    seen(store::lost_and_old(), (80, 24), COLOUR).is("backup_lost_and_old_80x24");
    let unmet = |why| seen(store::unmet(why), (80, 24), COLOUR);
    unmet(Unmet::NoService { address: far() }).is("backup_unmet_80x24");
    unmet(Unmet::OtherMachine { address: far() }).is("backup_stranger_80x24");
    unmet(Unmet::TurnedAway { address: far() }).is("backup_turned_away_80x24");
}

#[test]
fn the_days_of_the_licence() {
    let seen = |status, size, look| shown(status, size, look, Place::Attached);
    seen(store::days_run(208, 0), (80, 24), COLOUR).is("days_run_80x24");
    seen(store::days_run(208, 0), (80, 24), PLAIN).is("days_run_ascii");
    seen(store::days_run(208, 0), (40, 10), COLOUR).is("days_run_40x10");
    seen(store::days_run(0, 754), (80, 24), COLOUR).is("days_run_out_80x24");
    seen(store::days_over(), (80, 24), COLOUR).is("days_over_80x24");
    seen(store::no_licence(), (80, 24), COLOUR).is("no_licence_80x24");
    let counts = |hours, seconds| seen(store::days_run(hours, seconds), (80, 24), COLOUR).text();
    let lines = [(208, 0, "8 days 16 h left"), (23, 5, "23 h 0 min left"), (0, 754, "12 min 34 s"), (0, 7, "7 s left")];
    for (hours, seconds, line) in lines {
        assert!(counts(hours, seconds).contains(line), "{line}");
    }
}

#[test]
fn the_main_of_a_store() {
    let seen = |status, look| shown(status, (80, 24), look, Place::Attached);
    seen(store::main(), COLOUR).is("main_80x24");
    seen(store::with_pos(store::main()), COLOUR).is("main_pos_80x24");
    seen(store::main_pos_down(), COLOUR).is("main_pos_down_80x24");
    seen(store::backup_pos_down(), COLOUR).is("backup_pos_down_80x24");
    seen(store::main_alone(), COLOUR).is("main_alone_80x24");
    seen(store::main_alone(), PLAIN).is("main_alone_ascii");
    seen(store::main_new(), COLOUR).is("main_new_80x24");
}

/// Whom to ask is at the foot of every screen, whatever gives way.
#[test]
fn the_support_desk_is_always_there() {
    for size in [(40, 10), (60, 15), (80, 24), (130, 30), (200, 60)] {
        for status in [store::lost(), store::main_alone(), store::main_new()] {
            for keys in ["", "5", "1", "5 end"] {
                let screen = shown(status.clone(), size, COLOUR, Place::Attached).press(keys);
                assert!(screen.text().contains("55 1234 5678"), "{size:?} {keys}\n{}", screen.text());
            }
        }
    }
}

#[test]
fn a_service_that_was_not_heard_yet() {
    let screen = on(App::new(Place::Attached, "ana".into()), (80, 24), options(Place::Attached, COLOUR));
    screen.is("waiting_80x24");
    assert_eq!(screen.press("9 5 pageup end 8 esc esc").effects, [Effect::End(Left::Out)]);
}

#[test]
fn a_question_is_answered_with_keeping_in_focus() {
    let asked = || shown(removals(), (80, 24), COLOUR, Place::Embedded);
    asked().is("removals_80x24");
    asked().press("8").is("removals_dialog");
    shown(removals(), (80, 24), PLAIN, Place::Embedded).press("8 tab").is("removals_dialog_no_colour");
    shown(removals(), (40, 10), COLOUR, Place::Embedded).press("8").is("removals_dialog_40x10");
    shown(emptied(), (80, 24), COLOUR, Place::Embedded).press("f8").is("emptied_dialog");
    let answer = |accept| Effect::Send(Command::Answer { question: 3, accept, by: "ana (console)".into() });
    assert_eq!(asked().press("8 enter").effects, [answer(false)]);
    assert_eq!(asked().press("8 tab enter").effects, [answer(true)]);
    assert_eq!(asked().press("f8 right left enter").effects, [answer(false)]);
    assert_eq!(asked().press("8 esc enter").effects, []);
    assert_eq!(asked().click("Answer the").click("Take it over").effects, [answer(true)]);
    assert_eq!(asked().press("8").click("Esc Back").text(), asked().text());
}

#[test]
fn a_question_that_is_over_closes_its_dialog() {
    let mut screen = shown(removals(), (80, 24), COLOUR, Place::Embedded).press("8");
    let moment = screen.moment();
    screen.face.tell(moment, Message::Heard(Arc::new(healthy())));
    assert!(!screen.drawn().text().contains("Take it over"));
}

#[test]
fn leaving_asks_only_where_the_mirror_would_stop() {
    let inside = || shown(healthy(), (80, 24), COLOUR, Place::Embedded);
    inside().press("esc").is("quit_dialog");
    assert_eq!(inside().press("esc enter esc esc").effects, []);
    assert_eq!(inside().press("esc tab enter").effects, [Effect::End(Left::Quit)]);
    for place in [Place::Attached, Place::WatchOnly] {
        assert_eq!(
            shown(healthy(), (80, 24), COLOUR, place).press("5 1 esc esc esc").effects,
            [Effect::End(Left::Out)]
        );
    }
}

#[test]
fn comparing_is_asked_for_once() {
    let verify = [Effect::Send(Command::Verify { by: "ana (console)".into() })];
    assert_eq!(shown(healthy(), (80, 24), COLOUR, Place::Attached).press("9 f9 9").effects, verify);
    assert_eq!(shown(healthy(), (80, 24), COLOUR, Place::Attached).press("5").click("Compare").effects, verify);
    for not_now in [first_copy(), comparing(), disk_full()] {
        assert_eq!(shown(not_now, (80, 24), COLOUR, Place::Attached).press("9").click("Compare").effects, []);
    }
}

#[test]
fn who_only_watches_does_nothing() {
    let watching = || shown(removals(), (80, 24), COLOUR, Place::WatchOnly);
    watching().is("watch_only_80x24");
    assert_eq!(watching().press("9 8 tab enter 5 9 8 enter").effects, []);
}

#[test]
fn help_and_the_page_about_the_copy() {
    let screen = || shown(healthy(), (80, 24), COLOUR, Place::Embedded);
    screen().press("f1").is("help_80x24");
    screen().press("1 end").is("help_scrolled");
    screen().press("5").is("copy_page_80x24");
    shown(unreadable(), (200, 60), COLOUR, Place::Embedded).press("5").is("copy_page_unreadable_200x60");
    // Scrolling ends at the ends, and a click on a hint is its key.
    assert_eq!(screen().press("5 end down pagedown").text(), screen().press("5 end").text());
    assert_eq!(screen().press("5 end home").text(), screen().click("5 F5").text());
    assert_eq!(screen().press("5 end up down pageup home up").text(), screen().press("5").text());
    assert_eq!(screen().press("5 1 esc esc").text(), screen().text());
}

#[test]
fn what_was_done_is_on_a_page_of_its_own() {
    let screen = |size| shown(history(), size, COLOUR, Place::Attached);
    screen((80, 24)).press("7").is("history_80x24");
    screen((80, 24)).press("f7 end").is("history_end_80x24");
    screen((40, 10)).press("7").is("history_40x10");
    shown(healthy(), (80, 24), COLOUR, Place::Attached).press("7").is("history_empty_80x24");
    shown(healthy(), (40, 10), COLOUR, Place::Attached).press("7").is("history_empty_40x10");
    assert_eq!(screen((80, 24)).press("7 end down pagedown home").text(), screen((80, 24)).click("7 F7").text());
    assert_eq!(screen((80, 24)).press("7 1 esc esc").text(), screen((80, 24)).text());
    assert_eq!(screen((80, 24)).press("7 9 8 5 enter").text(), screen((80, 24)).press("7").text());
}

#[test]
fn the_first_page_names_two_folders() {
    let first = || on(First::default(), (80, 24), options(Place::Embedded, COLOUR));
    first().is("first_page");
    let form = first().press("2").type_text("/srv/pos").press("enter").type_text("/mnt/it's 1");
    form.is("form");
    let chosen = Chosen { source: "/srv/pos".into(), dest: "/mnt/it's 1".into() };
    assert_eq!(form.press("enter enter").effects, [Effect::End(Some(chosen))]);
    let nothing = first().press("2 tab tab enter");
    assert!(nothing.effects.is_empty() && nothing.text().contains("Name both folders."));
    let same = first().press("f2").take(100, &Input::Paste("/srv\n".into())).press("tab").type_text("/srv");
    let same = same.press("enter enter");
    assert!(same.effects.is_empty() && same.text().contains("cannot be the source itself"));
    assert_eq!(first().press("2 f1 esc esc esc").effects, [Effect::End(None)]);
}

/// A scanner in front of the till: its digits and Enter come within a few milliseconds.
#[test]
fn a_burst_is_no_decision() {
    let burst = |mut screen: Shown<App>, keys: &[&str]| {
        screen = screen.key(500, keys[0]);
        for key in &keys[1..] {
            screen = screen.key(3, key);
        }
        screen.press("insert")
    };
    let home = || shown(removals(), (80, 24), COLOUR, Place::Embedded);
    assert_eq!(burst(home(), &["8", "5", "9", "1", "enter"]).text(), home().text());
    assert_eq!(burst(home(), &["4", "0", "8", "enter"]).text(), home().text());
    let dialog = || home().press("8 tab");
    assert_eq!(burst(dialog(), &["7", "5", "0", "1", "0", "3", "enter"]).effects, []);
    assert_eq!(burst(dialog(), &["a", "b", "1", "enter"]).effects, []);
    // In a field a digit is text, however fast it comes; the Enter behind it still decides nothing.
    let mut form = on(First::default(), (80, 24), options(Place::Embedded, COLOUR)).press("2");
    for key in ["/", "2", "0", "2", "6", "enter"] {
        form = form.key(3, key);
    }
    let form = form.press("insert");
    assert!(form.text().contains("[/2026 ") && form.text().contains(">Source"), "{}", form.text());
    // A hand is slower, and an impatient one presses two at once.
    assert_eq!(burst(dialog(), &["enter"]).effects.len(), 1);
    assert_eq!(burst(home(), &["8", "enter"]).effects.len(), 1);
}

#[test]
fn every_fault_of_a_keymap_at_once() {
    let text = "[everywhere]\n\"f99\" = \"help\"\n\"esc\" = \"fly\"\n[till]\n\"1\" = \"help\"\n[mirror]\n  \"2\" = \"page-down\"\n\"3\" = 3\n\n[confirm\n";
    let faults = Keymap::parse(text, "mine.toml").unwrap_err();
    let words = Words::load(Some("en"));
    let told: Vec<_> = faults.iter().map(|fault| fault.tell(&words)).collect();
    let begins = [
        "mine.toml:2:1: ",
        "mine.toml:3:9: ",
        "mine.toml:4:2: ",
        "mine.toml:7:9: ",
        "mine.toml:8:7: ",
        "mine.toml:10:",
    ];
    assert_eq!(told.len(), begins.len(), "{told:#?}");
    for (line, begin) in told.iter().zip(begins) {
        assert!(line.starts_with(begin) && !line.contains(['{', '}']), "{line}");
    }
    assert!(matches!(&faults[2].kind, FaultKind::UnknownPlace(place) if place == "till"));
    let twice = Keymap::parse("[mirror]\n\"5\" = \"page-copy\"\n\"5\" = \"compare\"\n", "mine.toml").unwrap_err();
    assert_eq!((twice.len(), twice[0].line), (1, 3), "{twice:?}");
    let trap = Keymap::parse("[everywhere]\n\"f1\" = \"help\"\n", "mine.toml").unwrap_err();
    assert!(trap.iter().any(|fault| fault.kind == FaultKind::NoWayOut), "{trap:?}");
}

/// Whatever the size, nothing ends, and the answer is there.
#[test]
fn no_size_is_too_small() {
    for (width, height) in [(0, 0), (1, 1), (2, 3), (5, 40), (13, 7), (300, 2), (20, 5), (39, 11), (500, 100)] {
        for status in [healthy(), odd_names(), unreadable(), removals(), first_copy(), history()] {
            for keys in ["", "8", "1", "5 end", "6 end", "7 end", "esc"] {
                shown(status.clone(), (width, height), COLOUR, Place::Embedded).press(keys);
            }
        }
        on(First::default(), (width, height), options(Place::Embedded, PLAIN)).press("2 tab");
    }
    for (width, height) in [(40, 10), (60, 15), (80, 24), (129, 30), (130, 30), (200, 60)] {
        let screen = shown(odd_names(), (width, height), COLOUR, Place::Embedded);
        assert!(screen.text().contains("[OK] YES"), "{width}x{height}\n{}", screen.text());
        assert!(!screen.text().contains('\u{1b}'));
    }
}

/// What has not changed is not drawn again; what has is little.
#[test]
fn only_the_clock_moves_while_nothing_happens() {
    let zone = TimeZone::fixed(jiff::tz::offset(-6));
    let screen = shown(healthy(), (80, 24), COLOUR, Place::Embedded);
    let scene = |at: Timestamp| screen.face.stage().scene(&screen.options, &at.to_zoned(zone.clone()));
    let half = now() + SignedDuration::from_millis(500);
    assert!(scene(now()) == scene(half));
    let mut later = scene(now() + SignedDuration::from_secs(1));
    later.frame.clock = scene(now()).frame.clock;
    assert!(later == scene(now()));
}
