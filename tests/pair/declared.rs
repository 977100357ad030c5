//! A queue whose records are no lines: what the main alone held of it is told record by record.

use std::fs;

use serde_json::{Value, json};

use crate::common::place::{output, told};
use crate::common::two::{Machine, Two};
use crate::turns::done;

#[test]
fn records_that_are_no_lines_are_told_one_by_one() {
    let mut two = Two::new();
    two.init();
    two.set_pos();
    let path = two.home(Machine::Main).join("store.toml");
    let rule = "[[dataset.file]]\nmatch = \"SALES.DAT\"\nkind = \"queue\"\nrecord = { fixed = 8 }\n";
    fs::write(&path, fs::read_to_string(&path).unwrap() + rule).unwrap();
    let sales = two.data.join("SALES.DAT");
    fs::write(&sales, "1 coffee").unwrap();
    two.meet();
    two.until_same("a sale");
    two.kill(Machine::Main);
    two.kill_pos(Machine::Main);
    fs::write(&sales, "1 coffee2 tea\r\n 3 rum   ").unwrap();
    two.until(Machine::Backup, "the main is missed", |status| status["peer"]["state"] == "lost");
    done(&two, Machine::Backup, &["promote", "--yes"]);
    two.start(Machine::Main);
    let mut list = Value::Null;
    crate::common::until("it is set aside", || {
        let said = output(&mut two.espejo(Machine::Main, &["rescue", "list", "--json"]));
        list = serde_json::from_slice(&said.stdout).unwrap_or_default();
        list.as_array().is_some_and(|list| list.len() == 1)
    });
    let name = list[0]["name"].as_str().unwrap();
    let said = output(&mut two.espejo(Machine::Main, &["rescue", "show", name, "--json"]));
    let shown: Value = serde_json::from_slice(&said.stdout).unwrap_or_else(|_| panic!("{}", told(&said)));
    assert_eq!((&shown["files"][0]["file"], &shown["files"][0]["lines"]), (&json!("SALES.DAT"), &json!([2, 3])));
    let plain = told(&output(&mut two.espejo(Machine::Main, &["rescue", "show", name, "--records"])));
    assert!(plain.contains("lacks 2 records: 2-3") && plain.contains("3 rum"), "{plain}");
    let to = two.path().join("stick");
    let exported = output(two.espejo(Machine::Main, &["rescue", "export", name]).arg(&to));
    assert!(exported.status.success(), "{}", told(&exported));
    let csv = fs::read_to_string(to.join("records/SALES.DAT.csv")).unwrap();
    assert_eq!(csv, "number,record\r\n2,\"2 tea\r\n \"\r\n3,3 rum   \r\n");
}
