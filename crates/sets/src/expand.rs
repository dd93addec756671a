//! From a row to the drafts of its pictures: the template expanded, the seed moved on.

use num_bigint::BigUint;
use tarim_recipe::{
    Draft, Prompt, Seed,
    template::{self, Config, Count, Expansion, Method, Wildcards},
};

use crate::{
    problem::{Code, Problem},
    row::{RowDraft, TemplateMode},
};

/// A row ready to give its pictures: it counts them without going through them, and gives any of them by its number.
///
/// The negative prompt may be a template as well. Where the prompt has several combinations, the negative prompt moves on
/// with them, and does not multiply them.
#[derive(Clone, Debug)]
pub struct RowExpansion {
    row: RowDraft,
    prompt: Option<Expansion>,
    negative: Option<Expansion>,
    combinations: u64,
    pictures: u64,
}

impl RowExpansion {
    /// Fills the wildcards in. More than `most` pictures are refused, unless the row's own limit says how many of them
    /// are wanted.
    pub fn new(
        row: RowDraft,
        wildcards: &dyn Wildcards,
        config: &Config,
        most: u64,
    ) -> Result<Self, Problem> {
        let mode = row.template_mode.unwrap_or_default();
        let expand = |prompt: &Option<Prompt>, column| {
            let text = prompt.as_ref().map_or("", |prompt| prompt.text.as_str());
            expansion(text, mode, wildcards, config)
                .map_err(|problem| problem.in_column(column).at_row(row.number))
        };
        let prompt = expand(&row.draft.prompt, "prompt")?;
        let negative = expand(&row.draft.negative_prompt, "negative_prompt")?;
        let counted = |expansion: &Option<Expansion>| {
            expansion
                .as_ref()
                .and_then(|expansion| expansion.count().cloned())
                .unwrap_or(BigUint::from(1_u32))
        };
        let of_prompt = counted(&prompt);
        let combinations = if of_prompt > BigUint::from(1_u32) { of_prompt } else { counted(&negative) };
        let each = u64::from(row.count.max(1));
        let all = &combinations * each;
        let wanted = row.limit.map_or_else(|| all.clone(), |limit| all.clone().min(BigUint::from(limit)));
        let pictures = match u64::try_from(&wanted) {
            Ok(pictures) if pictures <= most => pictures,
            _ => {
                let refusal = Count::Exact(wanted).refusal(most);
                let message =
                    refusal.map_or_else(|| "there are too many pictures".to_owned(), |it| it.to_string());
                return Err(Problem::error(Code::TooMany, message).in_column("prompt").at_row(row.number));
            }
        };
        let combinations = u64::try_from(&combinations).unwrap_or(u64::MAX);
        Ok(Self { row, prompt, negative, combinations, pictures })
    }

    /// The number of pictures.
    pub fn count(&self) -> u64 {
        self.pictures
    }

    /// The number of combinations of a run over them, 1 where there is nothing to combine.
    pub fn combinations(&self) -> u64 {
        self.combinations
    }

    /// The row.
    pub fn row(&self) -> &RowDraft {
        &self.row
    }

    /// The draft of a picture. `fresh` is the row's seed where it has none of its own; kept, it gives the same pictures
    /// again.
    pub fn picture(&self, index: u64, fresh: Seed) -> Draft {
        let mut draft = self.row.draft.clone();
        let base = draft.seed.unwrap_or(fresh);
        // Several pictures of one combination follow each other.
        let each = if self.combinations > 1 { u64::from(self.row.count.max(1)) } else { 1 };
        let number = index / each;
        let lots = self.row.template_seed.unwrap_or(base).0;
        for (prompt, expansion) in
            [(&mut draft.prompt, &self.prompt), (&mut draft.negative_prompt, &self.negative)]
        {
            if let (Some(prompt), Some(expansion)) = (prompt, expansion) {
                let text = expansion.prompt(lots, number);
                let template = std::mem::replace(&mut prompt.text, text);
                prompt.template = Some(template);
            }
        }
        // As `Recipe::nth`: where a second seed is mixed in, it is the one that moves on.
        if draft.variation_strength.is_some_and(|strength| strength != 0.0) {
            draft.seed = Some(base);
            draft.variation_seed = Some(draft.variation_seed.unwrap_or(fresh.nth(1)).nth(index));
        } else {
            draft.seed = Some(base.nth(index));
        }
        draft
    }

    /// All pictures, one after the other, without keeping any.
    pub fn pictures(&self, fresh: Seed) -> impl Iterator<Item = Draft> + '_ {
        (0..self.pictures).map(move |index| self.picture(index, fresh))
    }
}

/// A text's expansion; `None` for one that is no template.
fn expansion(
    text: &str,
    mode: TemplateMode,
    wildcards: &dyn Wildcards,
    config: &Config,
) -> Result<Option<Expansion>, Problem> {
    let method = match mode {
        TemplateMode::Off => return Ok(None),
        TemplateMode::Random => Method::Random,
        TemplateMode::Combinatorial => Method::Combinatorial,
        TemplateMode::Cyclic => Method::Cyclic,
    };
    let template = template::parse(text, config);
    if template.is_plain() {
        return Ok(None);
    }
    let expansion = template.expand(wildcards, method).map_err(|error| {
        Problem::error(Code::Template, format!("the template cannot be expanded: {error}"))
    })?;
    Ok(Some(expansion))
}
