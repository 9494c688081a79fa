//! A soak: clients that come, go, switch and attack at random, behind proxies
//! that fail, while disk and clock fail, too. At the end nothing may be left of
//! it: no break in a chain, no panic, no descriptor, no task, no memory.

mod attacks;
mod clients;
mod samples;
mod subject;
mod weather;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Parser;
use testkit::{Fault, Proxy};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use self::clients::{Tally, Way};
use self::samples::Sampler;
use self::subject::Subject;

/// How long the server has to get rid of what is over.
const PATIENCE: Duration = Duration::from_secs(90);
/// How long it runs before the state at the start is noted.
const WARM_UP: Duration = Duration::from_secs(3);

#[derive(Parser)]
struct Arguments {
    /// How long clients come and go
    #[arg(long, default_value_t = 1_800)]
    seconds: u64,
    /// How many there are at once
    #[arg(long, default_value_t = 500)]
    clients: usize,
    /// Where memory, descriptors and delay of each second are written, as CSV
    #[arg(long, default_value = "soak.csv")]
    csv: PathBuf,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    loadtest::machine::allow_descriptors(4_096)?;
    let subject = Subject::start().await?;
    sleep(WARM_UP).await;
    let mut sampler = Sampler::new(&subject, &arguments.csv)?;
    let before = sampler.sample().await?;
    println!("before: {before}");
    let tally = run(&arguments, &subject, &mut sampler).await?;
    println!("{tally}");
    sampler.check_refusals(&attacks::REASONS).await?;
    sampler.check_memory()?;
    // What it was while there were clients is over.
    let begun = Instant::now();
    let after = loop {
        let now = sampler.sample().await?;
        if now.is_like(&before) {
            break now;
        }
        anyhow::ensure!(
            begun.elapsed() < PATIENCE,
            "something is left of the clients: {now}; before: {before}"
        );
        sleep(Duration::from_secs(1)).await;
    };
    println!("after: {after}");
    subject.end().await?;
    anyhow::ensure!(tally.missed() == 0, "ticks were missed");
    anyhow::ensure!(tally.messages() > 0, "no messages came");
    println!(
        "no chain was broken, no panic, nothing left; {}",
        arguments.csv.display()
    );
    Ok(())
}

/// Runs clients, attackers and weather for as long as was asked for.
async fn run(
    arguments: &Arguments,
    subject: &Subject,
    sampler: &mut Sampler,
) -> anyhow::Result<Arc<Tally>> {
    let stop = CancellationToken::new();
    let address = subject.host().parse()?;
    let stormy = Arc::new(Proxy::start(address).await?);
    let corrupting = Proxy::start(address).await?;
    corrupting.fail(Fault::Corrupts);
    let tally = Arc::new(Tally::default());
    let symbols = subject.symbols().await?;
    let mut tasks = JoinSet::new();
    for number in 0..arguments.clients {
        let (way, host) = match number % 20 {
            0..5 => (Way::Sound, subject.host().to_owned()),
            5..8 => (Way::Corrupting, corrupting.host()),
            _ => (Way::Sound, stormy.host()),
        };
        let client = clients::live(way, host, symbols.clone(), Arc::clone(&tally));
        tasks.spawn(stop.clone().run_until_cancelled_owned(client));
    }
    for attack in attacks::ALL {
        let attacks = attacks::repeat(*attack, address);
        tasks.spawn(stop.clone().run_until_cancelled_owned(attacks));
    }
    let weather = weather::change(subject.weather(), Arc::clone(&stormy));
    tasks.spawn(stop.clone().run_until_cancelled_owned(weather));
    let end = Instant::now() + Duration::from_secs(arguments.seconds);
    while Instant::now() < end {
        sampler.sample().await?;
        sleep(Duration::from_secs(1)).await;
    }
    stop.cancel();
    while let Some(ended) = tasks.join_next().await {
        ended?;
    }
    // What the weather broke is whole again, also if it ended in between.
    subject.weather().calm()?;
    Ok(tally)
}
