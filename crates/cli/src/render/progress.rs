//! What a run tells while it goes on: a bar for people, lines for programs, nothing in a pipe.

use std::path::Path;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};
use tarim_recipe::Recipe;
use tarim_render::{DeviceInfo, Hello, Stage};

use crate::output;

/// Tells what happens, in the way that fits who listens.
pub(super) struct Reporter {
    json: bool,
    bar: Option<ProgressBar>,
    pictures: u32,
    pace: Pace,
}

impl Reporter {
    pub(super) fn new(json: bool, terminal: bool) -> Self {
        let bar = (terminal && !json).then(|| {
            let bar = ProgressBar::new(0);
            bar.set_style(spinner());
            bar.enable_steady_tick(Duration::from_millis(120));
            bar
        });
        Self { json, bar, pictures: 1, pace: Pace::default() }
    }

    /// What is about to be rendered, and on what.
    pub(super) fn start(
        &mut self,
        recipe: &Recipe,
        count: u32,
        model: &Path,
        hello: &Hello,
        device: &DeviceInfo,
    ) {
        self.pictures = count;
        self.pace = Pace { total: recipe.steps * count, ..Pace::default() };
        if let Some(bar) = &self.bar {
            bar.println(format!("{} on {}, seed {}", recipe.model.name, device.name, recipe.seed));
            bar.set_length(self.pace.total.into());
        }
        if self.json {
            output::json_line(&json!({
                "event": "start",
                "recipe": recipe,
                "count": count,
                "model": model.to_string_lossy(),
                "device": device,
                "libtorch": hello.libtorch,
                "renderer_version": hello.renderer_version,
            }));
        }
    }

    /// What a person may want to know once, and a log does not.
    pub(super) fn notes(&self, notes: &[String]) {
        if let Some(bar) = &self.bar {
            for note in notes {
                bar.println(note);
            }
        }
    }

    /// What is being done, in words.
    pub(super) fn stage(&mut self, text: &'static str) {
        if let Some(bar) = &self.bar {
            bar.set_message(text);
        }
    }

    pub(super) fn job_stage(&mut self, stage: Stage) {
        self.stage(match stage {
            Stage::LoadingModel => "loading the model",
            Stage::Encoding => "encoding the prompt",
            Stage::Sampling => "drawing",
            Stage::Decoding => "decoding",
            _ => "working",
        });
        if self.json {
            output::json_line(&json!({"event": "stage", "stage": stage}));
        }
    }

    pub(super) fn progress(&mut self, picture: u32, step: u32, steps: u32, preview: Option<&Path>) {
        let done = picture * steps + step;
        let left = self.pace.left(done, Instant::now());
        if let Some(bar) = &self.bar {
            bar.set_style(steps_style());
            bar.set_position(done.into());
            let which = if self.pictures > 1 {
                format!("picture {} of {}, ", picture + 1, self.pictures)
            } else {
                String::new()
            };
            let left = left.map(|left| format!(", {} left", in_words(left))).unwrap_or_default();
            bar.set_message(format!("{which}step {step} of {steps}{left}"));
        }
        if self.json {
            output::json_line(&json!({
                "event": "progress",
                "picture": picture,
                "step": step,
                "steps": steps,
                "seconds_left": left.map(|left| (left.as_secs_f64() * 10.0).round() / 10.0),
                "preview": preview.map(Path::to_string_lossy),
            }));
        }
    }

    /// A picture is on the disk.
    pub(super) fn picture(&mut self, path: &Path, event: &Value) {
        if self.json {
            output::json_line(event);
            return;
        }
        self.aside(|| output::line(&path.to_string_lossy()));
    }

    pub(super) fn warning(&mut self, text: &str) {
        self.aside(|| output::warning(text));
        if self.json {
            output::json_line(&json!({"event": "warning", "message": text}));
        }
    }

    /// The run has ended without an error.
    pub(super) fn done(&mut self, outcome: &str, pictures: u32) {
        if self.json {
            output::json_line(&json!({"event": "done", "outcome": outcome, "pictures": pictures}));
        }
    }

    /// Takes the bar away.
    pub(super) fn clear(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }

    /// Prints without tearing the bar.
    fn aside(&self, print: impl FnOnce()) {
        match &self.bar {
            Some(bar) => bar.suspend(print),
            None => print(),
        }
    }
}

impl Drop for Reporter {
    fn drop(&mut self) {
        self.clear();
    }
}

// The templates are constants; should one be wrong, the bar looks plain.
fn spinner() -> ProgressStyle {
    ProgressStyle::with_template("{spinner} {msg}").unwrap_or_else(|_| ProgressStyle::default_spinner())
}

fn steps_style() -> ProgressStyle {
    ProgressStyle::with_template("{spinner} {bar:24} {msg}").unwrap_or_else(|_| ProgressStyle::default_bar())
}

/// Steps done over time, and so the time left. The first step, which warms things up, is not counted.
#[derive(Default)]
struct Pace {
    total: u32,
    first: Option<(u32, Instant)>,
}

impl Pace {
    fn left(&mut self, done: u32, now: Instant) -> Option<Duration> {
        let (first, since) = *self.first.get_or_insert((done, now));
        let counted = done.checked_sub(first).filter(|counted| *counted > 0)?;
        Some(now.duration_since(since) / counted * self.total.saturating_sub(done))
    }
}

fn in_words(time: Duration) -> String {
    match time.as_secs() {
        seconds @ 0..100 => format!("{seconds} s"),
        seconds @ 100..6000 => format!("{} min", (seconds + 30) / 60),
        seconds => format!("{:.1} h", seconds as f64 / 3600.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_left_follows_the_pace_of_all_steps_but_the_first() {
        let start = Instant::now();
        let after = |seconds| start + Duration::from_secs(seconds);
        let mut pace = Pace { total: 20, first: None };
        assert_eq!(pace.left(1, after(30)), None);
        assert_eq!(pace.left(2, after(32)), Some(Duration::from_secs(36)));
        assert_eq!(pace.left(11, after(50)), Some(Duration::from_secs(18)));
        assert_eq!(pace.left(20, after(70)), Some(Duration::ZERO));
    }

    #[test]
    fn times_are_said_as_people_do() {
        let check = |seconds, expected: &str| assert_eq!(in_words(Duration::from_secs(seconds)), expected);
        check(0, "0 s");
        check(99, "99 s");
        check(100, "2 min");
        check(5999, "100 min");
        check(9000, "2.5 h");
    }
}
