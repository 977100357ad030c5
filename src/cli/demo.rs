//! `espejo demo`: the practice shop, with the screen on it or with a script that is played.

use std::fs;
use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{mpsc, watch};
use tokio::time::{MissedTickBehavior, interval};

use super::Around;
use super::exit::{Exit, Failure};
use super::parts::{CaretakerArgs, DemoArgs, DemoPosArgs};
use super::practice::Practice;
use super::screen;
use crate::demo::caretaker;
use crate::demo::pos;
use crate::demo::script::Script;
use crate::demo::script::play::play;
use crate::demo::shop::{Shop, ShopError};
use crate::demo::truth::Truth;
use crate::tui::{self, Attached, Beside, Left, Options, Place, Strip};

/// How often the strip is made anew.
const LOOK: Duration = Duration::from_millis(300);

/// Serves as the POS server of the practice shop, until it is killed.
pub fn serve(args: &DemoPosArgs) -> Result<Exit, Failure> {
    match pos::serve(&args.data, (args.host, args.port).into(), args.name.as_deref()) {
        Ok(never) => match never {},
        Err(error) => Err(error.into()),
    }
}

/// Waits until the process of the practice shop is gone, and clears the shop away.
pub fn clear_away(args: &CaretakerArgs) -> Result<Exit, Failure> {
    caretaker::wait(io::stdin(), &args.folder, args.goes)?;
    Ok(Exit::Done)
}

/// Opens the shop, and the screen or the script on it.
pub async fn run(around: &Around, args: &DemoArgs) -> Result<Exit, Failure> {
    let script = args.script.as_deref().map(|path| read(around, path)).transpose()?;
    if script.is_none() && !io::stdout().is_terminal() {
        return Err(Failure::usage(around.words.say("demo-no-terminal")));
    }
    let seed = args.seed.unwrap_or_else(any_seed);
    let work = async {
        let open = Shop::open(args.dir.as_deref(), seed, around.lang.as_deref());
        if let Some(script) = script {
            writeln!(io::stdout(), "{}", around.words.with("demo-seed", &[("seed", seed.to_string().into())]))?;
            return told(around, &mut open.await?, &script).await;
        }
        // Wrong keys are told before anything is begun.
        let options = screen::options(around, Place::Attached)?;
        writeln!(io::stdout(), "{}", around.words.say("demo-opens"))?;
        shown(around, &mut open.await?, options).await
    };
    // Whatever ends this ends the shop: it goes with what works on it.
    let ended = tokio::select! {
        ended = work => ended,
        ended = cut_off(around) => ended,
    };
    if let Some(dir) = args.dir.as_deref().filter(|_| ended.is_ok()) {
        let args = [("path", dir.display().to_string().into())];
        writeln!(io::stdout(), "{}", around.words.with("demo-kept", &args))?;
    }
    ended
}

impl From<ShopError> for Failure {
    fn from(error: ShopError) -> Self {
        match error {
            ShopError::NotEmpty(_) => Self::usage(error.to_string()),
            ShopError::Refused { .. } | ShopError::Late | ShopError::System(_) => Self::failed(error.to_string()),
        }
    }
}

fn any_seed() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    (now.as_secs() ^ u64::from(now.subsec_nanos())) % 1_000_000
}

/// Waits until the system, or a person, ends this program.
async fn cut_off(around: &Around) -> Result<Exit, Failure> {
    let [mut term, mut hup, mut int] =
        [signal(SignalKind::terminate())?, signal(SignalKind::hangup())?, signal(SignalKind::interrupt())?];
    tokio::select! {
        _ = term.recv() => {}
        _ = hup.recv() => {}
        _ = int.recv() => {}
    }
    Err(Failure::failed(around.words.say("demo-interrupted")))
}

/// Reads a script; every fault in it at once.
fn read(around: &Around, path: &Path) -> Result<Script, Failure> {
    let name = path.display().to_string();
    let text = fs::read_to_string(path).map_err(|error| Failure::usage(format!("{name}: {error}")))?;
    let told = |faults: Vec<crate::demo::script::read::Fault>| {
        Failure::usages(faults.iter().map(|fault| fault.tell(&around.words, &name)).collect())
    };
    Script::parse(&text, &name).map_err(told)
}

/// Plays a script, and prints the line of truth last.
async fn told(around: &Around, shop: &mut Shop, script: &Script) -> Result<Exit, Failure> {
    let played = play(shop, script, &around.words).await?;
    let mut failures = played.failures;
    if !played.truth.is_well() {
        failures.push(around.words.say("demo-not-well"));
    }
    let mut out = io::stdout();
    failures.iter().try_for_each(|failure| writeln!(out, "{failure}"))?;
    writeln!(out, "{}", played.truth.line(&around.words))?;
    // All is said: the truth is what stands last.
    if failures.is_empty() { Ok(Exit::Done) } else { Err(Failure::told_already()) }
}

/// Shows the operator's screen of the backup, and below it what can be caused.
async fn shown(around: &Around, shop: &mut Shop, mut options: Options) -> Result<Exit, Failure> {
    options.home = shop.backup.home.display().to_string();
    let (publish, strip) = watch::channel(Arc::new(Strip::default()));
    let (wants, mut wanted) = mpsc::unbounded_channel();
    let (commands, mut said) = mpsc::unbounded_channel();
    let attached = Attached { status: shop.backup.status.clone(), commands };
    let mut screen = std::pin::pin!(tui::practise(attached, Beside { strip, wants }, &options));
    let mut looks = interval(LOOK);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut truth, mut practice) = (Truth::default(), Practice::default());
    loop {
        tokio::select! {
            left = &mut screen => return match left? {
                Left::Out | Left::Quit => Ok(Exit::Done),
                Left::ServiceEnded => Err(Failure::no_service(around.words.say("cli-service-ended"))),
            },
            Some(intent) = wanted.recv() => if let Some(incident) = practice.meant(shop, intent) {
                shop.cause(incident)?;
            },
            Some(command) = said.recv() => {
                let home = shop.backup.home.clone();
                tokio::spawn(async move { screen::ask(&home, None, &command).await });
                continue;
            }
            _ = looks.tick() => {
                truth = shop.truth().await?;
                if let Some(crashed) = shop.crashed(&around.words) {
                    return Err(Failure::failed(crashed));
                }
            }
        }
        publish.send_replace(Arc::new(practice.strip((&around.words, &options.keymap), shop, &truth)));
    }
}
