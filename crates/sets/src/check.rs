//! From rows to drafts, with every problem in its place. A bad row does not stop the good ones.

use std::collections::HashMap;

use tarim_recipe::{Draft, FieldError, PrepareError, Size, SizeError, Warning, prepare};

use crate::{
    field::Field,
    problem::{Code, Problem, Severity, shown},
    row::{Defaults, RowDraft},
    stand_in::{self, STAND_IN_SIDE, recipe_field, stand_in, surroundings},
    table::{Row, RowId, Table},
};

/// What came of one row.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Checked {
    /// The row.
    pub id: RowId,
    /// Its number, as people know it.
    pub number: u32,
    /// What it asks for; `None` for a row that cannot run, is blank or switched off.
    pub row: Option<RowDraft>,
    /// What is wrong with it.
    pub problems: Vec<Problem>,
}

impl Checked {
    /// Whether an error keeps the row from running.
    pub fn is_bad(&self) -> bool {
        self.problems.iter().any(|problem| problem.severity == Severity::Error)
    }
}

/// Reads the rows of a table. It works row by row, so that the memory it needs does not grow with the table but for the
/// names of files.
///
/// ```
/// # use tarim_sets::{Checker, Column, Defaults, Field, Table};
/// let mut table = Table::new([Column::named("提示词"), Column::named("Steps")]);
/// table.push(["a fox", "30"]);
/// table.push(["a crane", "many"]);
/// let defaults = Defaults::default();
/// let checker = Checker::new(&table, &defaults, "set.csv");
/// let good: Vec<_> = checker.rows().filter_map(|checked| checked.row).collect();
/// assert_eq!((good.len(), good[0].draft.steps), (1, Some(30)));
/// ```
pub struct Checker<'a> {
    table: &'a Table,
    defaults: &'a Defaults,
    file: &'a str,
    /// The columns that mean something, in the order in which their cells are read.
    known: Vec<(Field, usize)>,
    header: Vec<Problem>,
}

impl<'a> Checker<'a> {
    /// Of a table, on top of what holds for all its rows. `file` is named in problems unless it is empty.
    pub fn new(table: &'a Table, defaults: &'a Defaults, file: &'a str) -> Self {
        let mut known: Vec<(Field, usize)> = Vec::new();
        let mut header = Vec::new();
        for (index, column) in table.columns.iter().enumerate() {
            let Some(field) = column.field else {
                let suggest = header.len() < MOST_SUGGESTIONS;
                header.extend(unknown_column(&column.name, suggest));
                continue;
            };
            let many = matches!(field, Field::Loras | Field::Tags | Field::Styles);
            if !many && known.iter().any(|(other, _)| *other == field) {
                let message = format!("a second column for {}; only the first is read", field.name());
                header.push(
                    Problem::warning(Code::DuplicateColumn, message)
                        .in_column(&column.name)
                        .hint("rename or remove one of them"),
                );
                continue;
            }
            known.push((field, index));
        }
        known.sort_unstable();
        if known.is_empty() && !table.columns.is_empty() {
            header.push(
                Problem::error(Code::NoKnownColumn, "no column has a name that is known")
                    .hint("name the columns in the first row, such as prompt, negative_prompt, seed, steps"),
            );
        }
        let header = header.into_iter().map(|problem| problem.in_file(file)).collect();
        Self { table, defaults, file, known, header }
    }

    /// What is wrong with the columns.
    pub fn header(&self) -> &[Problem] {
        &self.header
    }

    /// One row by its index, without regard to the others.
    pub fn row(&self, index: usize) -> Checked {
        let Some(row) = self.table.rows.get(index) else { return Checked::default() };
        let number = self.table.number(index);
        let mut checked = Checked { id: row.id, number, ..Checked::default() };
        if row.is_blank() {
            return checked;
        }
        let read = self.read(row, number, &mut checked.problems);
        for problem in &mut checked.problems {
            problem.row = Some(number);
            problem.row_id = Some(row.id);
            if !self.file.is_empty() {
                problem.file = Some(self.file.to_owned());
            }
        }
        if read.disabled {
            checked.problems.clear();
        } else if !checked.is_bad() {
            checked.row = Some(read);
        }
        checked
    }

    /// All rows, and also what is wrong with them together. Blank and disabled ones come without a draft.
    pub fn rows(&self) -> impl Iterator<Item = Checked> + '_ {
        let mut names: HashMap<String, u32> = HashMap::new();
        (0..self.table.rows.len()).map(move |index| {
            let mut checked = self.row(index);
            self.check_name(&mut checked, &mut names);
            checked
        })
    }

    /// Two rows may not write one file. Names differ on every system only if they differ in more than case.
    fn check_name(&self, checked: &mut Checked, names: &mut HashMap<String, u32>) {
        let Some(name) = checked.row.as_ref().and_then(|row| row.output_name.clone()) else { return };
        let Some(first) = names.get(&name.to_lowercase()) else {
            names.insert(name.to_lowercase(), checked.number);
            return;
        };
        let mut suffix = checked.number;
        let free = loop {
            let candidate = format!("{name}-{suffix}");
            if !names.contains_key(&candidate.to_lowercase()) {
                break candidate;
            }
            suffix = suffix.wrapping_add(1);
        };
        let message = format!("row {first} has the output name {} already", shown(&name));
        let mut problem = Problem::error(Code::DuplicateName, message)
            .hint("give each row a name of its own, or leave the column empty")
            .at_row(checked.number)
            .in_file(self.file)
            .fix(free);
        problem.row_id = Some(checked.id);
        problem.column = self.column_of(Field::OutputName);
        checked.problems.push(problem);
        checked.row = None;
    }

    fn column_of(&self, field: Field) -> Option<String> {
        let (_, index) = self.known.iter().find(|(known, _)| *known == field)?;
        Some(self.table.columns.get(*index)?.name.clone())
    }

    fn read(&self, row: &Row, number: u32, problems: &mut Vec<Problem>) -> RowDraft {
        let mut read = RowDraft { id: row.id, number, ..RowDraft::default() };
        for (field, index) in &self.known {
            if let Err(mut problem) = read.apply(*field, row.cell(*index)) {
                problem.column = self.table.columns.get(*index).map(|column| column.name.clone());
                problems.push(problem);
            }
        }
        let known = |index: usize| self.known.iter().any(|(_, known)| *known == index);
        // A row is often much shorter than a wide table.
        for (index, column) in self.table.columns.iter().enumerate().take(row.cells.len()) {
            let cell = row.cell(index);
            if !cell.is_empty() && !known(index) {
                read.extra.push((column.name.clone(), cell.to_owned()));
            }
        }
        let width = self.table.columns.len();
        if row.cells.iter().skip(width).any(|cell| !cell.trim().is_empty()) {
            let message = format!("the row has {} cells, and there are {width} columns", row.cells.len());
            problems.push(Problem::error(Code::RaggedRow, message).hint(
                "a text with commas must stand in quotation marks; columns without a name are not read",
            ));
        }
        self.fill_in(&mut read);
        if !read.disabled {
            self.check(&read, problems);
        }
        read
    }

    fn fill_in(&self, read: &mut RowDraft) {
        let defaults = self.defaults;
        // A row's own picture takes the place of the set's, and the set's mask belongs to the set's picture.
        let (init, mask) = (read.init_picture.is_some(), read.mask.is_some());
        let mut under = defaults.draft.clone();
        if init {
            under.init_picture = None;
        }
        if init || mask {
            under.mask_picture = None;
        }
        read.draft = std::mem::take(&mut read.draft).or(under);
        if read.count == 0 {
            read.count = defaults.count.unwrap_or(1).max(1);
        }
        read.template_mode = read.template_mode.or(defaults.template_mode);
        read.limit = read.limit.or(defaults.limit);
        if read.styles.is_empty() {
            read.styles.clone_from(&defaults.styles);
        }
        for tag in &defaults.tags {
            if !read.tags.contains(tag) {
                read.tags.push(tag.clone());
            }
        }
        read.project = read.project.take().or_else(|| defaults.project.clone());
        read.put_loras();
    }

    fn check(&self, read: &RowDraft, problems: &mut Vec<Problem>) {
        let prompt = read.draft.prompt.as_ref().map_or("", |prompt| prompt.text.as_str());
        if prompt.trim().is_empty() && read.styles.is_empty() {
            let problem = Problem::error(Code::NoPrompt, "there is no prompt")
                .hint("write one, or give the set a prompt of its own for rows without");
            problems.push(match self.column_of(Field::Prompt) {
                Some(column) => problem.in_column(column),
                None => problem,
            });
        }
        let init = read.init_picture.is_some() || read.draft.init_picture.is_some();
        let mask = read.mask.is_some() || read.draft.mask_picture.is_some();
        if mask && !init {
            let problem = Problem::error(Code::Conflict, "there is a mask and no picture to start from")
                .hint("name the picture too, or leave the mask out");
            problems.push(match self.column_of(Field::Mask) {
                Some(column) => problem.in_column(column),
                None => problem,
            });
        }
        let draft = stand_in(&read.draft, init, mask && init);
        let draft = self.check_size(draft, problems);
        self.check_values(draft, problems);
    }

    fn check_size(&self, mut draft: Draft, problems: &mut Vec<Problem>) -> Draft {
        let width = draft.width.unwrap_or(STAND_IN_SIDE);
        let height = draft.height.unwrap_or(STAND_IN_SIDE);
        let Err(error) = Size::new(width, height) else { return draft };
        let nearest = Size::nearest(width, height);
        let (field, fix) = match error {
            SizeError::Range { side: "height", .. } | SizeError::Multiple { side: "height", .. } => {
                (Field::Height, nearest.height())
            }
            _ => (Field::Width, nearest.width()),
        };
        let (column, fix) = match self.column_of(field) {
            Some(column) => (Some(column), fix.to_string()),
            None => (self.column_of(Field::Size), nearest.to_string()),
        };
        let mut problem = Problem::error(Code::OutOfRange, error.to_string()).fix(fix);
        problem.column = column;
        problems.push(problem);
        (draft.width, draft.height) = (None, None);
        draft
    }

    /// What the recipe's own checks say. They stop at the first error, so what is wrong is taken out and asked again.
    fn check_values(&self, mut draft: Draft, problems: &mut Vec<Problem>) {
        for _ in 0..16 {
            let (facts, environment) = surroundings();
            match prepare(&draft, &facts, &environment) {
                Err(PrepareError::Field(error)) => {
                    let field = recipe_field(error.field);
                    problems.push(self.out_of_range(&error, field));
                    if !field.is_some_and(|field| stand_in::take_out(&mut draft, field)) {
                        return;
                    }
                }
                Err(error) => {
                    problems.push(Problem::error(Code::Conflict, error.to_string()));
                    return;
                }
                Ok((_, warnings)) => {
                    for warning in warnings {
                        // The others depend on the model, which is not known yet.
                        if let Warning::NoEffect { field, .. } = &warning
                            && *field != "image_guidance_scale"
                        {
                            let mut problem = Problem::warning(Code::NoEffect, warning.to_string());
                            problem.column = recipe_field(field).and_then(|field| self.column_of(field));
                            // The set's default may well be without effect in one of its rows.
                            if problem.column.is_some() {
                                problems.push(problem);
                            }
                        }
                    }
                    return;
                }
            }
        }
    }

    fn out_of_range(&self, error: &FieldError, field: Option<Field>) -> Problem {
        let message = format!("{} is {}; allowed {}", error.field, error.value, error.allowed);
        let mut problem = Problem::error(Code::OutOfRange, message);
        problem.column = field.and_then(|field| self.column_of(field));
        problem
    }
}

/// What is wrong with a row by itself, such as a cell of a comparison.
pub fn check_row(row: &RowDraft) -> Vec<Problem> {
    let mut problems = Vec::new();
    let (table, defaults) = (Table::default(), Defaults::default());
    Checker::new(&table, &defaults, "").check(row, &mut problems);
    problems
}

/// The most columns for which a name that is known is looked for; a file with more has names of another kind.
const MOST_SUGGESTIONS: usize = 50;

fn unknown_column(name: &str, suggest: bool) -> Option<Problem> {
    if name.trim().is_empty() {
        return None;
    }
    let nearest = if suggest { Field::nearest(name) } else { Vec::new() };
    let message = format!("the column {} means nothing here; it is kept", shown(name));
    let problem = if nearest.is_empty() {
        Problem::note(Code::UnknownColumn, message)
    } else {
        let names: Vec<String> = nearest.iter().map(|name| format!("`{name}`")).collect();
        Problem::warning(Code::UnknownColumn, message).hint(format!("did you mean {}?", names.join(", ")))
    };
    let problem = problem.in_column(name);
    Some(match nearest.first() {
        Some(first) => problem.fix(*first),
        None => problem,
    })
}
