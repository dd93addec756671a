//! Batches: submission in parts, holding, looking up what exists.

#![allow(clippy::unwrap_used)]

mod common;

use common::{NOW, World, later, new_id, recipe, world};
use tarim_library::{
    BatchRow, Conditions, ExistingPlace, Hold, Id, JobError, JobFilter, NewBatch, NewJob, NewRequest, State,
};
use tarim_recipe::{ModelRef, Precision, Seed};

fn batch(world: &World) -> Id {
    let id = new_id();
    let new = NewBatch {
        id,
        set: Some(new_id()),
        name: "a run".to_owned(),
        created: NOW,
        options: "{}".to_owned(),
        cursor: "0".to_owned(),
        conditions: Conditions::default(),
    };
    world.library.create_batch(&new).unwrap();
    id
}

fn row(row: i64, prompt: &str, count: u64) -> BatchRow {
    let recipe = recipe(prompt);
    let request = NewRequest {
        id: new_id(),
        created: NOW,
        origin: "test".to_owned(),
        draft: "{}".to_owned(),
        template: None,
        prompt: prompt.to_owned(),
        negative: String::new(),
        project: None,
        warnings: Vec::new(),
    };
    let job = |n| NewJob {
        id: new_id(),
        recipe: recipe.nth(n),
        open_precision: false,
        model_path: "/models/starter".into(),
        preview: false,
        priority: 0,
        parent: None,
        derivation: None,
    };
    BatchRow { row: Some(row), request, jobs: (0..count).map(job).collect() }
}

#[test]
fn a_batch_is_filled_rendered_and_counted() {
    let world = world();
    let library = &world.library;
    let id = batch(&world);
    library.fill_batch(id, &[row(1, "a", 2), row(2, "b", 1)], 0, Some("2")).unwrap();
    assert_eq!(library.unfilled_batches().unwrap()[0].cursor.as_deref(), Some("2"));
    library.fill_batch(id, &[row(7, "c", 1)], 5, None).unwrap();
    assert!(library.unfilled_batches().unwrap().is_empty());
    let found = library.batch(id).unwrap();
    assert_eq!((found.planned, found.skipped, found.counts.outcome.queued), (4, 5, 4));

    let first = world.claim("w").unwrap();
    assert_eq!(first.batch, Some(id));
    world.save(&first, "w");
    let second = world.claim("w").unwrap();
    let error = JobError { code: "model".into(), message: "it is damaged".into(), hint: None };
    library.fail_job(second.id, "w", &error, later(3)).unwrap();
    let found = library.batch(id).unwrap().counts;
    assert_eq!((found.outcome.done, found.outcome.failed, found.outcome.queued), (1, 1, 2));
    assert_eq!((found.first_started, found.last_finished), (Some(NOW.ms), Some(later(3).ms)));
    let failures = library.batch_failures(id).unwrap();
    assert_eq!((failures[0].count, failures[0].rows.as_slice()), (1, &[1][..]));
    assert_eq!(failures[0].error, error);
    let pictures = library.batch_pictures(id, 0, 10).unwrap();
    assert_eq!((pictures.len(), pictures[0].id, pictures[0].row), (1, first.id, Some(1)));

    assert_eq!(library.retry_batch(id, false).unwrap(), 1);
    assert_eq!(library.cancel_batch(id, later(4)).unwrap(), 3);
    let found = library.batch(id).unwrap().counts.outcome;
    assert_eq!((found.done, found.cancelled), (1, 3));
    assert_eq!(library.retry_batch(id, true).unwrap(), 3);
    assert_eq!(library.batches(None, 0, 10).unwrap().len(), 1);
    library.dismiss_batch(id).unwrap();
    assert!(library.batches(None, 0, 10).unwrap().is_empty());
}

#[test]
fn a_held_batch_lets_others_go_first() {
    let world = world();
    let library = &world.library;
    let id = batch(&world);
    library.fill_batch(id, &[row(1, "a", 2)], 0, Some("1")).unwrap();
    assert!(library.hold_batch(id, Some(Hold::Paused)).unwrap());
    assert!(!library.hold_batch(id, Some(Hold::Paused)).unwrap());
    // What is submitted meanwhile waits too.
    library.fill_batch(id, &[row(2, "b", 1)], 0, None).unwrap();
    let (_, other) = world.enqueue("other", 1);
    assert_eq!(world.claim("w").unwrap().id, other[0]);
    assert!(world.claim("w").is_none());
    let waiting = library.jobs(&JobFilter { state: State::Queued, offset: 0, limit: 10 }).unwrap();
    assert!(waiting.len() == 3 && waiting.iter().all(|job| job.held));
    assert_eq!(library.batch(id).unwrap().hold, Some(Hold::Paused));
    library.hold_batch(id, None).unwrap();
    assert_eq!(world.claim("w").unwrap().batch, Some(id));
    library.hold_batch(id, Some(Hold::Time)).unwrap();
    library.retry_batch(id, true).unwrap();
    assert!(world.claim("w").is_none());
}

#[test]
fn what_exists_is_found_by_what_determines_it() {
    let world = world();
    let library = &world.library;
    let made = world.render("a fox", 1)[0];
    let key = recipe("a fox").picture_key();
    let place = |key| library.find_existing(&[key]).unwrap().get(&key).map(|found| (found.id, found.place));
    assert_eq!(place(key), Some((made, ExistingPlace::Library)));
    assert_eq!(place(recipe("a hare").picture_key()), None);
    let mut other = recipe("a fox");
    other.seed = Seed(8);
    assert_eq!(place(other.picture_key()), None);
    other = recipe("a fox");
    other.model.name = "renamed".to_owned();
    assert_eq!(place(other.picture_key()), None, "a model without a hash is its name");
    library.trash(&[made], NOW).unwrap();
    assert_eq!(place(key), Some((made, ExistingPlace::Trash)));
    let (_, jobs) = world.enqueue("a fox", 1);
    assert_eq!(place(key), Some((jobs[0], ExistingPlace::Queue)));
}

#[test]
fn the_index_made_again_knows_what_exists() {
    let world = world();
    let mut made = recipe("a fox");
    made.model = ModelRef { name: "starter".to_owned(), hash: Some("ab".repeat(32)) };
    made.precision = Precision::Bf16;
    let id = world.render_at(NOW, made.clone(), 1)[0];
    world.rebuild();
    made.model.name = "renamed".to_owned();
    let keys = made.possible_picture_keys();
    let found = world.library.find_existing(&keys).unwrap();
    assert_eq!(found.values().map(|found| found.id).collect::<Vec<_>>(), [id]);
}
