//! Prompt sets and their runs.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tarim_library::{Conditions, Hold as LibraryHold};
use tarim_sets::{ReadOptions, TemplateMode};
use tarim_studio::sets::{self as domain, BatchView, Edit, Into, NewTable, SetView};
use tarim_studio::{ErrorKind, StudioError};

use super::Answer;
use crate::convert::{self, count};
use crate::dispatch::Door;
use crate::error::{ErrorCode, WireError};
use crate::wire::sets::{
    AxisPreview, AxisText, Batch, BatchDetail, BatchFailure, BatchPicture, BatchPictures, BatchState,
    Batches, ChangeBatch, ChangeSet, CreateSet, EditSet, EditedSet, Grid, GridAxis, Hold, ImportInto,
    ImportSet, ImportedSet, ListBatches, ListSets, NameSet, PageBatch, PageRows, PauseBatch, Plan,
    PlannedModel, PreviewTemplate, ReadAxis, RetryBatch, RowPictures, RowsCheck, RowsPage, RunOptions,
    RunSet, RunStarted, SecondsRange, SetColumn, SetDetail, SetEdit, SetKind, SetList, SetRow, SetSummary,
    TemplatePreview, Wildcard, Wildcards,
};
use crate::wire::{Empty, Id, Remark, RemarkSeverity};

/// How many problems of a file are told one by one.
const PROBLEMS_TOLD: usize = 1000;

fn kind(kind: domain::SetKind) -> SetKind {
    match kind {
        domain::SetKind::Table => SetKind::Table,
        domain::SetKind::Grid => SetKind::Grid,
    }
}

fn summary(set: domain::SetSummary) -> SetSummary {
    SetSummary {
        id: set.id.to_string(),
        name: set.name,
        kind: kind(set.kind),
        rows: count(set.rows),
        created: set.created as f64,
        changed: set.changed as f64,
    }
}

fn axis(axis: domain::AxisText) -> AxisText {
    AxisText { field: axis.field, values: axis.values }
}

fn axis_of(axis: AxisText) -> domain::AxisText {
    domain::AxisText { field: axis.field, values: axis.values }
}

fn detail(view: SetView) -> SetDetail {
    let column =
        |column: domain::SetColumn| SetColumn { name: column.column.name, field: column.column.field };
    SetDetail {
        summary: summary(view.summary),
        columns: view.columns.into_iter().map(column).collect(),
        defaults: view.settings.defaults,
        model: view.settings.model,
        names: view.settings.names,
        axes: view.settings.axes.into_iter().map(axis).collect(),
        revision: view.revision as f64,
        undo: view.undo,
        redo: view.redo,
    }
}

pub(crate) fn list_sets(door: &Door<'_>, request: ListSets) -> Answer<SetList> {
    Ok(SetList { sets: door.studio.sets(request.trashed)?.into_iter().map(summary).collect() })
}

pub(crate) fn get_set(door: &Door<'_>, request: Id) -> Answer<SetDetail> {
    Ok(detail(door.studio.set(convert::id(&request.id)?)?))
}

pub(crate) fn create_set(door: &Door<'_>, request: CreateSet) -> Answer<SetDetail> {
    let CreateSet { name, kind, columns, rows, defaults, axes } = request;
    let kind = match kind {
        SetKind::Table => domain::SetKind::Table,
        SetKind::Grid => domain::SetKind::Grid,
    };
    let axes = axes.into_iter().map(axis_of).collect();
    Ok(detail(door.studio.create_set(NewTable { name, kind, columns, rows, defaults, axes })?))
}

pub(crate) fn import_set(door: &Door<'_>, request: ImportSet) -> Answer<ImportedSet> {
    let bytes = STANDARD.decode(request.bytes.as_bytes()).map_err(|error| {
        WireError::new(ErrorCode::BadInput, format!("the file's bytes are no Base64: {error}"))
    })?;
    let into = match (&request.set, request.into) {
        (None, _) => Into::New,
        (Some(set), ImportInto::Append) => Into::Append(convert::id(set)?),
        (Some(set), ImportInto::Replace) => Into::Replace(convert::id(set)?),
    };
    let options = ReadOptions { sheet: request.sheet, ..ReadOptions::default() };
    let found = door.studio.import_set(&request.file_name, &bytes, &options, into)?;
    Ok(ImportedSet {
        set: detail(found.set),
        rows: count(found.rows),
        format: found.format.extension().to_owned(),
        notes: found.notes,
        sheets: found.sheets,
        problems_total: count(found.problems.len()),
        problems: found.problems.into_iter().take(PROBLEMS_TOLD).collect(),
    })
}

pub(crate) fn rename_set(door: &Door<'_>, request: NameSet) -> Answer<SetDetail> {
    Ok(detail(door.studio.rename_set(convert::id(&request.id)?, &request.name)?))
}

pub(crate) fn duplicate_set(door: &Door<'_>, request: NameSet) -> Answer<SetDetail> {
    Ok(detail(door.studio.duplicate_set(convert::id(&request.id)?, &request.name)?))
}

pub(crate) fn trash_set(door: &Door<'_>, request: Id) -> Answer<Empty> {
    door.studio.trash_set(convert::id(&request.id)?, true)?;
    Ok(Empty {})
}

pub(crate) fn restore_set(door: &Door<'_>, request: Id) -> Answer<Empty> {
    door.studio.trash_set(convert::id(&request.id)?, false)?;
    Ok(Empty {})
}

pub(crate) fn delete_set(door: &Door<'_>, request: Id) -> Answer<Empty> {
    door.studio.delete_set(convert::id(&request.id)?)?;
    Ok(Empty {})
}

pub(crate) fn change_set(door: &Door<'_>, request: ChangeSet) -> Answer<SetDetail> {
    let id = convert::id(&request.id)?;
    let mut settings = door.studio.set(id)?.settings;
    let some = |text: String| Some(text).filter(|text| !text.trim().is_empty());
    if let Some(defaults) = request.defaults {
        settings.defaults = defaults;
    }
    if let Some(model) = request.model {
        settings.model = some(model);
        door.studio.models().find(settings.model.as_deref())?;
    }
    if let Some(names) = request.names {
        settings.names = some(names);
    }
    if let Some(axes) = request.axes {
        settings.axes = axes.into_iter().map(axis_of).collect();
    }
    let edited = door.studio.edit_set(id, "settings", vec![Edit::Settings(Box::new(settings))])?;
    Ok(detail(edited.set))
}

pub(crate) fn page_rows(door: &Door<'_>, request: PageRows) -> Answer<RowsPage> {
    let page = door.studio.set_rows(convert::id(&request.id)?, request.offset.into(), request.limit)?;
    Ok(RowsPage {
        rows: page.rows.into_iter().map(|row| SetRow { row: row.row, cells: row.cells }).collect(),
        total: count(page.total),
        revision: page.revision as f64,
    })
}

fn edit(edit: SetEdit) -> Edit {
    let places = |columns: Vec<u32>| columns.into_iter().map(|column| column as usize).collect();
    match edit {
        SetEdit::Cells { cells } => {
            Edit::Cells(cells.into_iter().map(|cell| (cell.row, cell.column as usize, cell.text)).collect())
        }
        SetEdit::Paste { row, column, lines } => Edit::Paste { row, column: column as usize, lines },
        SetEdit::FillDown { rows, columns } => Edit::FillDown { rows, columns: places(columns) },
        SetEdit::Clear { rows, columns } => Edit::Clear { rows, columns: places(columns) },
        SetEdit::InsertRows { behind, rows } => Edit::InsertRows { behind, rows },
        SetEdit::AppendRows { rows } => Edit::AppendRows(rows),
        SetEdit::DuplicateRows { rows } => Edit::DuplicateRows(rows),
        SetEdit::DeleteRows { rows } => Edit::DeleteRows(rows),
        SetEdit::MoveRows { rows, behind } => Edit::MoveRows { rows, behind },
        SetEdit::AddColumn { name, at } => Edit::AddColumn { name, at: at.map(|at| at as usize) },
        SetEdit::RenameColumn { column, name } => Edit::RenameColumn { column: column as usize, name },
        SetEdit::MoveColumn { column, to } => Edit::MoveColumn { column: column as usize, to: to as usize },
        SetEdit::DeleteColumn { column } => Edit::DeleteColumn(column as usize),
    }
}

pub(crate) fn edit_set(door: &Door<'_>, request: EditSet) -> Answer<EditedSet> {
    let edits = request.edits.into_iter().map(edit).collect();
    let edited = door.studio.edit_set(convert::id(&request.id)?, &request.label, edits)?;
    Ok(EditedSet { set: detail(edited.set), added: edited.added })
}

pub(crate) fn undo_set(door: &Door<'_>, request: Id) -> Answer<SetDetail> {
    Ok(detail(door.studio.undo_set(convert::id(&request.id)?)?))
}

pub(crate) fn redo_set(door: &Door<'_>, request: Id) -> Answer<SetDetail> {
    Ok(detail(door.studio.redo_set(convert::id(&request.id)?)?))
}

pub(crate) fn check_rows(door: &Door<'_>, request: PageRows) -> Answer<RowsCheck> {
    let found = door.studio.check_rows(convert::id(&request.id)?, request.offset.into(), request.limit)?;
    Ok(RowsCheck {
        header: found.header,
        problems: found.problems,
        pictures: found.pictures.into_iter().map(|(row, pictures)| RowPictures { row, pictures }).collect(),
        revision: found.revision as f64,
    })
}

pub(crate) fn preview_template(door: &Door<'_>, request: PreviewTemplate) -> Answer<TemplatePreview> {
    let seed = match request.seed.as_deref() {
        None | Some("") => 0,
        Some(text) => text
            .parse()
            .map_err(|_| WireError::new(ErrorCode::BadInput, format!("`{text:.40}` is no seed")))?,
    };
    let PreviewTemplate { text, mode, examples, offset, .. } = request;
    let mode = mode.unwrap_or(TemplateMode::Random);
    let found = door.studio.preview_template(&text, mode, seed, offset, examples)?;
    let utf16 = |byte: usize| count(text.get(..byte).map_or(0, |head| head.encode_utf16().count()));
    let code = |value: &dyn erased::Code| value.name();
    let mut remarks: Vec<Remark> = found
        .remarks
        .iter()
        .map(|remark| Remark {
            from: utf16(remark.span.start),
            to: utf16(remark.span.end),
            code: code(&remark.code),
            severity: RemarkSeverity::Warning,
            message: remark.code.message().to_owned(),
            suggestion: None,
        })
        .collect();
    if let Some(error) = &found.error
        && found.remarks.iter().all(|remark| remark.span != error.span)
    {
        remarks.push(Remark {
            from: utf16(error.span.start),
            to: utf16(error.span.end),
            code: "template".to_owned(),
            severity: RemarkSeverity::Warning,
            message: error.to_string(),
            suggestion: None,
        });
    }
    let domain::TemplatePreview { is_template, combinations, examples, .. } = found;
    Ok(TemplatePreview { is_template, combinations, examples, remarks })
}

/// Names of codes, as their JSON writes them.
mod erased {
    /// Anything whose JSON is a text.
    pub(super) trait Code {
        /// The text.
        fn name(&self) -> String;
    }

    impl<T: serde::Serialize> Code for T {
        fn name(&self) -> String {
            serde_json::to_value(self)
                .ok()
                .and_then(|value| value.as_str().map(str::to_owned))
                .unwrap_or_else(|| "template".to_owned())
        }
    }
}

pub(crate) fn list_wildcards(door: &Door<'_>, _: Empty) -> Answer<Wildcards> {
    use tarim_recipe::template::Wildcards as _;
    let (found, problems) = door.studio.wildcards()?;
    let wildcards = found.names().into_iter().map(|name| {
        let values = found.values(&name).map_or(0, |values| count(values.len()));
        Wildcard { name, values }
    });
    Ok(Wildcards {
        folder: convert::shown(&door.studio.wildcard_folder()),
        wildcards: wildcards.collect(),
        problems,
    })
}

pub(crate) fn read_axis(door: &Door<'_>, request: ReadAxis) -> Answer<AxisPreview> {
    Ok(match door.studio.read_axis(&axis_of(request.axis)) {
        Ok(Some(axis)) => AxisPreview { name: axis.name, values: axis.values, problems: Vec::new() },
        Ok(None) => AxisPreview { name: String::new(), values: Vec::new(), problems: Vec::new() },
        Err(problem) => AxisPreview { name: String::new(), values: Vec::new(), problems: vec![*problem] },
    })
}

fn options(options: RunOptions) -> domain::RunOptions {
    let some = |text: Option<String>| text.filter(|text| !text.trim().is_empty());
    domain::RunOptions {
        name: some(options.name),
        rows: options.rows,
        again: options.again,
        replace_trashed: options.replace_trashed,
        new_seeds: options.new_seeds,
        tags: options.tags,
        project: some(options.project),
        priority: options.priority,
        finish_by: options.finish_by.map(|ms| ms as i64),
        spare_battery: options.spare_battery,
        spare_user: options.spare_user,
    }
}

pub(crate) fn plan_set(door: &Door<'_>, request: RunSet) -> Answer<Plan> {
    let plan = door.studio.plan_set(convert::id(&request.id)?, &options(request.options))?;
    let model = |model: domain::PlannedModel| PlannedModel {
        id: model.id,
        name: model.name,
        pictures: count(model.pictures),
        loaded: model.loaded,
        hashed: model.hashed,
    };
    let seconds = |it: domain::SecondsRange| SecondsRange { low: it.low, likely: it.likely, high: it.high };
    Ok(Plan {
        rows: count(plan.rows),
        ready: count(plan.ready),
        bad: count(plan.bad),
        off: count(plan.off),
        pictures: plan.pictures.to_string(),
        new: count(plan.new),
        existing: count(plan.existing),
        trashed: count(plan.trashed),
        queued: count(plan.queued),
        duplicates: count(plan.duplicates),
        refused: plan.refused.map(WireError::from),
        seconds: plan.seconds.filter(|it| it.high.is_finite()).map(seconds),
        seconds_ahead: plan.seconds_ahead.filter(|it| it.is_finite()),
        done_by: plan.done_by.map(count),
        bytes: plan.bytes,
        free_bytes: plan.free_bytes.map(|bytes| bytes as f64),
        models: plan.models.into_iter().map(model).collect(),
        problems: plan.problems,
        errors: count(plan.errors),
        warnings: count(plan.warnings),
        remarks: plan.remarks.into_iter().map(std::convert::Into::into).collect(),
    })
}

pub(crate) fn run_set(door: &Door<'_>, request: RunSet) -> Answer<RunStarted> {
    let origin = Some(door.caller.origin);
    let started = door.studio.run_set(convert::id(&request.id)?, options(request.options), origin)?;
    Ok(RunStarted { batch: batch(started) })
}

fn batch(view: BatchView) -> Batch {
    let BatchView { batch, kind: of, state, per_minute, seconds_left } = view;
    let outcome = batch.counts.outcome;
    Batch {
        id: batch.id.to_string(),
        set: batch.set.map(|set| set.to_string()),
        kind: kind(of),
        name: batch.name,
        created: batch.created.ms as f64,
        state: match state {
            domain::BatchState::Submitting => BatchState::Submitting,
            domain::BatchState::Waiting => BatchState::Waiting,
            domain::BatchState::Running => BatchState::Running,
            domain::BatchState::Held => BatchState::Held,
            domain::BatchState::Finished => BatchState::Finished,
        },
        hold: batch.hold.map(|hold| match hold {
            LibraryHold::Paused => Hold::Paused,
            LibraryHold::Time => Hold::Time,
            LibraryHold::Battery => Hold::Battery,
            LibraryHold::InUse => Hold::InUse,
        }),
        finish_by: batch.conditions.finish_by.map(|ms| ms as f64),
        spare_battery: batch.conditions.spare_battery,
        spare_user: batch.conditions.spare_user,
        pictures: count(batch.planned),
        skipped: count(batch.skipped),
        waiting: outcome.queued,
        running: outcome.running,
        done: outcome.done,
        failed: outcome.failed,
        cancelled: outcome.cancelled,
        per_minute: per_minute.filter(|it| it.is_finite()),
        seconds_left: seconds_left.filter(|it| it.is_finite()),
        started: batch.counts.first_started.map(|ms| ms as f64),
        ended: batch.counts.last_finished.map(|ms| ms as f64),
    }
}

pub(crate) fn list_batches(door: &Door<'_>, request: ListBatches) -> Answer<Batches> {
    let set = request.set.as_deref().map(convert::id).transpose()?;
    let batches = door.studio.batches(set, request.offset.into(), request.limit)?;
    Ok(Batches { batches: batches.into_iter().map(batch).collect() })
}

pub(crate) fn get_batch(door: &Door<'_>, request: Id) -> Answer<BatchDetail> {
    let id = convert::id(&request.id)?;
    let failure = |failure: tarim_library::BatchFailure| {
        let error = failure.error;
        let kind = ErrorKind::from_name(&error.code);
        BatchFailure {
            error: StudioError { kind, message: error.message, hint: error.hint }.into(),
            count: failure.count,
            rows: failure.rows,
            job: failure.job.to_string(),
        }
    };
    Ok(BatchDetail {
        batch: batch(door.studio.batch(id)?),
        failures: door.studio.batch_failures(id)?.into_iter().map(failure).collect(),
    })
}

pub(crate) fn pause_batch(door: &Door<'_>, request: PauseBatch) -> Answer<Batch> {
    Ok(batch(door.studio.pause_batch(convert::id(&request.id)?, request.paused)?))
}

pub(crate) fn change_batch(door: &Door<'_>, request: ChangeBatch) -> Answer<Batch> {
    let conditions = Conditions {
        finish_by: request.finish_by.map(|ms| ms as i64),
        spare_battery: request.spare_battery,
        spare_user: request.spare_user,
    };
    Ok(batch(door.studio.change_batch(convert::id(&request.id)?, &conditions)?))
}

pub(crate) fn cancel_batch(door: &Door<'_>, request: Id) -> Answer<Batch> {
    Ok(batch(door.studio.cancel_batch(convert::id(&request.id)?)?))
}

pub(crate) fn retry_batch(door: &Door<'_>, request: RetryBatch) -> Answer<Batch> {
    Ok(batch(door.studio.retry_batch(convert::id(&request.id)?, request.cancelled)?))
}

pub(crate) fn dismiss_batch(door: &Door<'_>, request: Id) -> Answer<Empty> {
    door.studio.dismiss_batch(convert::id(&request.id)?)?;
    Ok(Empty {})
}

pub(crate) fn page_batch(door: &Door<'_>, request: PageBatch) -> Answer<BatchPictures> {
    let pictures =
        door.studio.batch_pictures(convert::id(&request.id)?, request.offset.into(), request.limit)?;
    let picture = |picture: tarim_library::BatchPicture| BatchPicture {
        id: picture.id.to_string(),
        row: picture.row,
        number: picture.number,
    };
    Ok(BatchPictures { pictures: pictures.into_iter().map(picture).collect() })
}

pub(crate) fn get_grid(door: &Door<'_>, request: Id) -> Answer<Grid> {
    let view = door.studio.grid(convert::id(&request.id)?)?;
    let axes = view.layout.axes.into_iter().map(|axis| GridAxis { name: axis.name, values: axis.labels });
    let id = |id: Option<tarim_library::Id>| id.map_or(String::new(), |id| id.to_string());
    Ok(Grid {
        axes: axes.collect(),
        pictures: view.pictures.into_iter().map(id).collect(),
        prompt: view.layout.caption,
    })
}
