//! Numbers that never repeat, wherever they are kept, and at whatever step of setting them the backup dies.

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::common::place::told;
use crate::common::two::{Machine, RUNS, Two};
use crate::counters::{GAP, counters, dies, number, serves, shop};
use crate::turns::{asked, done};

/// Each way to read a number and to set it, and the two policies that need no person.
#[test]
fn numbers_of_a_database_and_of_a_queue_go_on_where_they_are_kept() {
    let mut two = Two::new();
    two.init();
    two.set("mirror", "interval = \"300ms\"");
    two.set("server", RUNS);
    let path = two.home(Machine::Main).join("store.toml");
    let sale = "name = \"sale\"\nread = { file = \"shop.db\", sql = \"SELECT max(number) FROM sales\" }\n\
        on_start = { gap = 50 }\nwrite = { file = \"shop.db\", sql = \"INSERT INTO sales VALUES ({value})\" }\n";
    let order = "name = \"order\"\nread = { file = \"ORDER.QUE\", field = 2 }\n\
        on_start = { series = \"B{epoch}\" }\nwrite = { file = \"SERIES\", format = \"{value}\\n\" }\n";
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, format!("{text}[[counter]]\n{sale}[[counter]]\n{order}")).unwrap();
    let open = |folder: PathBuf| rusqlite::Connection::open(folder.join("shop.db")).unwrap();
    let shop = open(two.data.clone());
    shop.execute_batch("PRAGMA journal_mode = WAL; CREATE TABLE sales (number); INSERT INTO sales VALUES (42);")
        .unwrap();
    fs::write(two.data.join("ORDER.QUE"), "coffee;1001\ntea;1002\nmi").unwrap();
    fs::write(two.data.join("SERIES"), "A\n").unwrap();
    two.meet();
    let last = |status: &Value, number: usize| status["counters"][number]["last"].clone();
    two.until(Machine::Backup, "both are read", |status| {
        (last(status, 0), last(status, 1)) == (json!(42), json!(1002))
    });
    two.until(Machine::Backup, "the copy is whole", |status| status["mirror"]["as_of"].is_string());
    two.cut_power(Machine::Main);
    shop.execute_batch("INSERT INTO sales VALUES (43), (44);").unwrap();
    fs::write(two.data.join("ORDER.QUE"), "coffee;1001\ntea;1002\nmilk;1003\n").unwrap();
    drop(shop);
    two.until(Machine::Backup, "the main is missed", |status| status["peer"]["state"] == "lost");
    done(&two, Machine::Backup, &["promote", "--yes"]);
    let highest: i64 = open(two.mirror()).query_row("SELECT max(number) FROM sales", [], |row| row.get(0)).unwrap();
    assert_eq!(highest, 92);
    assert_eq!(fs::read_to_string(two.mirror().join("SERIES")).unwrap(), "B2\n");
    let set = &counters(&two)["numbered"];
    assert_eq!((&set[0]["suspect"], &set[1]["suspect"]), (&json!([43, 92]), &json!([1003, null])), "{set}");
    // The main comes back with what it alone had given out.
    two.start(Machine::Main);
    two.until(Machine::Backup, "what became of them is known", |status| {
        (&status["numbered"][0]["found"], &status["numbered"][1]["found"]) == (&json!(44), &json!(1003))
    });
    let page = told(&asked(&two, Machine::Backup, &["counters", "--certificate"]));
    assert!(page.contains("43 to 44: the other machine") && page.contains("45 to 92: never given out"), "{page}");
    assert!(page.contains("order went on in series B2") && page.contains("1003: the other machine"), "{page}");
}

#[test]
fn stopped_dead_at_each_step_of_setting_it_a_number_is_set_once_and_no_other() {
    for point in ["numbers.saved", "numbers.one-set", "numbers.all-set"] {
        let mut two = shop(GAP);
        two.around(Machine::Backup, "FAILPOINTS", &format!("{point}=return"));
        two.stop(Machine::Backup);
        two.start(Machine::Backup);
        two.until(Machine::Backup, "it mirrors", |status| {
            status["mirror"]["as_of"].is_string() && status["peer"]["state"] == "healthy"
        });
        dies(&mut two);
        let _ = asked(&two, Machine::Backup, &["promote", "--yes", "--accept-loss"]);
        two.until_killed(Machine::Backup);
        two.nothing_around(Machine::Backup);
        two.start(Machine::Backup);
        serves(&two);
        assert_eq!(number(&two), "1092\n", "{point}");
        let set = &counters(&two)["numbered"];
        assert_eq!((set.as_array().unwrap().len(), &set[0]["suspect"]), (1, &json!([1043, 1092])), "{point}: {set}");
        // The shop goes on from it, and it is not set again.
        fs::write(two.mirror().join("POS-Q.Seq"), "1093\n").unwrap();
        two.kill(Machine::Backup);
        two.start(Machine::Backup);
        serves(&two);
        assert_eq!(number(&two), "1093\n", "{point}");
    }
}
