//! The axes of comparisons, against what A1111's script makes of them (`tests/parity/axes.py`).

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::result_large_err)] // what fails here is the test

use std::{fs, path::Path};

use serde_json::Value;
use tarim_recipe::{Draft, ModelRef, Prompt, Sampler, Seed};
use tarim_sets::{Axis, AxisSpec, Code, Grid, GridCell, Problem, RowDraft, VarySeeds, by_model};

fn axis(axis: &str, values: &str) -> Result<Axis, Problem> {
    Axis::parse(&AxisSpec { axis: axis.to_owned(), values: values.to_owned() })
}

fn base(prompt: &str) -> RowDraft {
    let draft =
        Draft { prompt: Some(prompt.into()), negative_prompt: Some("blurry".into()), ..Draft::default() };
    RowDraft::from(draft)
}

fn grid(prompt: &str, x: (&str, &str), y: (&str, &str)) -> Result<Grid, Problem> {
    let axes = [Some(axis(x.0, x.1)?), Some(axis(y.0, y.1)?), None];
    Grid::new(base(prompt), axes, VarySeeds::default(), Seed(100))
}

fn cells(grid: &Grid) -> Vec<GridCell> {
    (0..grid.count()).map(|index| grid.cell(index).unwrap()).collect()
}

#[test]
fn values_as_a1111_has_them() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/goldens/sets/axes.json");
    let recorded: Value = serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap();
    let cells = |name: &str, values: &str| {
        let axis = axis(name, values).unwrap_or_else(|problem| panic!("{values}: {problem}"));
        let grid = Grid::new(base("a, b, c, x, d"), [Some(axis), None, None], VarySeeds::default(), Seed(0))
            .unwrap();
        (0..grid.count()).map(|index| grid.cell(index)).collect::<Vec<_>>()
    };
    for (values, expected) in recorded["integers"].as_object().unwrap() {
        let expected: Vec<i64> =
            expected.as_array().unwrap().iter().map(|value| value.as_i64().unwrap()).collect();
        if expected.iter().any(|value| *value < 0) {
            // Only a seed may be -1, and stands for a random one.
            continue;
        }
        let found: Vec<i64> = cells("Seed", values)
            .into_iter()
            .map(|cell| cell.unwrap().row.draft.seed.unwrap().0.cast_signed())
            .collect();
        assert_eq!(found, expected, "{values}");
    }
    for (values, expected) in recorded["floats"].as_object().unwrap() {
        let expected: Vec<f64> =
            expected.as_array().unwrap().iter().map(|value| value.as_f64().unwrap()).collect();
        if expected.iter().any(|value| *value < 0.0) {
            continue;
        }
        let found: Vec<f64> = cells("CFG Scale", values)
            .into_iter()
            .map(|cell| cell.unwrap().row.draft.guidance_scale.unwrap())
            .collect();
        assert_eq!(found, expected, "{values}");
    }
    for (values, expected) in recorded["listed"].as_object().unwrap() {
        let expected: Vec<&str> =
            expected.as_array().unwrap().iter().map(|value| value.as_str().unwrap()).collect();
        let found = axis("Prompt S/R", values);
        match expected.first() {
            None | Some(&"") => assert!(found.is_err(), "{values}"),
            Some(_) => {
                let axis = found.unwrap();
                let labels: Vec<String> = (0..axis.len()).map(|index| axis.label(index)).collect();
                assert_eq!(labels, expected, "{values}");
            }
        }
    }
    for (values, expected) in recorded["orders"].as_object().unwrap() {
        let axis = axis("Prompt order", values).unwrap();
        let labels: Vec<Value> = (0..axis.len()).map(|index| axis.label(index).into()).collect();
        assert_eq!(&Value::from(labels), expected, "{values}");
    }
}

#[test]
fn cells_and_labels() {
    let grid = grid("a red fox", ("Prompt S/R", "red, blue"), ("Steps", "10-20 [2]")).unwrap();
    assert_eq!((grid.count(), grid.size()), (4, [2, 2, 1]));
    let all = cells(&grid);
    let shown: Vec<_> = all.iter().map(|cell| (cell.labels[0].as_str(), cell.labels[1].as_str())).collect();
    assert_eq!(
        shown,
        [("red", "Steps: 10"), ("blue", "Steps: 10"), ("red", "Steps: 20"), ("blue", "Steps: 20")]
    );
    assert_eq!(all[3].row.draft.prompt, Some(Prompt::from("a blue fox")));
    // Nothing differs by chance.
    assert!(all.iter().all(|cell| cell.row.draft.seed == Some(Seed(100))));
    let cfg = axis("CFG Scale", "0.1-0.3 (+0.1)").unwrap();
    assert_eq!(cfg.label(2), "CFG Scale: 0.3");
}

#[test]
fn every_kind_of_axis() {
    let one = |name: &str, values: &str| {
        let axis = axis(name, values).unwrap();
        let grid =
            Grid::new(base("a fox, red, ink"), [Some(axis), None, None], VarySeeds::default(), Seed(5))
                .unwrap();
        grid.cell(grid.count() - 1).unwrap().row
    };
    assert_eq!(one("Sampler", "Euler a, DPM++ 2M").draft.sampler, Some(Sampler::DpmPp2M));
    assert_eq!(one("采样器", "Euler").draft.sampler, Some(Sampler::Euler));
    assert_eq!(one("Checkpoint name", "a.safetensors, b/c.ckpt").draft.model.unwrap().name, "c");
    assert_eq!(one("Size", "512x512, 768x512").draft.width, Some(768));
    assert_eq!(one("Denoising", "0.5").draft.strength, Some(0.5));
    assert_eq!(one("Styles", "\"ink, film\"").styles, ["ink", "film"]);
    assert_eq!(one("Prompt order", "fox, red").draft.prompt, Some(Prompt::from("a red, fox, ink")));
    assert_eq!(one("Seed", "1, -1").draft.seed, Some(Seed(6)));
    assert_eq!(
        one("LoRA", "\"\", ink:0.5").draft.prompt,
        Some(Prompt::from("a fox, red, ink <lora:ink:0.5>"))
    );
    assert_eq!(one("Clip skip", "1, 2").draft.clip_skip, Some(2));
}

#[test]
fn seeds_vary_as_in_a1111() {
    let axes = [Some(axis("Steps", "1-3").unwrap()), Some(axis("CFG", "1-2").unwrap()), None];
    let vary = VarySeeds { x: true, y: true, z: false };
    let grid = Grid::new(base("a"), axes, vary, Seed(10)).unwrap();
    let seeds: Vec<u64> = cells(&grid).iter().map(|cell| cell.row.draft.seed.unwrap().0).collect();
    assert_eq!(seeds, [10, 11, 12, 13, 14, 15]);
}

#[test]
fn models_change_least_often() {
    let grid = grid("a", ("Checkpoint name", "m1, m2, m3"), ("Steps", "1-100")).unwrap();
    let names: Vec<String> =
        grid.order().map(|index| grid.cell(index).unwrap().row.draft.model.unwrap().name).collect();
    assert_eq!(names.windows(2).filter(|pair| pair[0] != pair[1]).count(), 2);
    let mut order: Vec<u64> = grid.order().collect();
    order.sort_unstable();
    assert_eq!(order, (0..300).collect::<Vec<_>>());
    let refs = ["a", "b", "a", "c", "b"].map(|name| ModelRef { name: name.to_owned(), hash: None });
    assert_eq!(by_model(refs.iter().map(Some)), [0, 2, 1, 4, 3]);
}

#[test]
fn what_is_wrong_with_axes() {
    let code = |name: &str, values: &str| axis(name, values).unwrap_err().code;
    assert_eq!(code("Hires steps", "1"), Code::UnknownName);
    assert_eq!(code("Tags", "a"), Code::UnknownName);
    assert_eq!(code("Sampler", "Euler, Eular b"), Code::UnknownName);
    assert_eq!(code("Steps", ""), Code::Empty);
    assert_eq!(code("Steps", "5-1"), Code::OutOfRange);
    assert_eq!(code("Seed", "1-1000000"), Code::TooMany);
    assert_eq!(code("Prompt order", "a,b,c,d,e,f,g,h,i"), Code::TooMany);
    let missing = grid("a fox", ("Prompt S/R", "cat, dog"), ("Steps", "1")).unwrap();
    assert_eq!(missing.cell(0).unwrap_err().code, Code::NotFound);
    let large = grid("a fox", ("Steps", "1, 5000"), ("CFG", "1")).unwrap();
    assert!(large.cell(0).is_ok());
    assert_eq!(large.cell(1).unwrap_err().code, Code::OutOfRange);
    assert_eq!(grid("a", ("Steps", "1"), ("步数", "2")).unwrap_err().code, Code::Conflict);
}
