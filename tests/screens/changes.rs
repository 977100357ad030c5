//! Changes of server: the alarm, the question before a start, the machine that serves, what runs, and what came of it.

use std::sync::Arc;

use espejo::service::refusal::{NoDrill, WhyNot};
use espejo::service::status::{CounterStatus, Next, OperationKind, OperationState};
use espejo::service::{Command, Status};
use espejo::tui::{App, Effect, Message, Place, Stage};
use jiff::SignedDuration;

use super::harness::{COLOUR, PLAIN, Shown, shown};
use super::{store, turns};

fn seen(status: Status) -> Shown<App> {
    shown(status, (80, 24), COLOUR, Place::Attached)
}

fn by() -> String {
    "ana (console)".into()
}

fn start(yes: bool, accept_loss: bool) -> [Effect<espejo::tui::Left>; 1] {
    [Effect::Send(Command::Promote {
        by: by(),
        yes,
        accept_loss,
        unlock: false,
        reason: None,
        numbers: vec![],
        as_of: None,
    })]
}

#[test]
fn every_home_screen_of_a_store_says_what_can_be_done_about_who_serves() {
    seen(turns::calm()).is("turns_calm_80x24");
    shown(turns::calm(), (40, 10), COLOUR, Place::Attached).is("turns_calm_40x10");
    seen(turns::returned()).is("turns_returned_80x24");
    assert_eq!(seen(turns::calm()).press("2 3 enter").effects, []);
}

#[test]
fn a_start_can_be_made_from_an_earlier_state_of_the_copy() {
    let mut status = turns::missed(12);
    let at = |ago| super::statuses::now() - SignedDuration::from_mins(ago);
    status.states = vec![at(1), at(5), at(60)];
    let open = || seen(status.clone()).press("2");
    open().is("confirm_as_of_last");
    open().press("pageup pageup").is("confirm_as_of");
    let first = open();
    let sum = first.text();
    let asked = sum.split("type ").nth(1).unwrap();
    let numbers: Vec<u32> = asked.split(['+', '=', ' ']).filter_map(|number| number.parse().ok()).collect();
    let digits = (numbers[0] + numbers[1]).to_string();
    let keys = digits.chars().map(String::from).collect::<Vec<_>>().join(" ");
    let pressed = first.press("pageup pageup pagedown").press(&keys).press("enter enter");
    let [Effect::Send(Command::Promote { as_of, .. })] = &pressed.effects[..] else { panic!("{:?}", pressed.effects) };
    assert_eq!(*as_of, Some(at(1)));
}

#[test]
fn a_drill_is_held_from_the_page_about_the_copy_and_its_end_is_on_the_first_screen() {
    seen(turns::drilled(None)).is("drilled_80x24");
    let failed = Some(WhyNot::Drill(NoDrill::NoSale { error: None }));
    seen(turns::drilled(failed)).is("drill_failed_80x24");
    let page = seen(turns::drilled(None)).press("5 end");
    page.is("drilled_copy_page_80x24");
    let held = [Effect::Send(Command::Drill { by: by() })];
    assert_eq!(page.press("d").effects, held);
    let watched = shown(turns::drilled(None), (80, 24), COLOUR, Place::WatchOnly);
    assert_eq!(watched.press("5 d").effects, []);
}

#[test]
fn the_server_is_missed() {
    seen(turns::missed(12)).is("alarm_80x24");
    seen(turns::down()).is("alarm_down_80x24");
    seen(turns::down_and_old()).is("alarm_old_80x24");
    seen(turns::forbidden()).is("alarm_no_80x24");
    seen(turns::stopped()).is("alarm_stopped_80x24");
    seen(turns::start_failed()).is("alarm_failed_80x24");
    shown(turns::missed(12), (40, 10), COLOUR, Place::Attached).is("alarm_40x10");
    shown(turns::missed(42), (200, 60), COLOUR, Place::Attached).is("alarm_200x60");
    shown(turns::missed(12), (80, 24), PLAIN, Place::Attached).is("alarm_ascii");
    shown(turns::missed(12), (80, 24), COLOUR, Place::WatchOnly).is("alarm_watch_only_80x24");
    seen(turns::missed(12)).press("1").is("alarm_help_80x24");
}

#[test]
fn the_alarm_can_wait_for_half_a_minute_and_is_there_again() {
    let waiting = seen(turns::missed(12)).press("8").later(7);
    waiting.is("alarm_waits_80x24");
    assert!(waiting.press("f8").text().contains("looks again in 23 s"), "pressed twice it does not wait longer");
    let again = seen(turns::missed(12)).press("8").later(31).text();
    assert!(again.contains("[!!] ALARM: SERVIDOR is silent. YES, this machine can take over now."), "{again}");
    // Heard and missed again, it does not wait for what was put off before.
    let mut screen = seen(turns::missed(12)).press("8");
    for status in [turns::calm(), turns::missed(3)] {
        let moment = screen.moment();
        screen.face.tell(moment, Message::Heard(Arc::new(status)));
    }
    assert!(screen.drawn().text().contains("ALARM"));
}

#[test]
fn a_person_is_called_until_the_alarm_is_silenced() {
    let mut status = turns::missed(12);
    (status.call.since, status.call.calls, status.call.bell) = (Some(super::statuses::now()), true, true);
    let rings = |screen: &Shown<App>| screen.face.stage().rings(screen.moment().at);
    let called = || seen(status.clone());
    called().is("alarm_called_80x24");
    shown(status.clone(), (40, 10), COLOUR, Place::Attached).is("alarm_called_40x10");
    assert!(rings(&called()) && rings(&called().press("5")) && !rings(&seen(turns::missed(12))));
    let mute = [Effect::Send(Command::Mute { by: by() })];
    for keys in ["0", "f10", "m", "5 0", "2 f10"] {
        assert_eq!(called().press(keys).effects, mute, "{keys}");
    }
    assert_eq!(called().click("0 F10").effects, mute);
    assert_eq!(seen(turns::missed(12)).press("0 f10 m").effects, [], "nobody is called");
    // Who has put it off has heard it; half a minute later it is heard again.
    let waiting = called().press("8");
    assert!(!rings(&waiting) && rings(&waiting.later(31)));
    let watching = shown(status.clone(), (80, 24), COLOUR, Place::WatchOnly);
    assert!(!rings(&watching) && watching.press("0").effects.is_empty());
}

#[test]
fn a_start_asks_once_more_and_cancel_has_the_focus() {
    seen(turns::down()).press("2").is("confirm_start");
    assert_eq!(seen(turns::down()).press("2 enter").effects, []);
    assert_eq!(seen(turns::down()).press("f2 tab enter").effects, start(false, false));
    assert_eq!(seen(turns::down()).press("2 right left enter").effects, []);
    assert_eq!(seen(turns::down()).press("2 tab esc enter").effects, []);
    assert_eq!(seen(turns::down()).click("Start backup").click("[  Start CAJA-3").effects, start(false, false));
    let asked = seen(turns::down()).press("2 tab enter");
    assert!(asked.text().contains("2 F2  Start backup server    asked for"), "{}", asked.text());
    assert_eq!(asked.press("2 tab enter").effects, start(false, false), "it is asked for once");
}

#[test]
fn where_nobody_knows_a_person_types_a_sum() {
    let asked = || seen(turns::missed(42)).press("2");
    asked().is("confirm_sum");
    let (a, b) = numbers(&asked());
    assert_eq!(asked().press("tab tab enter").effects, [], "nothing was typed");
    let wrong = asked().type_text(&(a + b + 1).to_string()).press("enter");
    wrong.is("confirm_sum_wrong");
    assert!(numbers(&wrong) != (a, b));
    let right = asked().type_text(&(a + b).to_string()).press("enter");
    right.is("confirm_sum_right");
    assert_eq!(right.press("enter").effects, start(true, false));
    assert_eq!(
        asked().type_text("9").press("backspace").type_text(&(a + b).to_string()).press("tab enter").effects,
        start(true, false)
    );
    assert_eq!(asked().type_text(&(a + b).to_string()).press("esc enter").effects, []);
    let old = seen(turns::down_and_old()).press("2");
    old.is("confirm_loss");
    let (a, b) = numbers(&old);
    assert_eq!(old.type_text(&(a + b).to_string()).press("enter enter").effects, start(true, true));
    shown(turns::down_and_old(), (40, 10), COLOUR, Place::Attached).press("2").is("confirm_loss_40x10");
    shown(turns::missed(42), (80, 24), PLAIN, Place::Attached).press("2").is("confirm_sum_ascii");
}

/// The two numbers of the sum that is asked for.
fn numbers(screen: &Shown<App>) -> (u32, u32) {
    let text = screen.text();
    let line = text.lines().find(|line| line.contains(" + ") && line.contains(" =")).expect("a sum is asked for");
    let (before, after) = line.split_once(" + ").unwrap();
    let number = |word: Option<&str>| word.unwrap().parse().unwrap();
    (number(before.split(' ').next_back()), number(after.split(' ').next()))
}

#[test]
fn a_burst_types_no_sum_and_starts_nothing() {
    let mut screen = seen(turns::missed(42)).press("2");
    for key in ["7", "5", "0", "1", "0", "3", "1", "enter"] {
        screen = screen.key(3, key);
    }
    let screen = screen.press("insert");
    assert!(screen.effects.is_empty() && screen.text().contains("[750  ]"), "{}", screen.text());
    let mut screen = seen(turns::down());
    for key in ["2", "2", "0", "1", "tab", "enter"] {
        screen = screen.key(3, key);
    }
    assert_eq!(screen.press("insert").effects, []);
}

#[test]
fn what_is_agreed_to_is_what_is_asked_now() {
    let hear = |mut screen: Shown<App>, status: Status| {
        let moment = screen.moment();
        screen.face.tell(moment, Message::Heard(Arc::new(status)));
        screen.drawn()
    };
    let closed = hear(seen(turns::down()).press("2 tab"), turns::calm());
    assert!(!closed.text().contains("Cancel"), "the main is well again: {}", closed.text());
    assert_eq!(closed.press("enter").effects, []);
    let asks_more = hear(seen(turns::down()).press("2 tab"), turns::missed(42));
    assert!(asks_more.text().contains("[> Cancel <]") && asks_more.text().contains(" + "), "{}", asks_more.text());
    assert_eq!(asks_more.press("enter").effects, []);
    let same = hear(seen(turns::down()).press("2 tab"), turns::down());
    assert_eq!(same.press("enter").effects, start(false, false));
}

#[test]
fn the_backup_is_the_server() {
    seen(turns::serving()).is("serving_80x24");
    seen(turns::serving_terminals()).is("serving_terminals_80x24");
    seen(turns::calm_terminals()).is("backup_terminals_80x24");
    seen(turns::all_back()).is("serving_all_back_80x24");
    seen(turns::down_terminals()).is("alarm_terminals_80x24");
    seen(turns::cut_off()).is("alarm_cut_off_80x24");
    seen(turns::only_this_link()).is("alarm_only_this_link_80x24");
    seen(turns::serving_copying()).is("serving_copying_80x24");
    seen(turns::serving_level()).is("serving_level_80x24");
    seen(turns::serving_numbers()).is("serving_numbers_80x24");
    seen(turns::serving_alone()).is("serving_alone_80x24");
    seen(turns::serving_pos_down()).is("serving_pos_down_80x24");
    seen(turns::serving_over()).is("serving_over_80x24");
    shown(turns::serving(), (80, 24), PLAIN, Place::Embedded).is("serving_ascii");
    shown(turns::serving(), (40, 10), COLOUR, Place::Attached).is("serving_40x10");
    shown(turns::serving_level(), (200, 60), COLOUR, Place::Attached).is("serving_level_200x60");
}

#[test]
fn the_terminals_have_a_page_of_their_own() {
    let board = seen(turns::board()).press("6");
    board.is("terminals_board_80x24");
    board.press("end").is("terminals_board_end_80x24");
    seen(turns::all_back()).press("f6").is("terminals_all_back_80x24");
    seen(turns::calm_terminals()).press("6").is("terminals_calm_80x24");
    shown(turns::board(), (40, 10), COLOUR, Place::Attached).press("6").is("terminals_40x10");
    shown(turns::board(), (132, 30), PLAIN, Place::WatchOnly).press("6").is("terminals_ascii_132x30");
    seen(turns::calm()).press("6").is("terminals_none_80x24");
    assert!(!seen(turns::calm()).text().contains("6 F6"), "where there are none the key is not offered");
    assert_eq!(seen(turns::board()).click("6 F6").text(), seen(turns::board()).press("6").text());
    assert_eq!(seen(turns::board()).press("6 1 esc esc").text(), seen(turns::board()).text());
}

#[test]
fn the_main_while_the_backup_is_the_server_and_in_the_morning() {
    seen(turns::follows(false)).is("follows_copying_80x24");
    seen(turns::follows(true)).is("follows_80x24");
    seen(turns::morning()).is("morning_80x24");
    shown(turns::morning(), (40, 10), COLOUR, Place::Attached).is("morning_40x10");
    let asked = seen(turns::morning()).press("2");
    asked.is("confirm_morning");
    let (a, b) = numbers(&asked);
    let sent = asked.type_text(&(a + b).to_string()).press("enter enter").effects;
    assert_eq!(sent, [Effect::Send(Command::Start { by: by() })]);
}

#[test]
fn a_return_asks_once_more_on_both_machines() {
    let back = [Effect::Send(Command::Return { by: by(), reason: None })];
    seen(turns::serving_level()).press("3").is("confirm_return");
    shown(turns::serving_level(), (40, 10), COLOUR, Place::Attached).press("3").is("confirm_return_40x10");
    assert_eq!(seen(turns::serving_level()).press("3 enter").effects, []);
    assert_eq!(seen(turns::serving_level()).press("f3 tab enter").effects, back);
    assert_eq!(seen(turns::follows(true)).press("3 tab enter").effects, back);
    assert_eq!(shown(turns::follows(true), (80, 24), COLOUR, Place::Embedded).press("3 tab enter").effects, back);
    // It is possible before the main is level: everything is copied first.
    assert_eq!(seen(turns::serving_copying()).press("3 tab enter").effects, back);
    for not_now in [turns::serving(), turns::missed(12), turns::returning()] {
        assert_eq!(seen(not_now).press("3 tab enter").click("Return to main").effects, []);
    }
    assert_eq!(shown(turns::serving_level(), (80, 24), COLOUR, Place::WatchOnly).press("3 tab enter").effects, []);
}

#[test]
fn since_when_the_backup_serves_is_said_however_it_came_to_it() {
    for kind in [OperationKind::Promote, OperationKind::Switch] {
        let mut status = turns::serving_level();
        status.history.iter_mut().for_each(|one| one.kind = kind);
        let text = seen(status).drawn().text();
        assert!(text.contains("The server since Fri 13 Nov 10:42"), "{kind:?}: {text}");
    }
}

#[test]
fn a_change_to_the_backup_is_offered_while_all_is_well_and_asks_once_more() {
    let change = [Effect::Send(Command::Switch { by: by(), reason: None })];
    seen(turns::calm()).press("4").is("confirm_switch");
    assert_eq!(seen(turns::calm()).press("4 enter").effects, []);
    assert_eq!(seen(turns::calm()).press("f4 tab enter").effects, change);
    for not_now in [turns::missed(12), turns::serving_level(), turns::returning(), turns::follows(true)] {
        assert_eq!(seen(not_now).press("4 tab enter").effects, []);
    }
    assert_eq!(shown(turns::calm(), (80, 24), COLOUR, Place::WatchOnly).press("4 tab enter").effects, []);
}

#[test]
fn what_runs_shows_its_steps_on_both_machines() {
    seen(turns::returning()).is("returning_80x24");
    seen(turns::returning_in(3)).is("returning_copy_back_80x24");
    seen(turns::returning_in(6)).is("returning_compare_80x24");
    seen(turns::returning_in(7)).is("returning_hand_over_80x24");
    seen(turns::returning_at_main()).is("returning_at_main_80x24");
    seen(turns::starting()).is("starting_80x24");
    shown(turns::returning(), (40, 10), COLOUR, Place::Attached).is("returning_40x10");
    shown(turns::returning(), (200, 60), COLOUR, Place::Attached).is("returning_200x60");
    shown(turns::returning(), (80, 24), PLAIN, Place::WatchOnly).is("returning_ascii");
}

#[test]
fn a_return_can_be_cancelled_up_to_its_last_step() {
    let cancel = [Effect::Send(Command::Cancel { by: by() })];
    seen(turns::returning()).press("9").is("confirm_cancel");
    assert_eq!(seen(turns::returning()).press("9 enter").effects, []);
    assert_eq!(seen(turns::returning()).press("f9 tab enter").effects, cancel);
    assert_eq!(seen(turns::returning_at_main()).press("9 tab enter").effects, cancel);
    assert_eq!(seen(turns::returning_in(7)).press("9 tab enter").effects, []);
    assert_eq!(seen(turns::starting()).press("9 tab enter").effects, []);
}

/// The news of an hour ago is no news.
#[test]
fn what_came_of_it_is_said_for_an_hour() {
    let later = |minutes: i64| seen(turns::returned()).later(minutes * 60).text();
    assert!(later(40).contains("Return to main server: done"));
    assert!(!later(50).contains("Return to main server: done"));
    // Of what was refused nothing came.
    let mut refused = turns::start_failed();
    let start = refused.operation.as_mut().unwrap();
    (start.state, start.ended_at) = (OperationState::Refused, Some(refused.at));
    assert!(seen(refused.clone()).text().contains("refused today"), "{}", seen(refused.clone()).text());
    assert!(!seen(refused).later(61).text().contains("refused today"));
}

#[test]
fn the_answer_and_the_keys_are_there_at_every_size() {
    let cases: [(Status, &[&str]); 7] = [
        (turns::missed(12), &["ALARM: SERVIDOR is silent", "8 F8", "2 F2", "3 F3"]),
        (turns::forbidden(), &["ALARM: SERVIDOR is silent", "8 F8", "2 F2", "3 F3"]),
        (turns::serving_over(), &["This machine IS the server", "2 F2", "3 F3"]),
        (turns::serving_level(), &["This machine IS the server", "2 F2", "3 F3"]),
        (turns::returning(), &["RETURNING, step 5 of 7", "9 F9", "2 F2", "3 F3"]),
        (turns::morning(), &["NO server runs", "2 F2", "3 F3"]),
        (turns::calm(), &["YES, this machine could take over", "2 F2", "4 F4"]),
    ];
    for (status, wanted) in cases {
        for size in [(40, 10), (60, 15), (80, 24), (80, 20), (129, 30), (130, 30), (200, 60)] {
            for look in [COLOUR, PLAIN] {
                let text = shown(status.clone(), size, look, Place::Attached).text();
                for one in wanted.iter().chain(&["55 1234 5678"]) {
                    assert!(text.contains(one), "{one} at {size:?}\n{text}");
                }
            }
        }
        for size in [(0, 0), (1, 1), (13, 7), (5, 40), (300, 2)] {
            shown(status.clone(), size, COLOUR, Place::Attached).press("2 3 8 9 1 esc");
        }
    }
}

#[test]
fn only_the_clock_moves_while_the_backup_is_the_server() {
    let scene = |after_ms| {
        let at = super::statuses::now() + SignedDuration::from_millis(after_ms);
        let screen = seen(turns::serving());
        screen.face.stage().scene(&screen.options, &at.to_zoned(jiff::tz::TimeZone::fixed(jiff::tz::offset(-6))))
    };
    // The days that are left begin with a whole hour: from the first millisecond on it is the one before.
    assert!(scene(1) == scene(999));
    let mut later = scene(1001);
    later.frame.clock = scene(1).frame.clock;
    assert!(later == scene(1));
}

/// A machine that turns this one away may well sell as ever: the steps of the alarm would be the wrong ones.
#[test]
fn a_main_that_turns_this_machine_away_is_no_alarm_of_a_dead_one() {
    let mut status = store::forgotten();
    status.plans = turns::missed(42).plans;
    let text = seen(status).text();
    assert!(text.contains("is not copied") && text.contains("2 F2") && !text.contains("Keep every paper"), "{text}");
}

#[test]
fn a_start_says_where_numbers_go_on_and_what_is_proposed_is_confirmed_with_it() {
    let mut status = turns::down();
    let number = |name: &str, next, asks| CounterStatus {
        name: name.to_owned(),
        last: Some(1042),
        error: None,
        read_at: None,
        next: Some(next),
        asks,
    };
    let plan = status.plans.iter_mut().find(|plan| plan.kind == OperationKind::Promote).unwrap();
    plan.numbers =
        vec![number("receipt", Next::Behind(1092), true), number("folio", Next::Series("B".to_owned()), false)];
    seen(status.clone()).is("alarm_numbers_80x24");
    seen(status.clone()).press("2").is("confirm_numbers");
    let effects = seen(status).press("2 tab enter").effects;
    let [Effect::Send(Command::Promote { numbers, .. })] = &effects[..] else { panic!("{effects:?}") };
    assert_eq!(numbers[..], [("receipt".to_owned(), 1092)]);
}
