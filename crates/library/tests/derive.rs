//! Crops and enlargements: files of their own, with a recipe that makes them again.

#![allow(clippy::unwrap_used)]

mod common;

use std::{fs, path::Path};

use common::{NOW, World, later, new_id, pixels, recipe, world};
use tarim_library::{
    Derivation, Derive, Id, IfExists, Labels, LibraryError, Picture, picture, postprocess, search::Sort,
    search::parse,
};
use tarim_recipe::{Infotext, Postprocess, Recipe, ResizeFilter};

const CROP: Postprocess = Postprocess::Crop { x: 8, y: 4, width: 32, height: 24 };
const LARGE: Postprocess = Postprocess::Resize { width: 96, height: 72, filter: ResizeFilter::Lanczos3 };

fn derive(world: &World, parent: Id, derivation: Derivation, step: Postprocess) -> Result<Id, LibraryError> {
    let id = new_id();
    let derive = Derive { parent, derivation, step, id, now: later(60), creator_tool: "Tarim test" };
    world.library.derive(&derive).map(|()| id)
}

/// Size, pixels and texts as the `png` crate reads them.
fn decoded(path: &Path) -> (u32, u32, Vec<u8>, Vec<(String, String)>) {
    let decoder = png::Decoder::new(std::io::BufReader::new(fs::File::open(path).unwrap()));
    let mut reader = decoder.read_info().unwrap();
    let mut rgb = vec![0; reader.output_buffer_size().unwrap()];
    let frame = reader.next_frame(&mut rgb).unwrap();
    let info = reader.info();
    let mut texts: Vec<_> = info
        .uncompressed_latin1_text
        .iter()
        .map(|chunk| (chunk.keyword.clone(), chunk.text.clone()))
        .collect();
    texts.extend(info.utf8_text.iter().map(|chunk| (chunk.keyword.clone(), chunk.get_text().unwrap())));
    (frame.width, frame.height, rgb, texts)
}

#[test]
fn a_crop_and_its_enlargement_have_files_recipes_and_a_family() {
    let world = world();
    let parent = world.render("a fox, 楼兰", 1)[0];
    world.library.add_tags(&[parent], &["print".to_owned()]).unwrap();
    world.library.set_project(&[parent], Some("Loulan")).unwrap();
    world.library.set_rating(&[parent], 5).unwrap();
    world.library.write_back(10).unwrap();
    let original = fs::read(world.library.picture_path(parent).unwrap()).unwrap();

    let crop = derive(&world, parent, Derivation::Crop, CROP).unwrap();
    let large = derive(&world, crop, Derivation::Upscale, LARGE).unwrap();
    let again = derive(&world, parent, Derivation::Crop, CROP).unwrap();

    assert_eq!(fs::read(world.library.picture_path(parent).unwrap()).unwrap(), original);
    let details = |id| world.library.picture(id).unwrap();
    let stem = details(parent).summary.path.trim_end_matches(".png").to_owned();
    assert_eq!(details(crop).summary.path, format!("{stem}-crop.png"));
    assert_eq!(details(again).summary.path, format!("{stem}-crop-2.png"));
    assert_eq!(details(large).summary.path, format!("{stem}-crop-upscale.png"));
    let summary = details(large).summary;
    assert_eq!((summary.width, summary.height, summary.rating), (96, 72, 0));
    assert_eq!((summary.parent, summary.derivation), (Some(crop), Some(Derivation::Upscale)));
    assert_eq!((summary.tags, summary.project.as_deref()), (vec!["print".to_owned()], Some("Loulan")));
    let family: Vec<_> =
        world.library.lineage(large).unwrap().nodes.into_iter().map(|node| node.id).collect();
    assert_eq!(family, [parent, crop, again, large]);

    // The recipe makes the same pixels from what was drawn.
    let first = Recipe::from_json(&details(parent).recipe.unwrap()).unwrap();
    let last = Recipe::from_json(&details(large).recipe.unwrap()).unwrap();
    assert_eq!(last, first.then(CROP).then(LARGE));
    let drawn = decoded(&world.library.picture_path(parent).unwrap());
    let made =
        postprocess(Picture { width: 64, height: 64, rgb: drawn.2.clone() }, &last.postprocess).unwrap();
    let (width, height, rgb, texts) = decoded(&world.library.picture_path(large).unwrap());
    assert_eq!((width, height), (96, 72));
    assert_eq!(rgb, made.rgb);
    let infotext = &texts.iter().find(|(keyword, _)| keyword == "parameters").unwrap().1;
    assert_eq!(Infotext::read(infotext).to_draft().0.postprocess, Some(vec![CROP, LARGE]));

    // A crop's pixels are the parent's.
    let (_, _, cropped, _) = decoded(&world.library.picture_path(crop).unwrap());
    assert_eq!(cropped[..3], drawn.2[(4 * 64 + 8) * 3..][..3]);

    // All of it is in the files.
    let before: Vec<_> =
        [parent, crop, large, again].map(details).map(|it| (it.summary.parent, it.recipe)).into();
    world.rebuild();
    let after: Vec<_> =
        [parent, crop, large, again].map(details).map(|it| (it.summary.parent, it.recipe)).into();
    assert_eq!(after, before);
    let newest = world.library.pictures(&parse(""), Sort::Newest, None, 10).unwrap();
    assert_eq!(newest.len(), 4);
}

#[test]
fn what_no_recipe_makes_says_what_was_done_to_it() {
    let world = world();
    // A picture that somebody scaled with another program, which left the recipe in it.
    let scaled = world.root().join("scaled.png");
    let Picture { rgb, .. } = pixels(5);
    let half = Picture { width: 64, height: 32, rgb: rgb[..64 * 32 * 3].to_vec() };
    let recipe = recipe("scaled by hand");
    picture::write(&scaled, &half, &recipe, &Labels::new(&recipe, "Tarim test"), IfExists::Refuse).unwrap();
    // Another program's, without a word.
    let foreign = world.root().join("foreign.jpg");
    let rgb = image::RgbImage::from_pixel(50, 40, image::Rgb([200, 30, 30]));
    rgb.save(&foreign).unwrap();
    world.reconcile();

    let crop = Postprocess::Crop { x: 0, y: 0, width: 40, height: 20 };
    for (name, infotext) in [("scaled", true), ("foreign", false)] {
        let parent = world.library.pictures(&parse(""), Sort::Newest, None, 10).unwrap();
        let parent = parent.iter().find(|picture| picture.path.starts_with(name)).unwrap().id;
        let id = derive(&world, parent, Derivation::Crop, crop).unwrap();
        let details = world.library.picture(id).unwrap();
        assert_eq!(details.summary.path, format!("{name}-crop.png"));
        assert_eq!(details.summary.parent, Some(parent));
        assert_eq!(details.recipe, None, "{name}");
        assert_eq!(details.infotext.is_some(), infotext, "{name}");
        let (width, height, _, texts) = decoded(&world.library.picture_path(id).unwrap());
        assert_eq!((width, height), (40, 20));
        let done = &texts.iter().find(|(keyword, _)| keyword == "postprocessing").unwrap().1;
        assert_eq!(done, "Postprocess steps: crop 40x20+0+0, Version: Tarim test");
        let twice = derive(&world, id, Derivation::Upscale, LARGE).unwrap();
        let (_, _, _, texts) = decoded(&world.library.picture_path(twice).unwrap());
        let done = &texts.iter().find(|(keyword, _)| keyword == "postprocessing").unwrap().1;
        assert!(done.starts_with("Postprocess steps: crop 40x20+0+0, Version: Tarim test, "), "{done}");
        assert!(done.contains("resize 96x72 Lanczos"), "{done}");
    }
}

#[test]
fn what_cannot_be_done_leaves_nothing_behind() {
    let world = world();
    let parent = world.render("a fox", 1)[0];
    let before = world.files();
    let outside = Postprocess::Crop { x: 40, y: 0, width: 32, height: 32 };
    let error = derive(&world, parent, Derivation::Crop, outside).unwrap_err().to_string();
    assert!(error.contains("crops inside the picture, which is 64x64 there"), "{error}");
    let error = derive(&world, new_id(), Derivation::Crop, CROP).unwrap_err();
    assert_eq!(error.code(), "not_found");
    world.library.trash(&[parent], NOW).unwrap();
    let error = derive(&world, parent, Derivation::Crop, CROP).unwrap_err();
    assert_eq!(error.code(), "in_trash");
    world.library.restore(&[parent]).unwrap();
    fs::remove_file(world.library.picture_path(parent).unwrap()).unwrap();
    let error = derive(&world, parent, Derivation::Crop, CROP).unwrap_err();
    assert_eq!(error.code(), "not_found");
    assert_eq!(world.files(), &before[..0]);
}
