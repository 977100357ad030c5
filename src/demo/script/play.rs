//! Plays a script, and prints the story as it happens.

use std::io::{self, Write};
use std::time::Duration;

use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::tell::{Told, named};
use super::{Condition, Expected, Line, Script, What, When};
use crate::demo::machine::Machine;
use crate::demo::shop::{Shop, works_with};
use crate::demo::truth::Truth;
use crate::pair::{Duty, Node};
use crate::service::Status;
use crate::service::status::{PeerState, Server, Verdict};
use crate::words::Words;

/// So long is waited for what a script waits for.
pub const PATIENCE: Duration = Duration::from_secs(30);
/// So long a change of server may take.
const TURN: Duration = Duration::from_secs(60);
/// What is expected may take so long to show: one machine hears of the other a moment later.
const MOMENT: Duration = Duration::from_secs(3);
/// The time between two looks at the truth.
const LOOK: Duration = Duration::from_millis(100);

/// How a script went.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Played {
    /// What was not as the script says, a line each.
    pub failures: Vec<String>,
    /// The truth at the end.
    pub truth: Truth,
}

/// Who prints the story: what is said, and how long after the shop sold.
struct Story<'w> {
    words: &'w Words,
    began: Instant,
}

impl Story<'_> {
    fn tell(&self, said: &str) -> io::Result<()> {
        let seconds = self.began.elapsed().as_secs_f32();
        said.lines().try_for_each(|line| writeln!(io::stdout(), "{seconds:6.1} s  {line}"))
    }
}

/// Plays `script` in `shop`, which sells, to its end.
pub async fn play(shop: &mut Shop, script: &Script, words: &Words) -> io::Result<Played> {
    let story = Story { words, began: Instant::now() };
    let [mut main, mut backup] = [&shop.main, &shop.backup].map(|machine| Told::new(machine.name, &machine.status));
    let names = [("main", shop.main.name.into()), ("backup", shop.backup.name.into())];
    story.tell(&words.with("demo-sells", &names))?;
    let failures = {
        let mut playing = std::pin::pin!(lines(shop, script, &story));
        loop {
            tokio::select! {
                // What has happened is told before what is done about it.
                biased;
                said = main.next(words) => story.tell(&said)?,
                said = backup.next(words) => story.tell(&said)?,
                failures = &mut playing => break failures?,
            }
        }
    };
    shop.close().await;
    Ok(Played { failures, truth: shop.truth().await? })
}

/// Plays each line. Returns what was not as it should be; after what could not be done nothing more is.
async fn lines(shop: &mut Shop, script: &Script, story: &Story<'_>) -> io::Result<Vec<String>> {
    let mut failures = vec![];
    for line in &script.lines {
        let in_vain = wait(shop, line.when, story).await;
        let came = in_vain.is_none();
        let failed = if came {
            story.tell(&format!("> {}", line.text))?;
            act(shop, &line.what, story).await?
        } else {
            in_vain
        };
        let crashed = shop.crashed(story.words);
        // An expectation that does not hold changes nothing of what comes.
        let goes_on = came && matches!(line.what, What::Expect(_)) && crashed.is_none();
        let Some(why) = crashed.or(failed) else { continue };
        failures.push(told(script, line, &why));
        if !goes_on {
            break;
        }
    }
    Ok(failures)
}

fn told(script: &Script, line: &Line, why: &str) -> String {
    format!("{}:{}: {}: {why}", script.name, line.number, line.text)
}

/// Waits. Returns why it was in vain.
async fn wait(shop: &mut Shop, when: When, story: &Story<'_>) -> Option<String> {
    match when {
        When::AtOnce => None,
        When::At(time) => {
            sleep_until(story.began + time).await;
            None
        }
        When::Comes(condition) => {
            let comes = shop.until(|main, backup| is_so(condition, main, backup));
            let seconds = PATIENCE.as_secs();
            let late = |_| story.words.with("demo-script-in-vain", &[("seconds", seconds.into())]);
            timeout(PATIENCE, comes).await.map_err(late).err()
        }
    }
}

/// Whether a condition holds, as the two machines stand.
fn is_so(condition: Condition, main: Option<&Status>, backup: Option<&Status>) -> bool {
    let mirrors = |status: Option<&Status>| {
        status.is_some_and(|status| status.duty == Duty::Mirroring && status.peer.state == PeerState::Healthy)
    };
    match condition {
        Condition::Alarm => backup.is_some_and(|backup| {
            backup.duty == Duty::Mirroring && matches!(backup.verdict, Verdict::ServerStopped | Verdict::MainDown)
        }),
        Condition::Locked => backup.is_some_and(|backup| {
            backup.duty == Duty::Mirroring && matches!(backup.verdict, Verdict::OnlyThisLink | Verdict::Isolated)
        }),
        Condition::Offered => {
            let serves =
                backup.is_some_and(|backup| backup.duty == Duty::Serving && backup.peer.state == PeerState::Healthy);
            serves && mirrors(main) && main.is_some_and(is_level)
        }
        Condition::Ready => [main, backup]
            .into_iter()
            .flatten()
            .any(|status| status.duty == Duty::Serving && status.server == Server::Ready),
        Condition::InStep => [main, backup].into_iter().any(|one| mirrors(one) && one.is_some_and(is_level)),
    }
}

/// Whether the copy holds all there is.
fn is_level(status: &Status) -> bool {
    status.mirror.as_of.is_some() && status.mirror.behind_ms == 0 && !status.mirror.behind_at_least
}

/// Does what a line says. Returns why it could not be done, or is not so.
async fn act(shop: &mut Shop, what: &What, story: &Story<'_>) -> io::Result<Option<String>> {
    match what {
        What::Cause(incident) => {
            let nothing = || story.words.say("demo-script-nothing-there");
            Ok((!shop.cause(*incident)?).then(nothing))
        }
        What::Command(verb) => command(&shop.backup, verb, story).await,
        What::Expect(expected) => expect(shop, expected, story.words).await,
        What::End => Ok(None),
    }
}

/// Gives a machine a command, as an operator would.
async fn command(machine: &Machine, verb: &str, story: &Story<'_>) -> io::Result<Option<String>> {
    // A drill changes nothing, and asks nobody.
    let words: &[&str] = if verb == "drill" { &[verb] } else { &[verb, "--yes"] };
    let Ok(output) = timeout(TURN, machine.does(words)).await else {
        return Ok(Some(story.words.with("demo-script-in-vain", &[("seconds", TURN.as_secs().into())])));
    };
    let output = output?;
    story.tell(&String::from_utf8_lossy(&output.stdout))?;
    let said = String::from_utf8_lossy(&output.stderr).trim().replace('\n', " ");
    Ok((!output.status.success()).then_some(said))
}

/// Looks for a moment whether something is so. Returns what is, where it is not.
async fn expect(shop: &mut Shop, expected: &Expected, words: &Words) -> io::Result<Option<String>> {
    let end = Instant::now() + MOMENT;
    loop {
        let (holds, is) = found(shop, expected.clone()).await?;
        if holds {
            return Ok(None);
        }
        if Instant::now() >= end {
            return Ok(Some(words.with("demo-script-not-so", &[("is", is.into())])));
        }
        sleep(LOOK).await;
    }
}

/// Whether something is so, and what is.
async fn found(shop: &mut Shop, expected: Expected) -> io::Result<(bool, String)> {
    let of = |shop: &mut Shop, node: Node| shop.machine(node).status.borrow().clone();
    let off = || (false, "off".to_owned());
    let count = |is: usize, wanted: usize| (is == wanted, is.to_string());
    Ok(match expected {
        Expected::Duty(node, wanted) => of(shop, node).map_or_else(off, |is| (is.duty == wanted, named(is.duty))),
        Expected::Verdict(node, wanted) => {
            of(shop, node).map_or_else(off, |is| (is.verdict == wanted, named(is.verdict)))
        }
        Expected::Licence(wanted) => of(shop, Node::Backup).map_or_else(off, |is| {
            let state = is.licence.state;
            (state == wanted, named(state))
        }),
        Expected::Terminals(node, wanted) => of(shop, node).map_or_else(off, |is| count(works_with(&is), wanted)),
        Expected::Alarm(node, wanted) => of(shop, node).map_or_else(off, |is| {
            let codes: Vec<String> = is.alarms.iter().map(|alarm| alarm.code.clone()).collect();
            (codes.contains(&wanted), codes.join(", "))
        }),
        Expected::Missing(wanted) => count(shop.truth().await?.missing, wanted),
        Expected::SetAside(wanted) => count(shop.truth().await?.set_aside, wanted),
        Expected::Double(wanted) => count(shop.truth().await?.double, wanted),
        Expected::NumbersTwice(wanted) => count(shop.truth().await?.numbers_twice, wanted),
    })
}
