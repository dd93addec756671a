//! The grid's files, read back.

#![allow(clippy::unwrap_used)]

use image::{Rgb, RgbImage};
use tarim_export::grid::{Axis, Grid, GridError, HtmlCell, MOST_SIDE, write_html, write_png};

fn axis(name: &str, labels: &[&str]) -> Axis {
    Axis { name: name.to_owned(), labels: labels.iter().map(|label| (*label).to_owned()).collect() }
}

fn grid() -> Grid {
    Grid {
        title: "步数与引导 steps × guidance".to_owned(),
        caption: "a red fox in the snow, 雪地里的一只红狐狸, golden hour".to_owned(),
        axes: vec![
            axis("步数", &["10", "20", "30"]),
            axis("Prompt S/R", &["fox", "一只很长很长的标签，它需要换行才能放得下"]),
            axis("model", &["starter", "other"]),
        ],
    }
}

fn shade(index: usize) -> RgbImage {
    RgbImage::from_pixel(96, 64, Rgb([index as u8 * 20, 100, 200]))
}

#[test]
fn cells_are_where_their_labels_say() {
    let mut file = Vec::new();
    let size =
        write_png(&grid(), (96, 64), &mut |index| (index != 4).then(|| shade(index)), &mut file).unwrap();
    assert_eq!(size.cell, (96, 64));
    let read = image::load_from_memory(&file).unwrap().to_rgb8();
    assert_eq!((read.width(), read.height()), (size.width, size.height));
    for index in 0..12 {
        let cell = read.pixels().filter(|pixel| **pixel == Rgb([index as u8 * 20, 100, 200])).count();
        assert_eq!(cell, if index == 4 { 0 } else { 96 * 64 }, "cell {index}");
    }
    // Labels leave ink.
    assert!(read.pixels().filter(|pixel| pixel.0.iter().all(|value| *value < 110)).count() > 50);
}

#[test]
fn grids_that_are_too_large_get_smaller_cells_and_then_an_error() {
    let labels: Vec<String> = (0..40).map(|n| n.to_string()).collect();
    let wide = Grid { axes: vec![Axis { name: String::new(), labels: labels.clone() }], ..Grid::default() };
    let mut file = Vec::new();
    let size = write_png(&wide, (1024, 1024), &mut |_| None, &mut file).unwrap();
    assert!(size.width <= MOST_SIDE && size.cell.0 < 1024 && size.cell.0 > 300, "{size:?}");
    let many: Vec<String> = (0..2000).map(|n| n.to_string()).collect();
    let wide = Grid { axes: vec![Axis { name: String::new(), labels: many }], ..Grid::default() };
    let error = write_png(&wide, (1024, 1024), &mut |_| None, &mut Vec::new()).unwrap_err();
    assert!(matches!(error, GridError::TooLarge { columns: 2000, .. }), "{error}");
    let none = Grid { axes: vec![Axis::default()], ..Grid::default() };
    assert!(matches!(write_png(&none, (64, 64), &mut |_| None, &mut Vec::new()), Err(GridError::Empty)));
}

#[test]
fn a_prompt_cannot_leave_its_place_in_the_page() {
    let mut grid = grid();
    let nasty = r#"</title></script><script>alert(1)</script>" onerror="alert(1)"#;
    grid.title = nasty.to_owned();
    grid.caption = nasty.to_owned();
    grid.axes[0].labels[0] = nasty.to_owned();
    let mut page = Vec::new();
    let cell = |index| {
        Some(HtmlCell { bytes: vec![index as u8], media_type: "image/png", caption: nasty.to_owned() })
    };
    write_html(&grid, "zh-Hans", &mut { cell }, &mut page).unwrap();
    let page = String::from_utf8(page).unwrap();
    assert_eq!(page.matches("<script>").count(), 1);
    assert!(!page.contains("\" onerror=") && !page.contains("alert(1)</script>"));
    assert_eq!(page.matches("data:image/png;base64,").count(), 12);
    assert!(!page.contains("http://") && !page.contains("https://"));
    assert!(page.contains("default-src 'none'"));
}
