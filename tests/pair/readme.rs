//! Two machines set up as the README says: its own commands, at its own addresses. What a reader cannot do, it must not say.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use crate::common::place::{output, told};
use crate::common::two::{Machine, Two};
use crate::common::until_some;
use crate::network::Network;

/// The folder that the README mirrors.
const DATA: &str = "/srv/pos";
/// The code that its main prints.
const CODE: &str = "K7F-3QX";

fn readme() -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap()
}

/// The commands of a section, block by block; what stands behind a `#` is kept apart.
fn blocks(section: &str) -> Vec<Vec<(String, String)>> {
    let text = readme();
    let text = text.split(&format!("\n## {section}\n")).nth(1).unwrap().split("\n## ").next().unwrap();
    let command = |line: &str| {
        let (command, note) = line.split_once(" # ").unwrap_or((line, ""));
        (command.trim().to_owned(), note.trim().to_owned())
    };
    let lines = |block: &str| block.lines().filter(|line| !line.trim().is_empty()).map(command).collect();
    let fenced = text.split("```sh\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    fenced.map(lines).collect()
}

/// A machine of the README: a shell in its own network, with a home, and the program on its path.
struct Reader<'t> {
    two: &'t Two,
    network: &'t Network,
    machine: Machine,
}

impl Reader<'_> {
    fn shell(&self, typed: &str) -> Command {
        let program = Path::new(env!("CARGO_BIN_EXE_espejo")).parent().unwrap().display().to_string();
        let path = format!("{program}:{}", std::env::var("PATH").unwrap_or_default());
        let typed = typed.replace(DATA, &self.two.data.display().to_string());
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.network.spaces[self.machine as usize], "sh", "-c", &typed]);
        command.env("PATH", path).env("ESPEJO_HOME", self.two.home(self.machine)).env("LANG", "en_US.UTF-8");
        command.env_remove("LC_ALL").env_remove("FAILPOINTS").stdin(Stdio::null());
        command
    }

    #[track_caller]
    fn types(&self, typed: &str) -> Output {
        let done = output(&mut self.shell(typed));
        assert!(done.status.success(), "README says: {typed}\n{}", told(&done));
        done
    }

    /// Leaves it running.
    fn leaves(&self, typed: &str) -> Running {
        Running(self.shell(&format!("exec {typed}")).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
    }
}

struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What systemd would run.
fn unit(reader: &Reader<'_>) -> String {
    let unit = String::from_utf8(reader.types("espejo unit").stdout).unwrap();
    unit.lines().find_map(|line| line.strip_prefix("ExecStart=")).unwrap().to_owned()
}

#[test]
fn two_machines_are_set_up_with_the_commands_of_the_readme() {
    let test = "two_machines_are_set_up_with_the_commands_of_the_readme";
    let blocks = blocks("Two machines");
    let [main, backup] = &blocks[..] else { panic!("one block for each machine: {blocks:?}") };
    let option = |name: &str| {
        let rest = main[0].0.split(name).nth(1).unwrap_or_else(|| panic!("{name} in {}", main[0].0));
        rest.split_whitespace().next().unwrap().to_owned()
    };
    let Some(network) = Network::at(test, [&option("--main"), &option("--backup")]) else { return };
    let two = Two::at(network.addresses.clone(), Some(network.spaces.clone()));
    fs::write(two.data.join("POS-Q.Seq"), "1044\n").unwrap();
    let mut running = vec![];
    let mut code = None;
    for (machine, commands) in [(Machine::Main, main), (Machine::Backup, backup)] {
        let reader = Reader { two: &two, network: &network, machine };
        for (typed, note) in commands {
            if let Some(or) = note.strip_prefix("or: ") {
                // The service is begun as systemd would on the one machine, by hand on the other.
                assert!(typed.starts_with("espejo unit --install && systemctl"), "{typed}");
                running.push(reader.leaves(&if machine == Machine::Main { unit(&reader) } else { or.to_owned() }));
                until_some("the service answers", || two.status(machine));
            } else {
                let said = reader.types(&typed.replace(CODE, code.as_deref().unwrap_or(CODE)));
                if typed.starts_with("espejo invite") {
                    code = String::from_utf8(said.stdout).unwrap().split_whitespace().next().map(str::to_owned);
                }
            }
        }
    }
    two.until_same("the first copy");
    fs::write(two.data.join("POS-Q.Seq"), "1045\n").unwrap();
    two.until_same("a change");
    for machine in [Machine::Main, Machine::Backup] {
        two.until(machine, "all is well", |status| {
            status["can_take_over"]["yes"] == true && status["alarms"] == serde_json::json!([])
        });
        Reader { two: &two, network: &network, machine }.types("espejo status");
    }
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
