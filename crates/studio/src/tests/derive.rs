//! Crops, enlargements, and drawing again.

use tarim_library::Derivation;
use tarim_recipe::{Draft, Recipe, ResizeFilter};
use tarim_render::fake::Script;

use super::{Bench, pictures, until_done};
use crate::{Enlargement, ErrorKind, How, Studio, Submission, Submitted};

fn recipe(studio: &Studio, id: tarim_library::Id) -> Recipe {
    Recipe::from_json(&studio.library().unwrap().picture(id).unwrap().recipe.unwrap()).unwrap()
}

fn bytes(studio: &Studio, id: tarim_library::Id) -> tarim_library::Pixels {
    tarim_library::pixels::load(&studio.library().unwrap().picture_path(id).unwrap()).unwrap()
}

fn drawn(studio: &Studio, submission: &Submission) -> Submitted {
    let submitted = studio.submit(submission).unwrap();
    until_done(studio, &submitted);
    submitted
}

#[test]
fn a_crop_is_run_again_from_its_recipe() {
    let bench = Bench::new(Script::default());
    let studio = bench.open();
    let parent = drawn(&studio, &pictures("a fox", 1, 2)).jobs[0];
    let cropped = studio.crop(&[parent], (8, 16, 40, 32)).unwrap();
    assert_eq!(cropped.failed, []);
    let to = Enlargement { factor: Some(1.5), ..Enlargement::default() };
    let large = studio.upscale(&cropped.pictures, to, ResizeFilter::Lanczos3).unwrap().pictures[0];
    let recipe = recipe(&studio, large);
    assert_eq!((recipe.postprocess.len(), recipe.finished_size()), (2, (60, 48)));

    // The queue draws the whole picture, and does the same to it.
    let draft = Draft::from(&recipe);
    let again =
        Submission { draft, count: 1, parent: Some((large, Derivation::Rerun)), ..Submission::default() };
    let again = drawn(&studio, &again).jobs[0];
    let (first, second) = (bytes(&studio, large), bytes(&studio, again));
    assert_eq!((second.width, second.height), (60, 48));
    assert_eq!(first.rgb, second.rgb);
    assert_eq!(self::recipe(&studio, again), recipe);

    let outside = studio.crop(&[parent], (60, 0, 40, 32)).unwrap();
    assert_eq!(outside.pictures, []);
    assert_eq!(outside.failed[0].1.kind, ErrorKind::BadInput);
    assert_eq!(studio.crop(&[], (0, 0, 40, 32)).unwrap_err().kind, ErrorKind::BadInput);
    studio.close(How::StopNow);
}

#[test]
fn drawing_again_larger_starts_from_the_picture() {
    let bench = Bench::new(Script::default());
    let studio = bench.open();
    let parent =
        drawn(&studio, &Submission { tags: vec!["print".to_owned()], ..pictures("a fox", 1, 2) }).jobs[0];
    let to = |factor| Enlargement { factor: Some(factor), ..Enlargement::default() };
    let submission = studio.redraw(parent, to(1.7), Some(0.3), None).unwrap();
    // 108.8, the nearest multiple of 8.
    assert_eq!((submission.draft.width, submission.draft.height), (Some(112), Some(112)));
    assert_eq!(
        (submission.draft.strength, submission.draft.seed),
        (Some(0.3), Some(recipe(&studio, parent).seed))
    );
    let child = drawn(&studio, &submission).jobs[0];
    let details = studio.library().unwrap().picture(child).unwrap();
    assert_eq!((details.summary.width, details.summary.height), (112, 112));
    assert_eq!(
        (details.summary.parent, details.summary.derivation),
        (Some(parent), Some(Derivation::Upscale))
    );
    assert_eq!(details.summary.tags, ["print"]);

    let error = studio.redraw(parent, to(0.5), None, None).unwrap_err();
    assert_eq!(error.kind, ErrorKind::BadInput);
    // Nothing says how it was made.
    let foreign = studio.library().unwrap().root().join("foreign.png");
    image::RgbImage::new(64, 64).save(&foreign).unwrap();
    studio.library().unwrap().reconcile(studio.now(), &mut |_| true).unwrap();
    let query = tarim_library::search::parse("");
    let found =
        studio.library().unwrap().pictures(&query, tarim_library::search::Sort::Name, None, 9).unwrap();
    let foreign = found.iter().find(|picture| picture.path == "foreign.png").unwrap().id;
    let error = studio.redraw(foreign, to(2.0), None, None).unwrap_err();
    assert!(error.message.contains("says nothing of how it was made"), "{error}");
    studio.close(How::StopNow);
}
