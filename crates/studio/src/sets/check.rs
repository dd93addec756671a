//! What is wrong with rows while they are written, and what templates make.

use tarim_library::Id;
use tarim_recipe::template::{self, Config, Diagnostic};
use tarim_sets::{Problem, TemplateMode};

use super::expand::{Reader, method};
use super::view::LONGEST_PAGE;
use crate::error::{ErrorKind, Result, StudioError};
use crate::studio::Studio;

/// The most examples of a template at once.
const MOST_EXAMPLES: u32 = 100;
/// The longest template that is looked at, in bytes.
const LONGEST: usize = 1 << 20;

/// What is wrong with a page of rows.
#[derive(Clone, Debug)]
pub struct RowsCheck {
    /// What is wrong with the columns.
    pub header: Vec<Problem>,
    /// What is wrong in the rows.
    pub problems: Vec<Problem>,
    /// How many pictures each row asks for, in decimal digits; without those that cannot run.
    pub pictures: Vec<(i64, String)>,
    /// Another number after every edit of the set.
    pub revision: i64,
}

/// What a template makes.
#[derive(Clone, Debug)]
pub struct TemplatePreview {
    /// Whether it is more than a plain prompt.
    pub is_template: bool,
    /// How many combinations there are, in decimal digits.
    pub combinations: String,
    /// Prompts that come of it.
    pub examples: Vec<String>,
    /// Remarks by place.
    pub remarks: Vec<Diagnostic>,
    /// Why it cannot be expanded, and where.
    pub error: Option<template::ExpandError>,
}

impl Studio {
    /// What is wrong with a page of rows, each looked at by itself.
    pub fn check_rows(&self, id: Id, offset: u64, limit: u32) -> Result<RowsCheck> {
        let view = self.set(id)?;
        let revision = view.revision;
        let rows = self.library()?.set_rows(id, offset, limit.min(LONGEST_PAGE))?;
        let mut reader = Reader::new(self, view)?;
        let header = reader.header();
        let (mut problems, mut pictures) = (Vec::new(), Vec::new());
        for row in reader.read(self, &rows, offset + 1) {
            problems.extend(row.problems);
            if let Some(ready) = row.ready {
                pictures.push((row.row, ready.count.to_string()));
            }
        }
        Ok(RowsCheck { header, problems, pictures, revision })
    }

    /// What a template makes: how many prompts, and some of them.
    pub fn preview_template(
        &self,
        text: &str,
        mode: TemplateMode,
        seed: u64,
        offset: u32,
        examples: u32,
    ) -> Result<TemplatePreview> {
        if text.len() > LONGEST {
            let message = format!("the template has {} bytes; {LONGEST} are looked at", text.len());
            return Err(StudioError::new(ErrorKind::BadInput, message).hint("put lists into wildcard files"));
        }
        let parsed = template::parse(text, &Config::default());
        let remarks = parsed.diagnostics().to_vec();
        let plain = |error| TemplatePreview {
            is_template: !parsed.is_plain(),
            combinations: "1".to_owned(),
            examples: Vec::new(),
            remarks: remarks.clone(),
            error,
        };
        if mode == TemplateMode::Off || parsed.is_plain() {
            let examples = if examples > 0 && offset == 0 { vec![text.to_owned()] } else { Vec::new() };
            return Ok(TemplatePreview { examples, ..plain(None) });
        }
        let (wildcards, _) = self.wildcards()?;
        let expansion = match parsed.expand(&wildcards, method(mode)) {
            Ok(expansion) => expansion,
            Err(error) => return Ok(plain(Some(error))),
        };
        let combinations = expansion.combinations();
        let count = expansion.count().and_then(|count| u64::try_from(count).ok()).unwrap_or(u64::MAX);
        let first = u64::from(offset);
        let last = (first + u64::from(examples.min(MOST_EXAMPLES))).min(count);
        Ok(TemplatePreview {
            is_template: true,
            combinations: combinations.exact().map_or_else(|| combinations.digits(), ToString::to_string),
            examples: (first..last).map(|index| expansion.prompt(seed, index)).collect(),
            remarks,
            error: None,
        })
    }
}
