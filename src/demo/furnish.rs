//! Sets the practice shop up, as a person would: one machine begins, the other joins, then the terminals.

use std::fs;
use std::io;
use std::path::Path;
use std::process::Output;
use std::time::Duration;

use tokio::time::{sleep, timeout};

use super::machine::Machine;
use super::places::Places;
use super::shop::{PATIENCE, Shop, ShopError};
use crate::pair::Node;
use crate::service::{Command, Reply};

/// The store.
const STORE: &str = "Practice shop";

/// Between two tries to get a code.
const AGAIN: Duration = Duration::from_millis(20);

/// What a shop sets beside what the set-up writes. The numbers that the backup leaves out may be on receipts of which it never heard.
const SET: &str = r#"
[[dataset.count]]
label = "orders"
by = { records = "ORDER.QUE" }

[[counter]]
name = "receipt"
read = { file = "POS-Q.Seq", pattern = "(\\d+)" }
write = { file = "POS-Q.Seq", format = "{value}\n" }
on_start = { gap = 50 }

[licence]
days = 10

[support]
name = "Help desk"
telephone = "55 1234 5678"
"#;

impl Shop {
    /// Sets it up in the folder `path`.
    pub(super) async fn set_up(&mut self, path: &Path) -> Result<(), ShopError> {
        let names = path.join("f_s.doc");
        fs::write(&names, format!("{}\n{}\n", self.main.name, self.backup.name))?;
        let (main, backup) = (self.places.address(Node::Main), self.places.address(Node::Backup));
        let (data, names) = (self.main.data.display().to_string(), names.display().to_string());
        let init = ["init", "--from", &names, "--store", STORE, "--main", &main, "--backup", &backup, "--data", &data];
        done(self.main.name, self.main.does(&init)).await?;
        let settings = self.main.home.join("store.toml");
        fs::write(&settings, fs::read_to_string(&settings)? + SET + &self.servers()?)?;
        self.main.start()?;
        let invite = Command::Invite { role: Node::Backup, by: "demo".to_owned() };
        let code = code_for(&mut self.main, &invite).await?;
        done(self.backup.name, self.backup.does(&["join", &code, &main])).await?;
        self.backup.start()?;
        for till in &mut self.tills {
            let invite = Command::InviteTerminal { name: till.name.to_owned(), by: "demo".to_owned() };
            let code = code_for(&mut self.main, &invite).await?;
            done(till.name, till.program.does(&["join", &code, &main])).await?;
            till.start()?;
        }
        Ok(())
    }

    /// The POS server of each machine and in a drill, which is not set apart on every system, and the port by which the terminals reach it.
    fn servers(&self) -> io::Result<String> {
        let program = toml::Value::from(std::env::current_exe()?.display().to_string());
        let Places { pos, drill, notice, .. } = self.places;
        let server = |node: Node, port: u16| {
            let (host, name) = (Places::listens(node), if node == Node::Main { "main" } else { "backup" });
            format!(
                "command = [{program}, \"demo-pos\", \"--data\", \"{{data}}\", \"--host\", \"{host}\", \"--port\", \"{port}\", \
                 \"--name\", \"{name}\"]\n\
                 ready = {{ tcp = \"{host}:{port}\", send = \"PING\\n\", expect = \"PONG\", timeout = \"20s\" }}\n"
            )
        };
        let [main, backup, drill] =
            [(Node::Main, pos), (Node::Backup, pos), (Node::Backup, drill)].map(|(node, port)| server(node, port));
        Ok(format!(
            "\n[server]\n{main}stop = {{ signal = \"TERM\", timeout = \"5s\" }}\n[server.backup]\n{backup}\
             \n[drill]\n{drill}\n[terminals]\nports = [{pos}]\nnotice_port = {notice}\n"
        ))
    }
}

/// A code with which somebody may join, as soon as the service of `machine` is there to give one.
async fn code_for(machine: &mut Machine, invite: &Command) -> Result<String, ShopError> {
    let asked = async {
        loop {
            if let Ok(Some(Reply::Code { code, .. })) = machine.ask(invite).await {
                return Ok(code);
            }
            if machine.ended().is_some() {
                let said = fs::read_to_string(machine.log()).unwrap_or_default().trim().to_owned();
                return Err(ShopError::Refused { name: machine.name, said });
            }
            sleep(AGAIN).await;
        }
    };
    timeout(PATIENCE, asked).await.map_err(|_| ShopError::Late)?
}

/// What `name` was asked to do must have worked.
async fn done(name: &'static str, doing: impl Future<Output = io::Result<Output>>) -> Result<(), ShopError> {
    let output = timeout(PATIENCE, doing).await.map_err(|_| ShopError::Late)??;
    if output.status.success() {
        return Ok(());
    }
    Err(ShopError::Refused { name, said: String::from_utf8_lossy(&output.stderr).trim().to_owned() })
}
