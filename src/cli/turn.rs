//! `espejo promote`, `return`, `switch`, `adopt`, `start`: changes of server. What would be done is read first, then asked for; the job goes on
//! whatever becomes of who waits for it here.

use std::io::{self, BufRead, IsTerminal, Write};

use jiff::Timestamp;

use super::by;
use super::exit::{Exit, Failure};
use super::parts::{AdoptArgs, GiveArgs, Planned, PromoteArgs, ReturnArgs};
use super::status::connect;
use super::{Around, copies, job, plan};
use crate::pair::Node;
use crate::service::control::Client;
use crate::service::plan::{Consent, Plan};
use crate::service::refusal::WhyNot;
use crate::service::status::{Operation, OperationKind, OperationState};
use crate::service::{Command, Reply, Status};
use crate::words;

/// Starts the backup server: this machine serves from now on.
pub async fn promote(around: &Around, args: PromoteArgs) -> Result<Exit, Failure> {
    let kind = OperationKind::Promote;
    let (mut client, mut status) = stands(around).await?;
    if let Some(at) = args.as_of.filter(|_| args.planned.plan) {
        let oldest = copies::oldest(around)?;
        if oldest.is_none_or(|oldest| at < oldest) {
            return Err(Failure::not_done(&around.words, &[WhyNot::TooLongAgo { oldest }]));
        }
    }
    let named = |name: &String| args.counter.iter().filter(|(known, _)| known == name).count();
    if let Some((name, _)) = args.counter.iter().find(|(name, _)| named(name) > 1) {
        return Err(Failure::usage(around.words.with("cli-number-twice", &[("name", name.clone().into())])));
    }
    if let Some(place) = status.plans.iter().position(|plan| plan.kind == kind) {
        let mut plan = status.plans[place].clone().going_on(&status, &args.counter);
        if let Some(at) = args.as_of {
            plan = plan.from_earlier(at, Timestamp::now());
        }
        status.plans[place] = plan;
    }
    let mut given = vec![];
    given.extend(args.yes.then_some(Consent::Yes));
    given.extend(args.accept_loss.then_some(Consent::AcceptLoss));
    given.extend(args.unlock.then_some(Consent::Unlock));
    let is_given = |name: &String| args.counter.iter().any(|(given, _)| given == name);
    given.extend(
        status.counters.iter().filter(|one| one.asks).all(|one| is_given(&one.name)).then_some(Consent::Numbers),
    );
    if let Some(at) = args.as_of.filter(|_| !args.planned.json) {
        let at = words::figures::date(&around.words, at, &jiff::tz::TimeZone::system());
        writeln!(io::stderr(), "{}", around.words.with("cli-as-of", &[("at", at.into())]))?;
    }
    if args.planned.plan {
        return plan::show(around, &status, kind, &given, args.planned.json);
    }
    let yes = args.yes || agrees(around, &status, kind, &given)?;
    let command = Command::Promote {
        by: by(),
        yes,
        accept_loss: args.accept_loss,
        unlock: args.unlock,
        reason: args.reason,
        numbers: args.counter,
        as_of: args.as_of,
    };
    turn(around, &mut client, &command, kind).await
}

/// Returns to the main server, from either machine.
pub async fn back(around: &Around, args: ReturnArgs) -> Result<Exit, Failure> {
    let ReturnArgs { copy, give: GiveArgs { yes, cancel, reason, planned } } = args;
    if let Some(name) = copy {
        let mut client = connect(around).await?;
        let command = Command::Copy { name: name.clone(), by: by() };
        return said(around, &mut client, &command, around.words.with("cli-copy-taken-up", &[("name", name.into())]))
            .await;
    }
    if cancel {
        return give_up(around, "cli-return-cancelled").await;
    }
    let command = Command::Return { by: by(), reason };
    give(around, OperationKind::Return, (yes, planned), &command).await
}

/// Changes to the backup server, from either machine.
pub async fn switch(around: &Around, args: GiveArgs) -> Result<Exit, Failure> {
    let GiveArgs { yes, cancel, reason, planned } = args;
    if cancel {
        return give_up(around, "cli-switched-not").await;
    }
    give(around, OperationKind::Switch, (yes, planned), &Command::Switch { by: by(), reason }).await
}

/// Makes the backup that serves the main, for good; from either machine.
pub async fn adopt(around: &Around, args: AdoptArgs) -> Result<Exit, Failure> {
    let AdoptArgs { yes, reason, planned } = args;
    give(around, OperationKind::Adopt, (yes, planned), &Command::Adopt { by: by(), reason }).await
}

/// Has the machine that serves do something that it loses nothing by.
async fn give(
    around: &Around,
    kind: OperationKind,
    (yes, planned): (bool, Planned),
    command: &Command,
) -> Result<Exit, Failure> {
    let (mut client, status) = stands(around).await?;
    if planned.plan {
        return plan::show(around, &status, kind, &[], planned.json);
    }
    if !yes && !agrees(around, &status, kind, &[])? && is_asked() {
        return Err(Failure::refused(vec![around.words.say("cli-not-agreed")]));
    }
    turn(around, &mut client, command, kind).await
}

/// Cancels what runs.
async fn give_up(around: &Around, then: &str) -> Result<Exit, Failure> {
    let mut client = connect(around).await?;
    said(around, &mut client, &Command::Cancel { by: by() }, around.words.say(then)).await
}

/// Asks for something that is done at once, and says so.
async fn said(around: &Around, client: &mut Client, command: &Command, then: String) -> Result<Exit, Failure> {
    if let Reply::Refused { why } = client.ask(command).await? {
        return Err(Failure::not_done(&around.words, &why));
    }
    writeln!(io::stdout(), "{then}")?;
    Ok(Exit::Done)
}

/// Goes on as the server that this machine was.
pub async fn start(around: &Around, yes: bool) -> Result<Exit, Failure> {
    let (mut client, _) = stands(around).await?;
    if !yes && !sum(around)? {
        return Err(Failure::not_done(&around.words, &[WhyNot::NobodyKnows]));
    }
    turn(around, &mut client, &Command::Start { by: by() }, OperationKind::Start).await
}

/// The service of this home, and how it stands.
async fn stands(around: &Around) -> Result<(Client, Box<Status>), Failure> {
    let mut client = connect(around).await?;
    match client.ask(&Command::Status).await? {
        Reply::Status(status) => Ok((client, status)),
        _ => Err(Failure::failed(around.words.say("cli-strange"))),
    }
}

/// Shows a person who sits here what would be done, and asks. Scripts are asked nothing: what they do not say, they do not mean.
fn agrees(around: &Around, status: &Status, kind: OperationKind, given: &[Consent]) -> io::Result<bool> {
    let Some(plan) = status.plans.iter().find(|plan| plan.kind == kind).filter(|_| is_asked()) else {
        return Ok(false);
    };
    // What is refused all the same is refused by the service, with every reason.
    if !plan.against(&[given, &[Consent::Yes]].concat()).is_empty() {
        return Ok(false);
    }
    plan::print(around, status, plan, &mut io::stderr())?;
    // A lock is opened by nobody who only presses Enter.
    if needs_sum(plan) || given.contains(&Consent::Unlock) { sum(around) } else { said_yes(around) }
}

fn needs_sum(plan: &Plan) -> bool {
    plan.asks().contains(&Consent::Yes)
}

/// Asks for it, and waits until it has come to its end. That nobody waits any more changes nothing.
async fn turn(around: &Around, client: &mut Client, command: &Command, kind: OperationKind) -> Result<Exit, Failure> {
    let words = &around.words;
    let id = match client.ask(command).await? {
        Reply::Running { operation } => operation,
        Reply::Refused { why } => return Err(Failure::not_done(words, &why)),
        _ => return Err(Failure::failed(words.say("cli-strange"))),
    };
    let mut said = 0;
    let (_, ended) = job::follow(around, client, (kind, id), &mut |status, now| {
        let lines = steps(around, status, now, &mut said);
        lines.iter().try_for_each(|line| writeln!(io::stdout(), "{line}"))
    })
    .await?;
    match ended.state {
        OperationState::Done => {
            let key = match kind {
                OperationKind::Promote => "cli-promoted",
                OperationKind::Return => "cli-returned",
                OperationKind::Switch => "cli-switched",
                OperationKind::Adopt => "cli-adopted",
                _ => "cli-started",
            };
            writeln!(io::stdout(), "{}", words.say(key))?;
            Ok(Exit::Done)
        }
        OperationState::Refused => Err(Failure::refused(words::operation::why_not(words, &ended))),
        OperationState::Failed | OperationState::Running => {
            Err(Failure::failed(words::operation::why_not(words, &ended).join("\n")))
        }
    }
}

/// A line for each step that is done since the last time.
fn steps(around: &Around, status: &Status, now: &Operation, said: &mut usize) -> Vec<String> {
    let other = plan::taker(status, now.kind);
    let done = now.kind.steps().iter().take(now.steps_at.len()).enumerate().skip(*said);
    let line = |(number, step): (usize, &crate::service::plan::Step)| {
        let args = [
            ("number", (number + 1).to_string().into()),
            ("steps", now.kind.steps().len().to_string().into()),
            ("step", words::plan::step(&around.words, *step, &other).into()),
        ];
        around.words.with("cli-step-done", &args)
    };
    let lines: Vec<String> = done.map(line).collect();
    *said = now.steps_at.len();
    lines
}

/// Whether a person sits here who can be asked.
fn is_asked() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

fn said_yes(around: &Around) -> io::Result<bool> {
    eprint!("{} ", around.words.say("cli-agree"));
    Ok(answer()?.eq_ignore_ascii_case(&around.words.say("cli-yes")))
}

/// Asks a person for the sum of two numbers, where one is there: nobody types that by chance.
fn sum(around: &Around) -> io::Result<bool> {
    if !is_asked() {
        return Ok(false);
    }
    let now = jiff::Timestamp::now().subsec_nanosecond().unsigned_abs();
    let (a, b) = (11 + now / 1000 % 80, 2 + now / 100_000 % 8);
    let args = [("a", a.to_string().into()), ("b", b.to_string().into())];
    eprint!("{} ", around.words.with("cli-sum", &args));
    Ok(answer()? == (a + b).to_string())
}

fn answer() -> io::Result<String> {
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    Ok(answer.trim().to_owned())
}

/// What the machines are called: this one, and the other.
pub(super) fn names(status: &Status) -> (String, String) {
    let (main, backup) = status.machines.clone().map_or_else(Default::default, |names| (names.main, names.backup));
    if status.node == Node::Main { (main, backup) } else { (backup, main) }
}
