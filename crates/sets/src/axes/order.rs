//! Changes of the prompt: search and replace, and the order of its parts.

use crate::{
    problem::{Code, Problem, shown},
    row::RowDraft,
};

/// The values in the order that comes at `index` in Python's `itertools.permutations`.
pub(super) fn permutation(values: &[String], index: usize) -> Vec<String> {
    let mut left: Vec<&String> = values.iter().collect();
    let mut rest = index;
    let mut block: usize = (1..values.len().max(1)).product();
    let mut chosen = Vec::with_capacity(values.len());
    while !left.is_empty() {
        let place = (rest / block.max(1)).min(left.len() - 1);
        rest %= block.max(1);
        chosen.push(left.remove(place).clone());
        block /= left.len().max(1);
    }
    chosen
}

/// A text in the place of another in both prompts.
pub(super) fn replace(row: &mut RowDraft, searched: &str, value: &str) -> Result<(), Problem> {
    let mut found = false;
    for prompt in [&mut row.draft.prompt, &mut row.draft.negative_prompt].into_iter().flatten() {
        for text in std::iter::once(&mut prompt.text).chain(&mut prompt.template) {
            if text.contains(searched) {
                found = true;
                *text = text.replace(searched, value);
            }
        }
    }
    if found {
        return Ok(());
    }
    Err(Problem::error(Code::NotFound, format!("{} is in neither prompt", shown(searched)))
        .hint("the first value of Prompt S/R is looked for as it is, with its case and spaces"))
}

/// The parts of a prompt in another order, each at the place of one of them.
pub(super) fn reorder(row: &mut RowDraft, parts: &[String]) -> Result<(), Problem> {
    let Some(prompt) = &mut row.draft.prompt else {
        return Err(Problem::error(Code::NoPrompt, "there is no prompt whose parts could change places"));
    };
    for text in std::iter::once(&mut prompt.text).chain(&mut prompt.template) {
        *text = reordered(text, parts)?;
    }
    Ok(())
}

fn reordered(text: &str, parts: &[String]) -> Result<String, Problem> {
    let mut places = Vec::new();
    for part in parts {
        let place = text.find(part.as_str()).filter(|_| !part.is_empty()).ok_or_else(|| {
            Problem::error(Code::NotFound, format!("{} is not in the prompt", shown(part)))
                .hint("each value of Prompt order is a part of the prompt, with its case and spaces")
        })?;
        places.push((place, part));
    }
    places.sort_by_key(|(place, _)| *place);
    let mut result = String::new();
    let mut rest = text;
    for ((_, part), next) in places.iter().zip(parts) {
        // A part inside of another is not there any more once that one is taken out.
        let (before, after) = rest.split_once(part.as_str()).ok_or_else(|| {
            Problem::error(Code::Conflict, format!("{} overlaps another value in the prompt", shown(part)))
        })?;
        result.push_str(before);
        result.push_str(next);
        rest = after;
    }
    result.push_str(rest);
    Ok(result)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_of_parts() {
        let values = ["a", "b", "c"].map(str::to_owned);
        let all: Vec<String> = (0..6).map(|index| permutation(&values, index).concat()).collect();
        assert_eq!(all, ["abc", "acb", "bac", "bca", "cab", "cba"]);
        let parts = ["red", "fox"].map(str::to_owned);
        assert_eq!(reordered("a fox, red, ink", &parts).unwrap(), "a red, fox, ink");
        assert_eq!(reordered("a fox", &parts).unwrap_err().code, Code::NotFound);
        let overlapping = ["foxes", "fox"].map(str::to_owned);
        assert_eq!(reordered("foxes", &overlapping).unwrap_err().code, Code::Conflict);
    }
}
