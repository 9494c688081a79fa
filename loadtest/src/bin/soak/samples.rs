//! What the server uses, each second.

use std::fmt;
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use loadtest::machine::memory_of;
use tokio::time::Instant;

use super::subject::Subject;

/// After so long, memory should not grow any more; and for so long it is
/// averaged.
const SETTLED: Duration = Duration::from_secs(300);
const AVERAGED: Duration = Duration::from_secs(60);
/// How much more memory than then is allowed at the end.
const GROWTH_MAX: f64 = 1.10;
/// So many more descriptors and tasks than before are no sign of a leak: those
/// of the sampler, and of connections that are just closing.
const SLACK: u64 = 6;

/// What the server used at one moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample {
    /// Since the start.
    at: Duration,
    memory: u64,
    descriptors: u64,
    tasks: u64,
    /// How long it took to answer `/healthz`.
    delay: Duration,
}

impl Sample {
    /// Whether nothing is left of what there was since then.
    pub(crate) fn is_like(&self, before: &Self) -> bool {
        self.descriptors <= before.descriptors + SLACK && self.tasks <= before.tasks + SLACK
    }
}

impl fmt::Display for Sample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:.1} MB, {} descriptors, {} tasks, answers after {:.1} ms",
            self.memory as f64 / 1e6,
            self.descriptors,
            self.tasks,
            self.delay.as_secs_f64() * 1e3
        )
    }
}

/// Takes samples and writes them down.
pub(crate) struct Sampler {
    pid: u32,
    host: String,
    client: reqwest::Client,
    begun: Instant,
    samples: Vec<Sample>,
    csv: BufWriter<File>,
}

impl Sampler {
    pub(crate) fn new(subject: &Subject, csv: &Path) -> anyhow::Result<Self> {
        let file = File::create(csv).with_context(|| csv.display().to_string())?;
        let mut csv = BufWriter::new(file);
        writeln!(csv, "second,memory_bytes,descriptors,tasks,delay_ms")?;
        Ok(Self {
            pid: subject.pid(),
            host: subject.host().to_owned(),
            client: reqwest::Client::new(),
            begun: Instant::now(),
            samples: Vec::new(),
            csv,
        })
    }

    pub(crate) async fn sample(&mut self) -> anyhow::Result<Sample> {
        let asked = Instant::now();
        self.get("/healthz").await?;
        let delay = asked.elapsed();
        let metrics = self.get("/metrics").await?;
        let tasks = metrics
            .lines()
            .find_map(|line| line.strip_prefix("tickwire_tasks "))
            .context("no tickwire_tasks")?;
        let sample = Sample {
            at: self.begun.elapsed(),
            memory: memory_of(self.pid)?,
            descriptors: std::fs::read_dir(format!("/proc/{}/fd", self.pid))?.count() as u64,
            tasks: tasks.parse()?,
            delay,
        };
        writeln!(
            self.csv,
            "{},{},{},{},{:.1}",
            sample.at.as_secs(),
            sample.memory,
            sample.descriptors,
            sample.tasks,
            delay.as_secs_f64() * 1e3
        )?;
        self.csv.flush()?;
        self.samples.push(sample);
        Ok(sample)
    }

    async fn get(&self, path: &str) -> anyhow::Result<String> {
        let url = format!("http://{}{path}", self.host);
        let answer = self.client.get(url).send().await;
        let answer = answer.context("the server does not answer")?;
        Ok(answer.error_for_status()?.text().await?)
    }

    /// Prints what clients were refused by now, and how often.
    ///
    /// # Errors
    ///
    /// One of `expected` is not among it, and there was time enough.
    pub(crate) async fn check_refusals(&self, expected: &[&str]) -> anyhow::Result<()> {
        let metrics = self.get("/metrics").await?;
        let mut missing = Vec::new();
        print!("refused:");
        for reason in expected {
            let line = format!("tickwire_refused_total{{reason=\"{reason}\"}} ");
            let count = metrics.lines().find_map(|text| text.strip_prefix(&line));
            let count: u64 = count.context("no such metric")?.parse()?;
            print!(" {reason} {count}");
            if count == 0 {
                missing.push(*reason);
            }
        }
        println!();
        let is_long = self.begun.elapsed() > SETTLED;
        anyhow::ensure!(
            missing.is_empty() || !is_long,
            "no attack reached {missing:?}"
        );
        Ok(())
    }

    /// Checks that memory has not grown since it should not grow any more.
    ///
    /// # Errors
    ///
    /// It has.
    pub(crate) fn check_memory(&self) -> anyhow::Result<()> {
        let mut delays: Vec<_> = self.samples.iter().map(|sample| sample.delay).collect();
        delays.sort();
        let at = |part: usize| delays[(delays.len() - 1) * part / 100].as_secs_f64() * 1e3;
        println!(
            "answers: half within {:.1} ms, 99% within {:.1} ms",
            at(50),
            at(99)
        );
        let mean = |from: Duration| {
            let of: Vec<_> = self
                .samples
                .iter()
                .filter(|sample| (from..from + AVERAGED).contains(&sample.at))
                .map(|sample| sample.memory as f64)
                .collect();
            of.iter().sum::<f64>() / of.len() as f64
        };
        let end = self.samples.last().context("no samples")?.at;
        if end < SETTLED + 2 * AVERAGED {
            println!("too short to say anything about memory");
            return Ok(());
        }
        let (settled, last) = (mean(SETTLED), mean(end - AVERAGED));
        let (mb, growth) = (settled / 1e6, last / settled);
        println!("memory: {mb:.1} MB after five minutes, {growth:.3} of that at the end");
        anyhow::ensure!(growth <= GROWTH_MAX, "memory grows");
        Ok(())
    }
}
