//! The commands of the README: each is one, and has the options that it is said to have. How two machines and a till are set up is typed line
//! by line in `tests/tills/install.rs`.

use std::fs;
use std::path::Path;
use std::process::Command;

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
