//! Prompt sets: planned, run, run again, stopped and gone on with.

use tarim_library::{Hold, ThumbnailSize};
use tarim_render::fake::Script;
use tarim_sets::{ReadOptions, WriteOptions};

use super::*;
use crate::sets::{AxisText, BatchState, Edit, Into, NewTable, RunOptions, SetKind, SetView};
use crate::{ErrorKind, How};

const SIZE: [&str; 2] = ["64x64", "1"];

/// A set of small pictures.
fn set(studio: &Studio, prompts: &[&str]) -> SetView {
    let rows = prompts.iter().map(|prompt| vec![(*prompt).to_owned(), SIZE[0].into(), SIZE[1].into()]);
    studio
        .create_set(NewTable {
            name: "头像 avatars".to_owned(),
            columns: ["提示词", "size", "Steps", "template_mode", "count"].map(str::to_owned).to_vec(),
            rows: rows.collect(),
            ..NewTable::default()
        })
        .unwrap()
}

fn run(studio: &Studio, set: &SetView) -> Id {
    studio.run_set(set.summary.id, RunOptions::default(), None).unwrap().batch.id
}

#[track_caller]
fn until_finished(studio: &Studio, batch: Id) {
    until("the run has finished", || studio.batch(batch).unwrap().state == BatchState::Finished);
}

fn cells(studio: &Studio, set: &SetView, changes: &[(usize, usize, &str)]) {
    let rows = studio.set_rows(set.summary.id, 0, 1000).unwrap().rows;
    let cells = changes.iter().map(|(row, column, text)| (rows[*row].row, *column, (*text).to_owned()));
    studio.edit_set(set.summary.id, "cells", vec![Edit::Cells(cells.collect())]).unwrap();
}

#[test]
fn a_set_is_planned_and_run_and_a_second_run_draws_only_what_is_new() {
    let bench = Bench::new(Script::default());
    let studio = bench.open();
    let prompts = ["a fox", "a fox", "a {red|blue|green} crane", "一只猫", "a dog"];
    let set = set(&studio, &prompts);
    cells(&studio, &set, &[(2, 3, "combinatorial")]);
    let options = RunOptions::default();
    let plan = studio.plan_set(set.summary.id, &options).unwrap();
    assert_eq!(
        (plan.rows, plan.ready, plan.new, plan.pictures.to_string().as_str()),
        (5, 5, 7, "7"),
        "{plan:?}"
    );
    assert_eq!((plan.models[0].pictures, plan.errors, plan.refused.is_none()), (7, 0, true));

    let batch = run(&studio, &set);
    until_finished(&studio, batch);
    let found = studio.batch(batch).unwrap();
    assert_eq!((found.batch.planned, found.batch.skipped, found.batch.counts.outcome.done), (7, 0, 7));
    assert_eq!(studio.batch_pictures(batch, 0, 100).unwrap().len(), 7);
    assert_eq!(files(&studio.library().unwrap()).len(), 7);

    let plan = studio.plan_set(set.summary.id, &options).unwrap();
    assert_eq!((plan.new, plan.existing), (0, 7), "{plan:?}");
    assert!(plan.models.is_empty() && plan.seconds.is_none());
    let again = run(&studio, &set);
    let found = studio.batch(again).unwrap();
    assert_eq!((found.batch.planned, found.batch.skipped, found.state), (0, 7, BatchState::Finished));

    // Three rows, and one more value in a template.
    cells(
        &studio,
        &set,
        &[(0, 0, "a hare"), (3, 0, "一只狗"), (4, 2, "2"), (2, 0, "a {white|red|blue|green} crane")],
    );
    let plan = studio.plan_set(set.summary.id, &options).unwrap();
    assert_eq!((plan.new, plan.existing), (4, 4), "{plan:?}");
    let third = run(&studio, &set);
    until_finished(&studio, third);
    assert_eq!(studio.batch(third).unwrap().batch.counts.outcome.done, 4);

    // What is in the trash was seen and not liked.
    let library = studio.library().unwrap();
    let first = studio.batch_pictures(third, 0, 1).unwrap()[0].id;
    library.trash(&[first], studio.now()).unwrap();
    let plan = studio.plan_set(set.summary.id, &options).unwrap();
    assert_eq!((plan.new, plan.trashed), (0, 1));
    let replace = RunOptions { replace_trashed: true, ..options.clone() };
    assert_eq!(studio.plan_set(set.summary.id, &replace).unwrap().new, 1);
    let all = RunOptions { again: true, ..options.clone() };
    assert_eq!(studio.plan_set(set.summary.id, &all).unwrap().new, 8);
    let fresh = RunOptions { new_seeds: true, ..options };
    assert_eq!(studio.plan_set(set.summary.id, &fresh).unwrap().new, 8);
    let report = studio.report(batch).unwrap();
    assert_eq!((report.done, report.models[0].pictures), (7, 7));
    assert!(report.models[0].hash.is_some() && report.markdown().contains("| 7 | 0 | 7 |"), "{report:?}");
    assert!(report.html().contains("<td>7</td>"));
}

#[test]
fn bad_rows_stay_behind_and_say_why() {
    let bench = Bench::new(Script::default());
    let studio = bench.open();
    let set =
        set(&studio, &["good", "bad size", "", "no such __wildcard__ {a|b}", "__another__", "also good"]);
    cells(&studio, &set, &[(1, 1, "100000x64"), (3, 3, "random")]);
    let plan = studio.plan_set(set.summary.id, &RunOptions::default()).unwrap();
    assert_eq!((plan.ready, plan.new), (2, 2), "{plan:#?}");
    assert!(plan.bad >= 3 && plan.errors >= 3);
    let rows: Vec<_> = plan.problems.iter().filter_map(|problem| problem.row).collect();
    assert!([2, 3, 4, 5].iter().all(|row| rows.contains(row)), "{:#?}", plan.problems);
    let check = studio.check_rows(set.summary.id, 0, 100).unwrap();
    assert_eq!(check.pictures.len(), 2);
    let batch = run(&studio, &set);
    until_finished(&studio, batch);
    assert_eq!(studio.batch(batch).unwrap().batch.counts.outcome.done, 2);
}

#[test]
fn more_pictures_than_anybody_can_mean_are_refused_with_their_number() {
    let bench = Bench::new(Script::default());
    let studio = bench.open();
    let huge = "{0|1|2|3|4|5|6|7|8|9}".repeat(30);
    let set = set(&studio, &["a fox", &huge]);
    cells(&studio, &set, &[(1, 3, "combinatorial")]);
    let plan = studio.plan_set(set.summary.id, &RunOptions::default()).unwrap();
    assert_eq!(plan.pictures.to_string(), format!("1{}1", "0".repeat(29)));
    let refused = plan.refused.unwrap();
    assert!(refused.message.contains("10^30") && refused.hint.is_some(), "{refused:?}");
    let error = studio.run_set(set.summary.id, RunOptions::default(), None).unwrap_err();
    assert_eq!(error.kind, ErrorKind::BadInput);
    assert!(studio.batches(None, 0, 10).unwrap().is_empty());
    let preview = studio.preview_template(&huge, tarim_sets::TemplateMode::Combinatorial, 1, 0, 5).unwrap();
    assert_eq!((preview.combinations.len(), preview.examples.len()), (31, 5));
    // A limit makes it possible.
    cells(&studio, &set, &[(1, 3, "random"), (1, 4, "3")]);
    assert_eq!(studio.plan_set(set.summary.id, &RunOptions::default()).unwrap().new, 4);
}

#[test]
fn a_run_is_paused_cancelled_retried_and_held_by_the_clock() {
    let bench = Bench::new(Script { step_ms: 5, ..Script::default() });
    let studio = bench.open();
    let set = set(&studio, &["a", "b", "c", "d", "e", "f"]);
    studio.pause(true, false).unwrap();
    let batch = run(&studio, &set);
    studio.pause_batch(batch, true).unwrap();
    studio.pause(false, false).unwrap();
    let other = studio.submit(&pictures("other", 1, 1)).unwrap();
    until_done(&studio, &other);
    let held = studio.batch(batch).unwrap();
    assert_eq!((held.state, held.batch.counts.outcome.queued), (BatchState::Held, 6), "{held:?}");
    // The same set once more: all of it waits already.
    assert_eq!(studio.plan_set(set.summary.id, &RunOptions::default()).unwrap().queued, 6);
    assert_eq!(studio.cancel_batch(batch).unwrap().batch.counts.outcome.cancelled, 6);
    studio.retry_batch(batch, true).unwrap();
    assert_eq!(studio.batch(batch).unwrap().batch.counts.outcome.queued, 6);

    studio
        .change_batch(
            batch,
            &tarim_library::Conditions { finish_by: Some(studio.now().ms - 1), ..Default::default() },
        )
        .unwrap();
    studio.pause_batch(batch, false).unwrap();
    until("time is over, or the pictures were done first", || {
        let found = studio.batch(batch).unwrap();
        found.batch.hold == Some(Hold::Time) || found.state == BatchState::Finished
    });
    studio.pause_batch(batch, false).unwrap();
    until_finished(&studio, batch);
    assert_eq!(studio.batch(batch).unwrap().batch.counts.outcome.done, 6);

    // Its time is over before it begins.
    studio.pause(true, false).unwrap();
    let late = RunOptions { again: true, finish_by: Some(studio.now().ms - 1000), ..RunOptions::default() };
    assert!(
        studio.plan_set(set.summary.id, &late).unwrap().remarks.iter().any(|it| it.code == "batch_time_over")
    );
    let batch = studio.run_set(set.summary.id, late, None).unwrap().batch.id;
    until("it is held", || studio.batch(batch).unwrap().batch.hold == Some(Hold::Time));
    studio.pause(false, false).unwrap();
    assert_eq!(studio.batch(batch).unwrap().batch.counts.outcome.queued, 6);
    studio.pause_batch(batch, false).unwrap();
    until_finished(&studio, batch);
}

#[test]
fn a_run_goes_on_after_a_restart_also_where_submission_was_cut_short() {
    let bench = Bench::new(Script { step_ms: 20, ..Script::default() });
    let studio = bench.open();
    let prompts: Vec<String> = (0..12).map(|n| format!("picture {n}")).collect();
    let prompts: Vec<&str> = prompts.iter().map(String::as_str).collect();
    let set = set(&studio, &prompts);
    let batch = run(&studio, &set);
    until("some are done", || studio.batch(batch).unwrap().batch.counts.outcome.done >= 2);
    studio.close(How::StopNow);
    drop(studio);
    // As if the process had died before its rows were all submitted.
    let (library, _) = Library::open(&bench.library_folder(), tarim_library::Moment::new(0, 0)).unwrap();
    library.fill_batch(batch, &[], 0, Some("{}")).unwrap();
    drop(library);
    lock(&bench.script).step_ms = 0;
    let studio = bench.open();
    until_finished(&studio, batch);
    let found = studio.batch(batch).unwrap();
    assert_eq!((found.batch.counts.outcome.done, found.batch.planned), (12, 12));
    assert_eq!(files(&studio.library().unwrap()).len(), 12);
}

#[test]
fn a_comparison_becomes_a_grid() {
    let bench = Bench::new(Script::default());
    let studio = bench.open();
    let axis = |field: &str, values: &str| AxisText { field: field.to_owned(), values: values.to_owned() };
    let draft =
        Draft { prompt: Some("a fox in snow".into()), width: Some(64), height: Some(64), ..Draft::default() };
    let set = studio
        .create_set(NewTable {
            name: "steps × words".to_owned(),
            kind: SetKind::Grid,
            defaults: draft.into(),
            axes: vec![axis("Steps", "1-3"), axis("Prompt S/R", "fox, hare")],
            ..NewTable::default()
        })
        .unwrap();
    let plan = studio.plan_set(set.summary.id, &RunOptions::default()).unwrap();
    assert_eq!((plan.rows, plan.new), (6, 6), "{plan:?}");
    let batch = run(&studio, &set);
    until_finished(&studio, batch);
    let grid = studio.grid(batch).unwrap();
    assert!(grid.pictures.iter().all(Option::is_some));
    assert_eq!(grid.layout.axes[1].labels.len(), 2);
    let mut png = Vec::new();
    studio.grid_png(batch, &mut png).unwrap();
    assert!(image::load_from_memory(&png).unwrap().width() > 3 * 64);
    until("thumbnails are there", || {
        grid.pictures
            .iter()
            .flatten()
            .all(|id| studio.library().unwrap().thumbnail(*id, ThumbnailSize::Large).is_ok())
    });
    let mut page = Vec::new();
    studio.grid_html(batch, "zh-Hans", &mut page).unwrap();
    assert_eq!(String::from_utf8(page).unwrap().matches("src=\"data:").count(), 6);
    let wrong = studio.read_axis(&axis("Steps", "many")).unwrap_err();
    assert!(wrong.message.contains("many"), "{wrong:?}");
    // One more value: one more column.
    let mut settings = studio.set(set.summary.id).unwrap().settings;
    settings.axes[0].values = "1-4".to_owned();
    studio.edit_set(set.summary.id, "settings", vec![Edit::Settings(Box::new(settings))]).unwrap();
    assert_eq!(studio.plan_set(set.summary.id, &RunOptions::default()).unwrap().new, 2);
}

#[test]
fn files_come_in_and_go_out_and_edits_are_taken_back() {
    let bench = Bench::new(Script::default());
    let studio = bench.open();
    let csv = "提示词,Steps,自定义\n一只狐狸,1,x\na crane,2,y\n";
    let read = studio.import_set("角色.csv", csv.as_bytes(), &ReadOptions::default(), Into::New).unwrap();
    assert_eq!((read.rows, read.set.summary.name.as_str(), read.set.columns.len()), (2, "角色", 3));
    let id = read.set.summary.id;
    let out = studio.export_set(id, tarim_sets::Format::Csv, &WriteOptions::default()).unwrap();
    assert_eq!(String::from_utf8(out).unwrap().replace("\r\n", "\n").trim_start_matches('\u{feff}'), csv);
    let more = "Steps,prompt,new\n9,a hare,z\n";
    studio.import_set("more.csv", more.as_bytes(), &ReadOptions::default(), Into::Append(id)).unwrap();
    let page = studio.set_rows(id, 0, 10).unwrap();
    assert_eq!(
        (page.total, page.rows[2].cells.as_slice()),
        (3, &["a hare", "9", "", "z"].map(String::from)[..])
    );
    studio.undo_set(id).unwrap();
    assert_eq!(studio.set(id).unwrap().columns.len(), 3);
    studio.import_set("more.csv", more.as_bytes(), &ReadOptions::default(), Into::Replace(id)).unwrap();
    assert_eq!(studio.set_rows(id, 0, 10).unwrap().rows[0].cells, ["9", "a hare", "z"]);
    studio.undo_set(id).unwrap();
    let rows = studio.set_rows(id, 0, 10).unwrap().rows;
    assert_eq!(rows[0].cells, ["一只狐狸", "1", "x"]);
    let paste = vec![vec!["p".to_owned(), "q".to_owned()], vec!["r".to_owned(), "s".to_owned()]];
    let edits = vec![
        Edit::Paste { row: Some(rows[1].row), column: 2, lines: paste },
        Edit::FillDown { rows: vec![rows[0].row, rows[1].row], columns: vec![1] },
    ];
    let edited = studio.edit_set(id, "paste", edits).unwrap();
    assert_eq!((edited.set.columns.len(), edited.added.len()), (4, 1));
    let texts: Vec<_> = studio.set_rows(id, 0, 10).unwrap().rows.into_iter().map(|row| row.cells).collect();
    assert_eq!(texts[1], ["a crane", "1", "p", "q"]);
    assert_eq!(texts[2], ["", "", "r", "s"]);
    let wrong = studio.edit_set(id, "cells", vec![Edit::DeleteColumn(0), Edit::DeleteColumn(9)]);
    assert_eq!(wrong.unwrap_err().kind, ErrorKind::NotFound);
    assert_eq!(studio.set(id).unwrap().columns.len(), 4, "all of an edit happens, or none");
}
