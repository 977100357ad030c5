//! The machines of a store, each run inside its screen.

use std::fs;

use super::common::place::{output, told};
use super::common::two::{Machine, Two};
use super::terminal::Terminal;
use super::{ENTER, ESC, TAB};

fn screen(two: &Two, machine: Machine, args: &[&str]) -> Terminal {
    Terminal::run(&two.home(machine), args)
}

/// A main that runs inside its screen, and a backup that has joined it and does not run.
fn joined() -> (Two, Terminal) {
    let two = Two::new();
    fs::write(two.data.join("ORDER.QUE"), "1;coffee\n2;tea\n").unwrap();
    two.init();
    let mut main = screen(&two, Machine::Main, &[]);
    main.see("main server");
    let joined = two.join(&two.invite());
    assert!(joined.status.success(), "{}", told(&joined));
    (two, main)
}

#[test]
fn a_machine_that_was_set_up_runs_inside_its_screen() {
    let (two, mut main) = joined();
    let mut backup = screen(&two, Machine::Backup, &[]);
    backup.see("backup server").see("[OK] YES, this machine");
    main.see("[OK] YES, the backup");
    two.until_same("while both screens are open");
    // From another terminal, while the screen runs the service.
    let status = output(&mut two.espejo(Machine::Backup, &["status"]));
    assert_eq!(status.status.code(), Some(0), "{}", told(&status));
    let mut second = screen(&two, Machine::Main, &[]);
    second.see("[OK]").press(ESC);
    assert_eq!(second.end(), 0);
    let refused = output(&mut two.espejo(Machine::Main, &["run"]));
    assert_eq!(refused.status.code(), Some(3), "one service in a home: {}", told(&refused));
    fs::write(two.data.join("POS-Q.Seq"), "1045\n").unwrap();
    two.until_same("after a screen was left that only showed it");
    drop((main, backup));
}

#[test]
fn leaving_the_screen_of_a_machine_asks_and_ends_its_service() {
    let (two, mut main) = joined();
    let mut backup = screen(&two, Machine::Backup, &[]);
    backup.see("[OK]").press(ESC);
    backup.see("The mirror stops").see("espejo unit --install").see("[> Stay <]").press(ENTER);
    backup.see_no_more("The mirror stops").see("[OK]").press(ESC);
    backup.see("[> Stay <]").press(TAB);
    backup.see("[> Stop the mirror <]").press(ENTER);
    assert_eq!(backup.end(), 0);
    backup.is_given_back();
    assert!(two.status(Machine::Backup).is_none(), "the service goes on without its screen");
    main.see("MIR-301");
    fs::write(two.data.join("ORDER.QUE"), "1;coffee\n2;tea\n3;cake\n").unwrap();
    let mut again = screen(&two, Machine::Backup, &[]);
    again.see("[OK]");
    two.until_same("it goes on where it was");
    main.see("is heard again").see("Nothing to do.");
}

/// A whole day at the backup's screen: the main dies, the person waits, starts the backup, and gives everything back.
#[test]
fn the_day_on_which_the_main_dies() {
    let mut two = Two::new();
    fs::write(two.data.join("ORDER.QUE"), "1;coffee\n2;tea\n").unwrap();
    two.init();
    two.set_pos();
    two.meet();
    two.until(Machine::Backup, "the copy is whole", |status| status["mirror"]["as_of"].is_string());
    let mut backup = screen(&two, Machine::Backup, &[]);
    backup.see("[OK] YES, this machine").see("Start backup server      not now");
    two.cut_power(Machine::Main);
    backup.see("ALARM:").see("Keep every paper receipt").see("0 F10 Mute");
    backup.wait("the bell, again and again", |terminal| terminal.bells > 1).press("0");
    backup.see_no_more("Mute").press("8");
    backup.see("looks again in 2").press("2");
    backup.see("[> Cancel <]").press(ENTER);
    backup.see_no_more("[> Cancel <]").press("2");
    let sum = sum(backup.see("[> Cancel <]"));
    backup.press(&sum);
    backup.see(&format!("[{sum}")).press(ENTER);
    backup.see("[> Start ").press(ENTER);
    backup.see("SERVING").see("This machine IS the server. Nothing stands behind it.").see("Then 3 opens here.");
    two.start(Machine::Main);
    backup.see("a return is possible").see("> 3 F3").press("3");
    backup.see("[> Cancel <]").see("Nothing is lost.").press(TAB);
    backup.see("[> Return to ").press(ENTER);
    backup.see("Return to main server: done").see("[OK] YES, this machine").press(ESC);
    assert_eq!(backup.end(), 0);
    backup.is_given_back();
}

/// The sum that is asked for.
fn sum(screen: &Terminal) -> String {
    let text = screen.text();
    let words: Vec<&str> = text.split_whitespace().collect();
    let plus = words.iter().rposition(|word| *word == "+").expect("a sum is asked for");
    let number = |at: usize| words[at].parse::<u32>().unwrap();
    (number(plus - 1) + number(plus + 1)).to_string()
}

#[test]
fn who_only_watches_starts_nothing() {
    let two = Two::new();
    two.init();
    let mut watching = screen(&two, Machine::Main, &["--watch"]);
    watching.see("espejo run");
    assert_eq!(watching.end(), 4);
    assert!(!watching.took_screen && two.status(Machine::Main).is_none());
}

#[test]
fn faults_in_the_settings_are_told_on_the_terminal_as_it_was() {
    let two = Two::new();
    two.init();
    fs::write(two.home(Machine::Main).join("store.toml"), "store = \"Centro\"\nstor = 7\n").unwrap();
    let mut main = screen(&two, Machine::Main, &[]);
    assert_eq!(main.end(), 2);
    assert!(!main.took_screen && main.text().contains("store.toml:2:1"), "{}", main.text());
}
