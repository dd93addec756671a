//! What became of a run, for people who were asleep.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde::Serialize;
use tarim_library::Id;

use super::batch::{BatchState, BatchView};
use crate::error::Result;
use crate::estimate::Measured;
use crate::studio::Studio;

/// How many jobs are looked at for durations and models.
const JOBS_READ: u32 = 200_000;

/// A run's report.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Report {
    /// The run's name.
    pub name: String,
    /// Its id.
    pub batch: String,
    /// When it was begun, in milliseconds since 1970.
    pub created: i64,
    /// When its first picture was begun.
    pub started: Option<i64>,
    /// When its last picture ended.
    pub ended: Option<i64>,
    /// Whether nothing is left to do.
    pub finished: bool,
    /// Pictures that were put into the queue.
    pub pictures: u64,
    /// Pictures that were not, because they exist.
    pub skipped: u64,
    /// Pictures that are done.
    pub done: u32,
    /// Pictures that failed.
    pub failed: u32,
    /// Pictures that were cancelled.
    pub cancelled: u32,
    /// Pictures that wait or are in work.
    pub left: u32,
    /// Seconds that a picture took: the shortest, the mean, the longest.
    pub seconds: Option<(f64, f64, f64)>,
    /// The models and devices that drew, and how many pictures each.
    pub models: Vec<ReportModel>,
    /// Why pictures failed.
    pub failures: Vec<ReportFailure>,
}

/// A model in a report.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ReportModel {
    /// Its name.
    pub name: String,
    /// Its hash, where it is known.
    pub hash: Option<String>,
    /// The device.
    pub device: String,
    /// How many pictures.
    pub pictures: u32,
    /// The lowest and highest seed.
    pub seeds: Option<(u64, u64)>,
}

/// A reason in a report.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ReportFailure {
    /// What happened.
    pub message: String,
    /// What to do next.
    pub hint: Option<String>,
    /// How often.
    pub count: u32,
    /// In which rows of the set, by their ids, at most 100.
    pub rows: Vec<i64>,
}

impl Studio {
    /// The report of a run, also of one that goes on.
    pub fn report(&self, id: Id) -> Result<Report> {
        let BatchView { batch, state, .. } = self.batch(id)?;
        let library = self.library()?;
        let outcome = batch.counts.outcome;
        let timings = library.batch_timings(id, JOBS_READ)?;
        let measured: Vec<Measured> = timings
            .into_iter()
            .filter_map(|(_, text)| serde_json::from_str::<Measured>(&text?).ok())
            .filter(|measured| measured.total > 0.0)
            .collect();
        let seconds = measured.iter().map(|measured| measured.total);
        let shortest = seconds.clone().fold(f64::INFINITY, f64::min);
        let longest = seconds.clone().fold(0.0, f64::max);
        let mean = seconds.sum::<f64>() / measured.len() as f64;
        let mut devices: BTreeMap<String, String> = BTreeMap::new();
        for measured in &measured {
            devices.entry(measured.work.model.clone()).or_insert_with(|| measured.work.device.clone());
        }
        let models = library.batch_models(id)?.into_iter().map(|model| ReportModel {
            device: devices.get(&model.name).cloned().unwrap_or_default(),
            name: model.name,
            hash: model.hash,
            pictures: model.pictures,
            seeds: model.seeds,
        });
        let failures = library.batch_failures(id)?.into_iter().map(|failure| ReportFailure {
            message: failure.error.message,
            hint: failure.error.hint,
            count: failure.count,
            rows: failure.rows,
        });
        Ok(Report {
            name: batch.name,
            batch: id.to_string(),
            created: batch.created.ms,
            started: batch.counts.first_started,
            ended: batch.counts.last_finished,
            finished: state == BatchState::Finished,
            pictures: batch.planned,
            skipped: batch.skipped,
            done: outcome.done,
            failed: outcome.failed,
            cancelled: outcome.cancelled,
            left: outcome.queued + outcome.running,
            seconds: (!measured.is_empty()).then_some((shortest, mean, longest)),
            models: models.collect(),
            failures: failures.collect(),
        })
    }
}

impl Report {
    /// The report as Markdown.
    pub fn markdown(&self) -> String {
        let mut text = format!("# {}\n\n", line(&self.name));
        let _ = writeln!(text, "| pictures | skipped | done | failed | cancelled | left |");
        let _ = writeln!(text, "|---:|---:|---:|---:|---:|---:|");
        let Self { pictures, skipped, done, failed, cancelled, left, .. } = self;
        let _ = writeln!(text, "| {pictures} | {skipped} | {done} | {failed} | {cancelled} | {left} |");
        if let (Some(started), Some(ended)) = (self.started, self.ended) {
            let _ = writeln!(text, "\nTime: {}", duration((ended - started) as f64 / 1000.0));
        }
        if let Some((shortest, mean, longest)) = self.seconds {
            let _ = writeln!(text, "\nA picture took {mean:.1} s ({shortest:.1} to {longest:.1} s).");
        }
        if !self.models.is_empty() {
            let _ = writeln!(
                text,
                "\n## Models\n\n| model | hash | device | pictures | seeds |\n|---|---|---|---:|---|"
            );
            for model in &self.models {
                let hash = model.hash.as_deref().unwrap_or("");
                let seeds = model.seeds.map_or(String::new(), |(low, high)| format!("{low} – {high}"));
                let (name, device) = (line(&model.name), line(&model.device));
                let _ = writeln!(text, "| {name} | {hash} | {device} | {} | {seeds} |", model.pictures);
            }
        }
        if !self.failures.is_empty() {
            let _ = writeln!(
                text,
                "\n## Failures\n\n| pictures | reason | what to do | rows |\n|---:|---|---|---|"
            );
            for failure in &self.failures {
                let rows: Vec<_> = failure.rows.iter().take(20).map(ToString::to_string).collect();
                let hint = line(failure.hint.as_deref().unwrap_or(""));
                let _ = writeln!(
                    text,
                    "| {} | {} | {hint} | {} |",
                    failure.count,
                    line(&failure.message),
                    rows.join(", ")
                );
            }
        }
        text
    }

    /// The report as a page.
    pub fn html(&self) -> String {
        let mut rows = String::new();
        for (name, value) in [
            ("Pictures", self.pictures.to_string()),
            ("Skipped", self.skipped.to_string()),
            ("Done", self.done.to_string()),
            ("Failed", self.failed.to_string()),
            ("Cancelled", self.cancelled.to_string()),
            ("Left", self.left.to_string()),
        ] {
            let _ = write!(rows, "<tr><th>{name}</th><td>{value}</td></tr>");
        }
        if let (Some(started), Some(ended)) = (self.started, self.ended) {
            let time = duration((ended - started) as f64 / 1000.0);
            let _ = write!(rows, "<tr><th>Time</th><td>{time}</td></tr>");
        }
        let mut more = String::new();
        for failure in &self.failures {
            let hint = escape(failure.hint.as_deref().unwrap_or(""));
            let _ = write!(more, "<li>{} × {} {hint}</li>", failure.count, escape(&failure.message));
        }
        let mut models = String::new();
        for model in &self.models {
            let (name, hash) = (escape(&model.name), model.hash.as_deref().unwrap_or(""));
            let _ = write!(models, "<li>{name} <code>{}</code>: {}</li>", escape(hash), model.pictures);
        }
        let name = escape(&self.name);
        format!(
            "<!doctype html><html><head><meta charset=\"utf-8\"><meta http-equiv=\"Content-Security-Policy\" \
             content=\"default-src 'none'\"><title>{name}</title></head><body><h1>{name}</h1><table>{rows}</table>\
             <ul>{models}</ul><ul>{more}</ul></body></html>\n"
        )
    }
}

fn duration(seconds: f64) -> String {
    let seconds = seconds.max(0.0).round() as u64;
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, s) => format!("{s} s"),
        (0, m, s) => format!("{m} min {s} s"),
        (h, m, _) => format!("{h} h {m} min"),
    }
}

/// A text for a cell of a Markdown table.
fn line(text: &str) -> String {
    text.replace(['\n', '\r'], " ").replace('|', "\\|").replace('<', "&lt;")
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
