//! `tarim farm`.

pub(crate) mod args;
mod submit;

use std::fs;

use serde_json::{Value, json};
use tarim_farm::{Farm, FarmError, FarmOptions as Options, Purged, Token, WorkerCard};
use tarim_studio::{Origin, Role};

use crate::environment::Environment;
use crate::failure::{Exit, Failure, Result};
use crate::output;
use args::{DeadCommand, FarmCommand, FarmOptions};

/// How many dead letters are listed.
const MOST_LETTERS: usize = 1_000;

impl From<FarmError> for Failure {
    fn from(error: FarmError) -> Self {
        let exit = match &error {
            FarmError::Address { .. } | FarmError::Options(_) | FarmError::Name(_) => Exit::Usage,
            FarmError::Recipe { .. } | FarmError::File { .. } | FarmError::Missing(_) => Exit::BadInput,
            _ => Exit::Farm,
        };
        Self { hint: error.hint(), ..Self::from_error(exit, &error) }
    }
}

pub(crate) fn run(options: &FarmOptions, environment: &Environment) -> Result<()> {
    let connection = options.server.connection()?;
    if connection.url.is_empty() {
        return Err(Failure::new(Exit::Usage, "there is no farm: its address is not given")
            .hint("give `--nats nats://HOST:4222`, or set TARIM_NATS"));
    }
    for warning in connection.warnings() {
        output::warning(&warning);
    }
    let farm = Farm::connect(&connection, &Options::default(), submitter(environment), "tarim farm")?;
    match &options.command {
        FarmCommand::Submit(submit) => submit::run(&farm, submit, options.json, environment),
        FarmCommand::Status => status(&farm, options.json),
        FarmCommand::Workers => workers(&farm, options.json),
        FarmCommand::Dead { command: None } => dead(&farm, options.json),
        FarmCommand::Dead { command: Some(DeadCommand::Retry { ids }) } => retry(&farm, ids, options.json),
        FarmCommand::Purge(what) => {
            let what = Purged {
                jobs: what.jobs,
                results: what.results,
                dead: what.dead,
                inputs: what.inputs,
                models: what.models,
            };
            let gone = farm.purge(what)?;
            if options.json {
                output::json_line(&json!({ "event": "purged", "count": gone }));
            } else {
                output::note(&format!("{gone} jobs, results and dead letters are gone"));
            }
            Ok(())
        }
    }
}

/// This user's name on farms, the same each time. Without a folder to keep it in, results are found by this run alone.
fn submitter(environment: &Environment) -> Token {
    let file = environment.surroundings(Origin::Cli, Role::Guest).config_folder.join("farm-id");
    let known = fs::read_to_string(&file).ok().and_then(|text| Token::new(text.trim()).ok());
    known.unwrap_or_else(|| {
        let name = Token::random();
        let _ = file.parent().map(fs::create_dir_all);
        let _ = fs::write(&file, name.as_str());
        name
    })
}

fn value(of: &impl serde::Serialize) -> Value {
    serde_json::to_value(of).unwrap_or_default()
}

fn status(farm: &Farm, json: bool) -> Result<()> {
    let status = farm.status()?;
    if json {
        output::json_line(&value(&status));
        return Ok(());
    }
    output::line(&format!(
        "farm        {} ({}), nats-server {}",
        status.server, status.namespace, status.version
    ));
    output::line(&format!("workers     {}", status.workers));
    output::line(&format!("jobs        {} waiting, {} being drawn", status.waiting, status.running));
    output::line(&format!("ended       {} to be picked up, {} given up", status.ended, status.dead));
    output::line(&format!(
        "room        {} pictures, {} inputs, {} models",
        output::bytes(status.picture_bytes),
        output::bytes(status.input_bytes),
        output::bytes(status.model_bytes)
    ));
    for one in &status.submitters {
        let line =
            format!("submitter   {}: {} waiting, {} being drawn", one.submitter, one.waiting, one.running);
        output::line(&line);
    }
    Ok(())
}

fn workers(farm: &Farm, json: bool) -> Result<()> {
    let cards = farm.workers()?;
    if cards.is_empty() && !json {
        output::note(
            "no worker is there; on a machine that draws, run `tarim-renderer --nats URL --models FOLDER`",
        );
    }
    for card in cards {
        if json {
            output::json_line(&value(&card));
        } else {
            output::line(&row(&card));
        }
    }
    Ok(())
}

fn row(card: &WorkerCard) -> String {
    let device =
        card.device.as_ref().map_or_else(String::new, |device| format!("{} ({})", device.name, device.id));
    let doing = match (&card.job, &card.working_for) {
        (Some(_), Some(who)) => format!("draws for {who}"),
        _ if card.leaving => "is leaving".to_owned(),
        _ => "waits".to_owned(),
    };
    let speed = card.speed.map_or_else(String::new, |speed| format!(", {speed:.1} megapixel steps a second"));
    let models: Vec<&str> = card.models.iter().map(|model| model.name.as_str()).collect();
    format!(
        "{}: {device}; {doing}; {} pictures{speed}; models: {}",
        card.name,
        card.pictures,
        models.join(", ")
    )
}

fn dead(farm: &Farm, json: bool) -> Result<()> {
    let letters = farm.dead(MOST_LETTERS)?;
    if letters.is_empty() && !json {
        output::note("no job was given up");
    }
    for letter in letters {
        if json {
            output::json_line(&value(&letter));
            continue;
        }
        let job = letter.job.as_ref().map_or("unreadable", Token::as_str);
        let line = format!(
            "{job} of {}: {} (after {} deliveries, by {})",
            letter.submitter_name, letter.reason.message, letter.deliveries, letter.worker
        );
        output::line(&line);
    }
    Ok(())
}

fn retry(farm: &Farm, ids: &[String], json: bool) -> Result<()> {
    let ids: Vec<Token> = ids
        .iter()
        .map(Token::new)
        .collect::<Result<_, _>>()
        .map_err(|error| Failure::from(FarmError::from(error)))?;
    let retried = farm.retry(&ids)?;
    if let Some(unknown) = ids.iter().find(|id| !retried.contains(id)) {
        return Err(Failure::bad_input(format!("job {unknown} is not among those that were given up")));
    }
    if json {
        output::json_line(&json!({ "event": "retried", "jobs": retried }));
    } else {
        output::note(&format!("{} jobs are tried again", retried.len()));
    }
    Ok(())
}
