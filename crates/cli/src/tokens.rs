//! `tarim tokens`: how a prompt is read and cut.

use serde_json::json;
use tarim_recipe::Emphasis;
use tarim_recipe::prompt::{Role, Timeline};
use tarim_tokenizer::{Description, Rules, describe};

use crate::args::TokensOptions;
use crate::failure::{Exit, Failure, Result};
use crate::{model, output};

/// The steps that schedules in the prompt are laid out over; `render` has them from its recipe.
const STEPS: u32 = 20;

pub(crate) fn run(options: &TokensOptions) -> Result<()> {
    let failed = |error| Failure::from_error(Exit::BadInput, &error);
    let tokenizer = model::tokenizer(options.model.as_deref())?;
    let emphasis = options.emphasis.map(Emphasis::from).unwrap_or_default();
    let rules = Rules { emphasis, ..Rules::default() };
    let description =
        describe(&tokenizer, &options.prompt, Role::Positive, Timeline::new(STEPS), rules).map_err(failed)?;
    if options.json {
        output::json_line(&json!(description));
    } else {
        show(&description, &options.prompt);
    }
    Ok(())
}

fn show(description: &Description, prompt: &str) {
    for (number, part) in description.parts.iter().enumerate() {
        if description.parts.len() > 1 {
            output::line(&format!("part {} of weight {}", number + 1, part.weight));
        }
        for run in &part.runs {
            if part.runs.len() > 1 {
                output::line(&format!(
                    "steps {} to {} of {STEPS}: {}",
                    run.from_step, run.until_step, run.text
                ));
            }
            output::line(&format!("{} of {} tokens", run.used, run.capacity));
            for chunk in &run.chunks {
                for token in chunk {
                    let weight =
                        if token.weight == 1.0 { String::new() } else { format!("  x{:.4}", token.weight) };
                    output::line(&format!("{:>6}  {}{weight}", token.id, token.text));
                }
                output::line("");
            }
        }
    }
    for network in &description.networks {
        output::line(&format!("network: {}", network.span.of(prompt)));
    }
    for remark in &description.remarks {
        output::warning(&format!("at `{}`: {}", remark.span.of(prompt), remark.message));
    }
}
