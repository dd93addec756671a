//! `tarim history` and `tarim gallery`: finding prompts and pictures by the query language.

use tarim_api::wire::gallery::PictureDetail;
use tarim_api::wire::gallery::{GalleryLayout, GalleryQuery, Keys, PictureSummary, Pictures};
use tarim_api::wire::history::{HistoryEntry, HistoryPage, HistoryQuery};
use tarim_api::wire::{Id, Remark};
use tarim_studio::{Origin, Role};

use super::{Door, derive, print_json};
use crate::args::SearchOptions;
use crate::args::gallery::{GalleryCommand, GalleryOptions};
use crate::environment::Environment;
use crate::failure::Result;
use crate::output;

/// Pictures or requests asked for at once.
const PAGE: u32 = 200;

pub(crate) fn history(options: &SearchOptions, environment: &Environment) -> Result<()> {
    let door = Door::open(environment, options.library.as_deref(), Origin::Cli, Role::Guest)?;
    let mut query =
        HistoryQuery { query: options.query.join(" "), after: None, limit: PAGE.min(options.limit) };
    let mut left = options.limit;
    loop {
        let page: HistoryPage = door.ask("page_history", &query)?;
        if query.after.is_none() {
            remark(&page.remarks);
        }
        for entry in page.entries.iter().take(left as usize) {
            if options.json { print_json(entry) } else { show_request(entry) }
        }
        left = left.saturating_sub(page.entries.len() as u32);
        if left == 0 || page.next.is_none() {
            return Ok(());
        }
        query.after = page.next;
        query.limit = PAGE.min(left);
    }
}

pub(crate) fn gallery(options: &GalleryOptions, environment: &Environment) -> Result<()> {
    match &options.command {
        None => find(&options.search, environment),
        Some(GalleryCommand::Crop(options)) => derive::crop(options, environment),
        Some(GalleryCommand::Upscale(options)) => derive::upscale(options, environment),
    }
}

fn find(options: &SearchOptions, environment: &Environment) -> Result<()> {
    let door = Door::open(environment, options.library.as_deref(), Origin::Cli, Role::Guest)?;
    let query = GalleryQuery { query: options.query.join(" "), ..GalleryQuery::default() };
    let layout: GalleryLayout = door.ask("layout_pictures", &query)?;
    remark(&layout.remarks);
    for keys in layout.keys[..layout.keys.len().min(options.limit as usize)].chunks(PAGE as usize) {
        let found: Pictures = door.ask("get_pictures", &Keys { keys: keys.to_vec() })?;
        for picture in &found.pictures {
            if options.json { print_json(picture) } else { show_picture(&door, picture)? }
        }
    }
    Ok(())
}

/// What is odd about the query.
fn remark(remarks: &[Remark]) {
    for remark in remarks {
        output::warning(&remark.message);
    }
}

fn show_request(entry: &HistoryEntry) {
    let outcome = &entry.outcome;
    let words = [
        (outcome.done, "done"),
        (outcome.running, "running"),
        (outcome.queued, "waiting"),
        (outcome.failed, "failed"),
        (outcome.cancelled, "cancelled"),
    ];
    let words: Vec<String> =
        words.iter().filter(|(count, _)| *count > 0).map(|(count, word)| format!("{count} {word}")).collect();
    output::line(&format!("{}  {}  {}", entry.id, words.join(", "), entry.prompt.replace('\n', " ")));
}

fn show_picture(door: &Door, picture: &PictureSummary) -> Result<()> {
    let detail: PictureDetail = door.ask("get_picture", &Id { id: picture.id.clone() })?;
    let stars = "*".repeat(picture.rating.into());
    output::line(&format!("{}  {stars:<5}  {}", detail.file, picture.prompt.replace('\n', " ")));
    Ok(())
}
