//! The commands of the README: each is one, and has the options that it is said to have; and its settings are right. How two machines and a till are set up is typed line
//! by line in `tests/tills/install.rs`.

use std::fs;
use std::path::Path;
use std::process::Command;

use espejo::config::fault::Fault;
use espejo::config::store::Store;
use espejo::config::terminal::Terminal;

use crate::common::place::{output, told};

fn readme() -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap()
}

#[test]
fn every_command_in_the_readme_is_one_and_has_its_options() {
    let text = readme();
    let spans = text.split('`').skip(1).step_by(2).filter(|span| !span.contains("\n\n"));
    let lines = text.split("```sh\n").skip(1).flat_map(|rest| rest.split("```").next().unwrap().lines());
    // Several stand on one line, with a gap or a sign between them.
    let lines = lines.flat_map(|line| line.split('#').next().unwrap().split("   ").flat_map(|part| part.split("&&")));
    let mut seen = 0;
    for typed in spans.chain(lines).map(str::trim).filter(|typed| typed.starts_with("espejo ")) {
        let words: Vec<&str> = typed.split_whitespace().collect();
        let mut help = Command::new(env!("CARGO_BIN_EXE_espejo"));
        let verb = words[1];
        if !verb.starts_with('-') {
            help.arg(verb);
        }
        if verb == "licence" {
            help.args(words.get(2));
        }
        let help = output(help.args(["--help", "--lang", "en"]));
        assert!(help.status.success(), "`{typed}`: {}", told(&help));
        let help = told(&help);
        for option in words.iter().filter(|word| word.starts_with("--")) {
            assert!(help.contains(option), "`{typed}`: {verb} knows no {option}:\n{help}");
        }
        seen += 1;
    }
    assert!(seen > 12, "the commands were not found: {seen}");
}

/// What every store has, for settings of which the README shows a part.
const REST: &str = "store = \"Centro\"\n[main]\nname = \"SERVIDOR\"\naddress = \"192.168.1.10:7410\"\n\
    [backup]\nname = \"CAJA-3\"\naddress = \"192.168.1.13:7410\"\n\
    [[dataset]]\nname = \"pos\"\nmain = \"/srv/pos\"\nbackup = \"RUNDIR\"\n";

/// A PIN, as it is kept.
const PIN: &str = "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$aGFzaGhhc2g";

/// What goes with some of them.
const SERVER: &str = "[server]\ncommand = [\"/opt/pos/server\"]\nready = { tcp = \"127.0.0.1:9000\" }\n";

#[test]
fn every_setting_in_the_readme_can_be_set_like_that() {
    let text = readme();
    let blocks: Vec<&str> = text.split("```toml\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    assert!(blocks.len() >= 10, "the settings were not found: {}", blocks.len());
    for block in blocks {
        let faults = |faults: Vec<Fault>| format!("{faults:#?}\nin\n{block}");
        if block.starts_with("[terminal]") {
            Terminal::from_bytes(block.as_bytes()).map_err(faults).unwrap();
        } else {
            let rest = if block.starts_with("store") { "" } else { REST };
            let server = if block.contains("[server]") { "" } else { SERVER };
            // Where a secret stands in a real one.
            let shown = block.replace("$argon2id$…", PIN);
            Store::parse(&format!("{rest}{shown}{server}")).map_err(faults).unwrap();
        }
    }
}
