//! What a change of server would do now, as a person reads it before it is done.

use std::io::{self, Write};

use super::Around;
use super::exit::{Exit, Failure};
use super::turn::names;
use crate::service::Status;
use crate::service::plan::{Check, Consent, Plan};
use crate::service::status::OperationKind;
use crate::words::{self, figures};

/// Prints the plan of `kind`, and does nothing. Where it would be refused, every reason is said.
pub fn show(
    around: &Around,
    status: &Status,
    kind: OperationKind,
    given: &[Consent],
    json: bool,
) -> Result<Exit, Failure> {
    let Some(plan) = status.plans.iter().find(|plan| plan.kind == kind) else {
        return Err(Failure::refused(vec![around.words.say("cli-no-plan")]));
    };
    let mut out = io::stdout().lock();
    if json {
        serde_json::to_writer(&mut out, plan).map_err(io::Error::from)?;
        writeln!(out)?;
    } else {
        print(around, status, plan, &mut out)?;
    }
    match plan.against(given).as_slice() {
        [] => Ok(Exit::Done),
        why => Err(Failure::not_done(&around.words, why)),
    }
}

/// Writes a plan: what is examined, what would be lost, and the steps.
pub fn print(around: &Around, status: &Status, plan: &Plan, out: &mut dyn Write) -> io::Result<()> {
    let words = &around.words;
    writeln!(out, "{}", words::operation::kind(words, plan.kind))?;
    let passed = plan.checks.iter().filter(|check| check.why.is_none()).count();
    let args = [("passed", passed.to_string().into()), ("all", plan.checks.len().to_string().into())];
    writeln!(out, "  {}", words.with("plan-checks", &args))?;
    for Check { check, why } in &plan.checks {
        if let Some(why) = why {
            let args = [
                ("check", words::plan::check(words, *check).into()),
                ("why", words::refusal::refusal(words, why).into()),
            ];
            writeln!(out, "    {}", words.with("plan-check", &args))?;
        }
    }
    let zone = jiff::tz::TimeZone::system();
    if let Some(loss) = &plan.loss {
        let copy = loss.as_of.map_or_else(
            || words.say("plan-no-copy"),
            |as_of| {
                let key = if plan.as_of.is_some() { "plan-copy-earlier" } else { "plan-copy" };
                words.with(key, &[("at", figures::date(words, as_of, &zone).into())])
            },
        );
        writeln!(out, "  {copy}")?;
        let behind = [
            ("span", figures::span(words, loss.behind_ms).into()),
            ("bytes", figures::bytes_in(words, loss.behind_bytes, loss.behind_files).into()),
        ];
        let lost = match (plan.as_of, loss.behind_at_least) {
            (Some(_), _) => "plan-lost-earlier",
            (None, true) => "plan-lost-at-least",
            (None, false) => "plan-lost",
        };
        writeln!(out, "  {}", words.with(lost, &behind))?;
    } else {
        writeln!(out, "  {}", words.say("plan-nothing-lost"))?;
    }
    for lack in plan.lacks.iter().map(|lack| words::plan::lack(words, lack)) {
        writeln!(out, "  {lack}")?;
    }
    for number in &plan.numbers {
        writeln!(out, "  {}", words::numbers::planned(words, number))?;
    }
    if let Some(ends) = plan.licence_ends_at {
        writeln!(out, "  {}", words.with("plan-licence", &[("at", figures::date(words, ends, &zone).into())]))?;
    }
    let taker = taker(status, plan.kind);
    for (number, step) in plan.steps.iter().enumerate() {
        writeln!(out, "  {}  {}", number + 1, words::plan::step(words, *step, &taker))?;
    }
    Ok(())
}

/// What the machine is called that becomes the server by it.
#[must_use]
pub fn taker(status: &Status, kind: OperationKind) -> String {
    let (this, other) = names(status);
    if kind.taker().unwrap_or(status.node) == status.node { this } else { other }
}
