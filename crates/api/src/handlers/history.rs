//! Every request that was ever made.

use tarim_library::{Library, Request};
use tarim_studio::Record;

use super::Answer;
use super::gallery::{read_query, summary};
use crate::convert;
use crate::dispatch::Door;
use crate::wire::Id;
use crate::wire::history::{HistoryEntry, HistoryPage, HistoryQuery, Outcome};

/// Pictures shown of a request.
const STRIP: usize = 12;
/// The most entries of a page.
const LONGEST_PAGE: u32 = 200;

pub(crate) fn page_history(door: &Door<'_>, request: HistoryQuery) -> Answer<HistoryPage> {
    let (query, remarks) = read_query(&request.query)?;
    let after = request.after.as_deref().map(convert::id).transpose()?;
    let limit = request.limit.clamp(1, LONGEST_PAGE);
    let library = door.studio.library()?;
    // One more, to know whether there is another page.
    let mut found = library.requests(&query, after, limit + 1)?;
    let more = found.len() > limit as usize;
    found.truncate(limit as usize);
    let next = found.last().filter(|_| more).map(|request| request.id.to_string());
    let entries = found.into_iter().map(|request| entry(&library, request)).collect::<Answer<_>>()?;
    Ok(HistoryPage { entries, next, remarks })
}

pub(crate) fn get_request(door: &Door<'_>, request: Id) -> Answer<HistoryEntry> {
    let library = door.studio.library()?;
    let found = library.request(convert::id(&request.id)?)?;
    entry(&library, found)
}

fn entry(library: &Library, request: Request) -> Answer<HistoryEntry> {
    // Some of them may be in the trash or gone.
    let pictures = library.request_pictures(request.id, 2 * STRIP as u32)?;
    let there = pictures.into_iter().filter(|picture| picture.trashed_at.is_none() && !picture.missing);
    let mut errors = Vec::new();
    if request.outcome.failed > 0 {
        for error in library.request_jobs(request.id)?.into_iter().filter_map(|job| job.error) {
            if !errors.contains(&error.message) {
                errors.push(error.message);
            }
        }
    }
    Ok(HistoryEntry {
        id: request.id.to_string(),
        created: request.created.ms as f64,
        prompt: request.facts.prompt,
        template: request.template,
        negative_prompt: request.facts.negative,
        model: request.facts.model.unwrap_or_default(),
        count: request.count,
        draft: Record::read(&request.draft).draft,
        outcome: Outcome {
            queued: request.outcome.queued,
            running: request.outcome.running,
            done: request.outcome.done,
            failed: request.outcome.failed,
            cancelled: request.outcome.cancelled,
        },
        pictures: there.take(STRIP).map(summary).collect(),
        project: request.project,
        origin: request.origin,
        errors,
    })
}
