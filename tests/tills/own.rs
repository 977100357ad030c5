//! What belongs to the two machines themselves: the backup as a till, the ports of who does not serve, who is alone, the printers.

use std::process::{Child, Stdio};

use crate::common::place::{output, told};
use crate::common::two::Machine;
use crate::common::until;
use crate::floor::{Floor, done, until_file};

/// Listens at a port of the machine called `who`, and takes whatever comes.
fn listen(floor: &Floor, who: &str, address: &str, port: u16) -> Child {
    let program = format!(
        "import socket\ns = socket.socket()\ns.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)\ns.bind(('{address}', {port}))\n\
        s.listen()\nprint('listens', flush=True)\nwhile True: s.accept()"
    );
    floor.at(who, "python3").args(["-c", &program]).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap()
}

/// Whether a connection from the machine called `who` opens.
fn opens(floor: &Floor, who: &str, address: &str, port: u16) -> bool {
    let program = format!("import socket; socket.create_connection(('{address}', {port}), 3)");
    floor.at(who, "python3").args(["-c", &program]).stderr(Stdio::null()).status().unwrap().success()
}

#[test]
fn a_backup_that_is_a_till_sells_through_its_own_ports_and_keeps_them_shut_for_others() {
    let set = |set: String| set.replace("ports = [9000]", "ports = [9000]\ndeactivate = true");
    let Some(mut floor) = Floor::open_with("own_till", 1, set) else { return };
    floor.buy_at_backup();
    floor.until_backup_sells("the main serves");
    until("nobody else gets in there", || !opens(&floor, "t1", "10.78.0.2", 9000));
    for address in ["0.0.0.0", "10.78.0.2"] {
        let listener = listen(&floor, "b", address, 9000);
        let said = listener.wait_with_output().unwrap();
        assert!(!said.status.success() && said.stdout.is_empty(), "{address}: {said:?}");
    }
    let path = floor.two.home(Machine::Backup).join("server.txt");
    until_file(&path, "programs there may look who serves", |text| text.starts_with("10.78.0.1\n"));
    floor.two.until_it_may(Machine::Main, "switch");
    done(&floor, Machine::Main, &["switch", "--yes"]);
    floor.two.until(Machine::Backup, "it serves", |status| status["duty"] == "serving" && status["server"] == "ready");
    floor.until_backup_sells("it serves itself");
    assert!(opens(&floor, "t1", "10.78.0.2", 9000), "and all others");
    until_file(&path, "programs there may look who serves", |text| text.starts_with("10.78.0.2\n"));
    until("the main keeps its ports shut", || !opens(&floor, "t1", "10.78.0.1", 9000));
    floor.until_return_possible();
    done(&floor, Machine::Backup, &["return", "--yes"]);
    floor.until_backup_sells("the main serves again");
    floor.close();
    floor.accounted(Machine::Main, "a till that is the backup");
    // The power of the main fails while somebody buys there.
    floor.buy_at_backup();
    floor.until_backup_sells("before the power cut");
    floor.close();
    floor.two.until_same("before the power cut");
    floor.two.cut_power(Machine::Main);
    floor.cable("m", "down");
    floor.buy_at_backup();
    floor.until_verdict(Machine::Backup, "main-down", "the power is cut");
    done(&floor, Machine::Backup, &["promote", "--yes"]);
    floor.until_backup_sells("promoted");
    floor.close();
    floor.accounted(Machine::Backup, "after the power cut");
    // Its port was free each time: it never had to be started twice.
    assert_eq!(floor.two.logged(Machine::Backup, "the POS server was started"), 2);
}

#[test]
fn the_ports_are_free_when_the_pos_server_starts_where_no_terminal_is_waited_for() {
    let Some(mut floor) = Floor::open("free_ports", 0) else { return };
    floor.buy_at_backup();
    floor.until_backup_sells("the main serves");
    floor.two.until_it_may(Machine::Main, "switch");
    done(&floor, Machine::Main, &["switch", "--yes"]);
    floor.two.until(Machine::Backup, "it serves", |status| status["duty"] == "serving" && status["server"] == "ready");
    floor.until_backup_sells("it serves itself");
    assert_eq!(floor.two.logged(Machine::Backup, "the POS server was started"), 1, "its port was free");
    floor.close();
    floor.accounted(Machine::Backup, "without terminals");
}

#[test]
fn a_program_that_has_the_port_of_who_does_not_serve_is_reported() {
    let Some(mut floor) = Floor::open("own_port", 1) else { return };
    floor.two.stop(Machine::Backup);
    let mut stray = listen(&floor, "b", "0.0.0.0", 9000);
    until("it listens", || opens(&floor, "b", "127.0.0.1", 9000));
    floor.two.start(Machine::Backup);
    let is_told = |status: &serde_json::Value| {
        status["alarms"].as_array().unwrap().iter().any(|alarm| alarm["code"] == "MIR-401")
    };
    floor.two.until(Machine::Backup, "something has the port", is_told);
    stray.kill().unwrap();
    stray.wait().unwrap();
    floor.two.until(Machine::Backup, "nothing has it", |status| !is_told(status));
}

#[test]
fn a_main_that_hears_nobody_stops_its_pos_server_where_that_is_wanted_and_starts_it_when_it_does() {
    let set = |set: String| set.replace("ports = [9000]", "ports = [9000]\nisolated_stop = \"10s\"");
    let Some(mut floor) = Floor::open_with("isolated_stop", 1, set) else { return };
    floor.cable("b", "down");
    floor.two.until(Machine::Main, "a terminal is enough company", |status| {
        assert_eq!(status["server"], "ready", "{status}");
        status["peer"]["heard_ago_ms"].as_u64().is_some_and(|ago| ago > 12_000)
    });
    floor.cable("m", "down");
    let status = floor.two.until(Machine::Main, "it is alone", |status| status["server"] == "stopped");
    assert!(status["alarms"].as_array().unwrap().iter().any(|alarm| alarm["code"] == "MIR-403"), "{status}");
    floor.cable("m", "up");
    floor.two.until(Machine::Main, "it hears the terminal", |status| status["server"] == "ready");
    floor.cable("b", "up");
    floor.until_all_work(Machine::Backup, "main", "all hear each other");
    floor.buy();
    floor.close();
    floor.accounted(Machine::Main, "after it was alone");
}

#[test]
fn printers_are_tried_from_both_machines() {
    let set = |set: String| {
        set + "[[device]]\nname = \"KITCHEN\"\naddress = \"10.78.0.11:9100\"\n\
            [[device]]\nname = \"BAR\"\naddress = \"10.78.0.1:9000\"\n"
    };
    let Some(floor) = Floor::open_with("printers", 1, set) else { return };
    let check = |machine| {
        let said = output(&mut floor.two.espejo(machine, &["check"]));
        (said.status.code(), told(&said))
    };
    let (code, said) = check(Machine::Main);
    assert!(code == Some(1) && said.contains("does not reach KITCHEN at 10.78.0.11:9100"), "{code:?} {said}");
    assert!(said.contains("reaches BAR at 10.78.0.1:9000"), "{said}");
    let device = |status: &serde_json::Value, name: &str, from: &str| {
        let all = status["devices"].as_array().unwrap();
        all.iter().find(|device| device["name"] == name).unwrap()[from].clone()
    };
    for machine in [Machine::Main, Machine::Backup] {
        floor.two.until(machine, "both machines say which they reach", |status| {
            ["main", "backup"]
                .iter()
                .all(|from| device(status, "KITCHEN", from) == false && device(status, "BAR", from) == true)
        });
    }
    let mut printer = listen(&floor, "t1", "10.78.0.11", 9100);
    until("the printer is on", || opens(&floor, "m", "10.78.0.11", 9100));
    let (code, said) = check(Machine::Main);
    assert_eq!(said.matches("reaches KITCHEN at 10.78.0.11:9100").count(), 2, "{code:?} {said}");
    assert!(!said.contains("does not reach"), "{said}");
    for machine in [Machine::Main, Machine::Backup] {
        floor.two.until(machine, "both are reached from everywhere", |status| {
            device(status, "KITCHEN", "main") == true
                && device(status, "KITCHEN", "backup") == true
                && status["alarms"].as_array().unwrap().iter().all(|alarm| alarm["code"] != "DEV-101")
        });
    }
    printer.kill().unwrap();
    printer.wait().unwrap();
}

#[test]
fn an_agent_says_on_its_own_machine_how_it_stands_and_has_a_unit() {
    let Some(mut floor) = Floor::open("agent_status", 1) else { return };
    let status = |floor: &Floor, args: &[&str]| {
        let said = output(&mut floor.espejo(1, args));
        (said.status.code(), String::from_utf8_lossy(&said.stdout).into_owned())
    };
    until("both machines are reached", || status(&floor, &["status"]).0 == Some(0));
    let (_, said) = status(&floor, &["status"]);
    assert!(said.contains("10.78.0.1 is the server.") && said.contains("reaches 10.78.0.2"), "{said}");
    floor.cable("b", "down");
    until("the backup is missed", || status(&floor, &["status"]).0 == Some(10));
    let (_, said_first) = status(&floor, &["status"]);
    let (_, said) = status(&floor, &["status", "--json"]);
    let stands: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert_eq!(status(&floor, &["check"]).0, Some(4), "that is asked of the machines");
    assert_eq!(status(&floor, &[]).1.lines().next(), said_first.lines().next(), "without a verb it says so, too");
    assert!(stands["terminal"] == "CAJA-1" && stands["state"] == "works", "{said}");
    assert!(stands["machines"][0]["reached"] == true && stands["machines"][1]["reached"] == false, "{said}");
    floor.cable("m", "down");
    until("nobody answers", || status(&floor, &["status"]).0 == Some(20));
    floor.kill(1);
    assert_eq!(status(&floor, &["status"]).0, Some(4), "no agent runs");
    let (code, unit) = status(&floor, &["unit"]);
    assert!(code == Some(0) && unit.contains(" terminal\n") && unit.contains("this POS terminal"), "{unit}");
}

#[test]
fn a_pos_server_that_may_not_be_stopped_goes_on_and_no_till_is_held_for_that() {
    let may = tempfile::tempdir().unwrap();
    let file = may.path().join("may");
    let hooks = format!("[hooks]\nbefore_stop = [\"test\", \"-e\", \"{}\"]\n", file.display());
    let Some(mut floor) = Floor::open_with("vetoed", 1, |set| set + &hooks) else { return };
    floor.buy();
    floor.two.until_it_may(Machine::Main, "switch");
    let said = output(&mut floor.two.espejo(Machine::Main, &["switch", "--yes"]));
    assert_eq!(said.status.code(), Some(1), "{}", told(&said));
    floor.until_all_sell("the stop was refused");
    floor.two.until(Machine::Main, "it is ready all the time", |status| status["server"] == "ready");
    floor.two.until(Machine::Backup, "the other machine knows", |status| status["peer"]["server"] == "ready");
    std::fs::write(&file, "").unwrap();
    floor.two.until_it_may(Machine::Main, "switch");
    done(&floor, Machine::Main, &["switch", "--yes"]);
    floor.until_all_work(Machine::Backup, "backup", "it may be stopped");
    floor.until_all_sell("switched");
    floor.close();
    floor.accounted(Machine::Backup, "switched at last");
}

#[test]
fn the_programs_of_a_backup_that_is_a_till_go_on_when_the_settings_change() {
    let Some(mut floor) = Floor::open("own_programs", 0) else { return };
    let home = floor.two.home(Machine::Backup);
    let [began, changed] = ["began", "changed"].map(|name| floor.two.path().join(name));
    let set = format!(
        "[terminal]\nrun = [\"sh\", \"-c\", \"echo began >>{}; exec tail -f /dev/null\"]\n\
        on_change = [\"sh\", \"-c\", \"echo $ESPEJO_SERVER >>{}\"]\n",
        began.display(),
        changed.display()
    );
    floor.two.stop(Machine::Backup);
    std::fs::write(home.join("terminal.toml"), set).unwrap();
    floor.two.start(Machine::Backup);
    until_file(&began, "the till program runs", |text| text == "began\n");
    until_file(&changed, "programs know who serves", |text| text == "10.78.0.1\n");
    floor.two.stop(Machine::Main);
    let path = floor.two.home(Machine::Main).join("store.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(path, text.replacen("300ms", "400ms", 1)).unwrap();
    floor.two.start(Machine::Main);
    until("the settings have come", || floor.two.logged(Machine::Backup, "another configuration counts now") == 1);
    floor.two.until(Machine::Backup, "it mirrors with them", |status| {
        status["duty"] == "mirroring" && status["peer"]["server"] == "ready"
    });
    let said = |path| std::fs::read_to_string(path).unwrap();
    assert_eq!((said(&began), said(&changed)), ("began\n".to_owned(), "10.78.0.1\n".to_owned()), "they went on");
    floor.two.until_it_may(Machine::Main, "switch");
    done(&floor, Machine::Main, &["switch", "--yes"]);
    until_file(&changed, "programs know who serves", |text| text == "10.78.0.1\n10.78.0.2\n");
    assert_eq!(said(&began), "began\n");
}
