//! Files and rows: rebuilding, noticing changes, trash, metadata in files, thumbnails.

#![allow(clippy::unwrap_used)]

mod common;

use std::{fs, io::Write, path::Path};

use common::{NOW, World, later, pixels, recipe, relative, world};
use tarim_library::{
    Derivation, Flag, Id, IfExists, Labels, Library, Metadata, PictureDetails, ThumbnailSize, WrittenTo,
    picture, pixels, search::parse, update_metadata,
};

fn details(world: &World) -> Vec<PictureDetails> {
    let mut ids = world.find("");
    ids.extend(world.find("is:trashed"));
    ids.sort();
    ids.into_iter().map(|id| comparable(world.library.picture(id).unwrap())).collect()
}

/// What must survive: all but the keys, and the time of the last writing.
fn comparable(mut details: PictureDetails) -> PictureDetails {
    details.summary.version = 0;
    details.summary.key = 0;
    details
}

fn write(path: &Path, prompt: &str, metadata: Metadata) {
    let recipe = recipe(prompt);
    let labels = Labels { metadata, ..Labels::new(&recipe, "Tarim test") };
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    picture::write(path, &pixels(9), &recipe, &labels, IfExists::Refuse).unwrap();
}

fn full() -> World {
    let world = world();
    let made = world.render("a fox, 赛博楼兰", 4);
    let library = &world.library;
    library.set_rating(&made[..2], 4).unwrap();
    library.set_flag(&made[..1], Flag::Pick).unwrap();
    library.set_flag(&made[1..2], Flag::Reject).unwrap();
    library.add_tags(&made[..3], &["<b>&amp;\"'".to_owned(), "标签".to_owned()]).unwrap();
    library.set_project(&made[1..], Some("Cyber Loulan / 赛博楼兰")).unwrap();
    library.add_to_collection("Best", &[made[2], made[0]]).unwrap();
    library.trash(&made[3..], later(77)).unwrap();
    library.create_collection("Empty / 空").unwrap();
    library.create_project("Still to come").unwrap();
    world
}

#[test]
fn the_index_comes_back_from_the_files() {
    let world = full();
    let written = world.library.write_back(100).unwrap();
    assert_eq!((written.written, written.left, written.problems.len()), (4, 0, 0));
    let before = details(&world);
    let collections = world.library.collections().unwrap();
    let projects = world.library.projects().unwrap();
    let World { folder, library } = world;
    drop(library);
    for ending in ["", "-wal", "-shm"] {
        fs::remove_file(folder.path().join(format!(".tarim/library.sqlite{ending}"))).ok();
    }
    let (library, _) = Library::open(folder.path(), NOW).unwrap();
    let world = World { folder, library };
    assert_eq!(world.find(""), []);
    let report = world.rebuild();
    assert_eq!((report.files, report.added, report.trashed, report.problems), (3, 3, 1, vec![]));
    assert_eq!(details(&world), before);
    assert_eq!(world.library.collections().unwrap(), collections);
    assert_eq!(world.library.projects().unwrap(), projects);
    assert_eq!(world.prompts("楼兰").len(), 3);
    // Once more, over an index that is whole.
    world.rebuild();
    assert_eq!(details(&world), before);
    let quiet = world.reconcile();
    assert_eq!((quiet.added, quiet.changed, quiet.moved, quiet.missing), (0, 0, 0, 0));
}

#[test]
fn writing_back_changes_nothing_else() {
    let world = world();
    let made = world.render("a fox", 1);
    let path = world.library.picture_path(made[0]).unwrap();
    let before = (pixels::load(&path).unwrap().rgb, picture::read(&path).unwrap());
    for rating in [5, 0, 3] {
        world.library.set_rating(&made, rating).unwrap();
        world.library.write_back(10).unwrap();
        let info = picture::read(&path).unwrap();
        assert_eq!(info.problems, [""; 0]);
        assert_eq!(pixels::load(&path).unwrap().rgb, before.0);
        assert_eq!(info.recipe.unwrap().unwrap(), recipe("a fox"));
        assert_eq!(info.infotext, before.1.infotext);
        let xmp = info.xmp.unwrap();
        assert_eq!(xmp.contains(&format!("<xmp:Rating>{rating}</xmp:Rating>")), rating > 0);
        assert_eq!(xmp.matches("<xmpMM:DocumentID>").count(), 1);
        assert!(xmp.contains("trainedAlgorithmicMedia"));
    }
    // Nothing to say, nothing to write.
    let stat = fs::metadata(&path).unwrap().modified().unwrap();
    world.library.set_rating(&made, 3).unwrap();
    assert_eq!(world.library.write_back(10).unwrap().written, 0);
    assert_eq!(fs::metadata(&path).unwrap().modified().unwrap(), stat);
}

#[test]
fn moved_renamed_replaced_copied_deleted() {
    let world = world();
    let made = world.render("a fox", 5);
    let library = &world.library;
    library.set_rating(&made, 3).unwrap();
    library.write_back(10).unwrap();
    let path = |n: usize| library.picture_path(made[n]).unwrap();
    let (p0, p1, p2, p3, p4) = (path(0), path(1), path(2), path(3), path(4));
    fs::create_dir_all(world.root().join("moved/深")).unwrap();
    fs::rename(&p0, world.root().join("moved/深/elsewhere.png")).unwrap();
    fs::remove_file(&p1).unwrap();
    // Two change places.
    fs::rename(&p2, world.root().join("x.png")).unwrap();
    fs::rename(&p3, &p2).unwrap();
    fs::rename(world.root().join("x.png"), &p3).unwrap();
    fs::copy(&p4, p4.with_file_name("copy.png")).unwrap();

    let report = world.reconcile();
    assert_eq!((report.moved, report.missing, report.added), (3, 1, 1), "{report:?}");
    assert_eq!(library.picture(made[0]).unwrap().summary.path, "moved/深/elsewhere.png");
    assert_eq!((path(2), path(3)), (p3, p2));
    assert!(library.picture(made[1]).unwrap().summary.missing);
    assert_eq!(world.find("is:missing"), [made[1]]);
    assert_eq!(world.find("").len(), 5);
    let copy: Vec<Id> = world.find("").into_iter().filter(|id| !made.contains(id)).collect();
    assert_eq!(library.picture(copy[0]).unwrap().summary.rating, 3);
    // The copy's file learns its own id.
    assert_eq!(library.write_back(10).unwrap().written, 1);
    let xmp = picture::read(&p4.with_file_name("copy.png")).unwrap().xmp.unwrap();
    assert!(xmp.contains(&copy[0].to_string()) && !xmp.contains(&made[4].to_string()));
    assert_eq!(world.reconcile().added, 0);

    // The deleted one comes back from a backup, under its old name.
    write(&p1, "a fox", Metadata { id: Some(made[1]), created: Some(NOW), ..Metadata::default() });
    let report = world.reconcile();
    assert_eq!((report.returned, report.missing), (1, 0));
    assert!(!library.picture(made[1]).unwrap().summary.missing);

    // Another picture takes a name: the first is gone, the second is new.
    fs::remove_file(&p1).unwrap();
    write(&p1, "a dog", Metadata::default());
    let report = world.reconcile();
    assert_eq!(
        (report.changed, report.added, report.missing),
        (1, 0, 0),
        "no id of its own: taken for an edit"
    );
    assert_eq!(library.picture(made[1]).unwrap().facts.prompt, "a dog");
    // And the file is told who it is, and what it was rated.
    assert_eq!(library.write_back(10).unwrap().written, 1);
    assert!(picture::read(&p1).unwrap().xmp.unwrap().contains(&made[1].to_string()));
    assert_eq!(world.prompts("dog").len(), 1);
}

#[test]
fn trash_and_restore() {
    let world = world();
    let made = world.render("a fox", 2);
    let library = &world.library;
    let path = relative(&world.root(), &library.picture_path(made[0]).unwrap());
    assert_eq!(library.trash(&made[..1], NOW).unwrap(), 1);
    assert_eq!(library.trash(&made[..1], NOW).unwrap(), 0);
    assert_eq!((world.find(""), world.find("is:trashed")), (vec![made[1]], vec![made[0]]));
    assert!(world.root().join(".tarim/trash").join(&path).is_file());
    assert_eq!(world.reconcile().missing, 0);
    // Its name is taken meanwhile.
    fs::write(world.root().join(&path), "something else").unwrap();
    let restored = library.restore(&made[..1]).unwrap();
    assert_eq!(restored, [(made[0], path.replace(".png", "-2.png"))]);
    assert_eq!(world.find("").len(), 2);

    library.trash(&made, NOW).unwrap();
    let job = library.job(made[0]).unwrap();
    let emptied = library.empty_trash(Some(&made[..1])).unwrap();
    assert!(emptied.pictures == 1 && emptied.bytes > 1000);
    assert_eq!(world.find("is:trashed"), [made[1]]);
    // The history still knows how it was made.
    assert_eq!(library.job(made[0]).unwrap().recipe, job.recipe);
    assert_eq!(library.empty_trash(None).unwrap().pictures, 1);
    assert_eq!(world.find("is:trashed"), []);
    assert_eq!(library.picture(made[0]).unwrap_err().code(), "not_found");
    assert_eq!(library.set_rating(&made, 3).unwrap(), 0);
}

#[test]
fn killed_while_moving_to_the_trash() {
    let world = world();
    let made = world.render("a fox", 1);
    let path = world.library.picture_path(made[0]).unwrap();
    let trashed = world.root().join(".tarim/trash").join(relative(&world.root(), &path));
    fs::create_dir_all(trashed.parent().unwrap()).unwrap();
    fs::rename(&path, &trashed).unwrap();
    let report = world.reconcile();
    assert_eq!((report.missing, report.trashed), (0, 1));
    assert_eq!(world.find("is:trashed"), made);
    world.library.restore(&made).unwrap();
    assert_eq!(world.find(""), made);
    assert!(path.is_file());
}

#[test]
fn other_programs_pictures() {
    let world = world();
    let root = world.root();
    let infotext = "a fox, masterpiece\nNegative prompt: blurry\nSteps: 28, Sampler: DPM++ 2M Karras, CFG scale: 6.5, \
                    Seed: 42, Size: 64x64, Model hash: 6ce0161689, Model: v1-5";
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, 2, 3);
    encoder.set_color(png::ColorType::Rgb);
    encoder.add_text_chunk("parameters".to_owned(), infotext.to_owned()).unwrap();
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(&[7; 18]).unwrap();
    writer.finish().unwrap();
    fs::write(root.join("a1111.png"), &bytes).unwrap();
    fs::write(root.join("copy of it.png"), &bytes).unwrap();
    let jpeg = image::RgbImage::from_pixel(40, 30, image::Rgb([200, 10, 10]));
    jpeg.save(root.join("photo.JPG")).unwrap();
    // What must not be met at all, or does no harm.
    fs::write(root.join("not a picture.png"), "hello").unwrap();
    fs::write(root.join("empty.webp"), "").unwrap();
    fs::create_dir_all(root.join(".hidden")).unwrap();
    fs::write(root.join(".hidden/a.png"), &bytes).unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink("/", root.join("link")).unwrap();

    let report = world.reconcile();
    assert_eq!((report.added, report.unreadable), (3, 2), "{report:?}");
    let found = world
        .library
        .pictures(&parse("fox seed:42 model:6ce0161689"), tarim_library::search::Sort::Name, None, 9)
        .unwrap();
    assert_eq!(found.len(), 2);
    let details = world.library.picture(found[0].id).unwrap();
    assert_eq!((details.facts.steps, details.facts.guidance), (Some(28), Some(6.5)));
    assert_eq!(details.facts.schedule.as_deref(), Some("Karras"));
    assert_eq!((details.recipe, details.infotext.as_deref()), (None, Some(infotext)));
    // Nobody edited them, so nobody writes to them.
    assert_eq!(world.library.write_back(10).unwrap().written, 0);
    assert_eq!(fs::read(root.join("a1111.png")).unwrap(), bytes);
    // Moving keeps who they are.
    fs::rename(root.join("a1111.png"), root.join("other name.png")).unwrap();
    assert_eq!(world.reconcile().moved, 1);
    assert_eq!(world.library.picture(found[0].id).unwrap().summary.path, "other name.png");

    // A JPEG gets a sidecar.
    let photo = world.find("size:40x30");
    world.library.set_rating(&photo, 5).unwrap();
    world.library.add_tags(&photo, &["red".to_owned()]).unwrap();
    assert_eq!(world.library.write_back(10).unwrap().written, 1);
    assert!(root.join("photo.JPG.xmp").is_file());
    world.rebuild();
    let again = world.library.picture(photo[0]).unwrap();
    assert_eq!((again.summary.rating, again.summary.tags), (5, vec!["red".to_owned()]));
    world.library.trash(&photo, NOW).unwrap();
    assert!(!root.join("photo.JPG.xmp").exists());
    world.library.restore(&photo).unwrap();
    assert!(root.join("photo.JPG.xmp").exists());
}

#[test]
fn hostile_files_do_no_harm() {
    let world = world();
    let root = world.root();
    write(
        &root.join("script.png"),
        "<script>alert(1)</script>'); DROP TABLE pictures;--",
        Metadata::default(),
    );
    // A text chunk of 100 MB, and a wrong checksum.
    let bytes = fs::read(root.join("script.png")).unwrap();
    let chunk = |kind: &[u8; 4], data: &[u8], crc: u32| {
        [&(data.len() as u32).to_be_bytes()[..], kind, data, &crc.to_be_bytes()].concat()
    };
    let head = 8 + 25;
    let mut large = fs::File::create(root.join("large.png")).unwrap();
    large.write_all(&bytes[..head]).unwrap();
    large.write_all(&chunk(b"tEXt", &vec![b'a'; 100 << 20], 0)).unwrap();
    large.write_all(&bytes[head..]).unwrap();
    drop(large);
    let broken = [&bytes[..head], &chunk(b"tEXt", b"Comment\0x", 1), &bytes[head..]].concat();
    fs::write(root.join("crc.png"), &broken).unwrap();
    fs::write(root.join("short.png"), &bytes[..bytes.len() / 2]).unwrap();
    let report = world.reconcile();
    assert_eq!(report.added, 4, "{report:?}");
    assert_eq!(world.prompts("alert(1)").len(), 4);
    // A file with a wrong checksum is not copied as if it were whole: the metadata go beside it.
    let crc = world.library.pictures(&parse(""), tarim_library::search::Sort::Name, None, 9).unwrap();
    let crc = crc.into_iter().find(|picture| picture.path == "crc.png").unwrap();
    world.library.set_rating(&[crc.id], 2).unwrap();
    world.library.write_back(100).unwrap();
    assert_eq!(fs::read(root.join("crc.png")).unwrap(), broken);
    assert!(root.join("crc.png.xmp").is_file());
}

#[test]
fn what_other_programs_wrote_stays() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.png");
    let sidecar = folder.path().join("a.png.xmp");
    let foreign = r#"<x:xmpmeta xmlns:x="adobe:ns:meta/"><r:RDF xmlns:r="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
        <r:Description r:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/"
          xmlns:mm="http://ns.adobe.com/xap/1.0/mm/" xmp:Rating="2" mm:DocumentID="xmp.did:1234" xmp:Label="Red &quot;1&quot;">
          <dc:title><r:Alt><r:li xml:lang="x-default">My &amp; title</r:li></r:Alt></dc:title>
          <dc:subject><r:Bag><r:li>old</r:li></r:Bag></dc:subject>
        </r:Description></r:RDF></x:xmpmeta>"#;
    write(&path, "x", Metadata::default());
    fs::write(&sidecar, foreign).unwrap();
    let id = common::new_id();
    let metadata = Metadata {
        id: Some(id),
        rating: 4,
        flag: Flag::Reject,
        derivation: Some(Derivation::Inpaint),
        parent: Some(common::new_id()),
        tags: vec!["new".to_owned()],
        ..Metadata::default()
    };
    for _ in 0..2 {
        assert_eq!(update_metadata(&path, &metadata).unwrap(), WrittenTo::Sidecar);
        let text = fs::read_to_string(&sidecar).unwrap();
        for kept in
            ["xmp.did:1234", "My &amp; title", "Red &quot;1&quot;", "<xmp:Rating>-1</xmp:Rating>", "tarim:id"]
        {
            assert_eq!(
                text.matches(kept).count(),
                if kept == "tarim:id" { 2 } else { 1 },
                "{kept} in {text}"
            );
        }
        assert!(!text.contains("old") && !text.contains("\"2\""), "{text}");
    }
    // Read back by whoever indexes it.
    let world = world();
    fs::copy(&path, world.root().join("a.png")).unwrap();
    fs::copy(&sidecar, world.root().join("a.png.xmp")).unwrap();
    world.reconcile();
    let found = world.library.picture(id).unwrap().summary;
    assert_eq!((found.rating, found.flag, found.derivation), (4, Flag::Reject, Some(Derivation::Inpaint)));
    assert_eq!((found.parent, found.tags), (metadata.parent, vec!["new".to_owned()]));
}

#[test]
fn thumbnails() {
    let world = world();
    let root = world.root();
    let wide = image::RgbImage::from_fn(1200, 300, |x, _| image::Rgb([(x / 5) as u8, 30, 60]));
    wide.save(root.join("wide.png")).unwrap();
    world.reconcile();
    let id = world.find("")[0];
    let library = &world.library;
    let summary = library.picture(id).unwrap().summary;
    assert_eq!(library.thumbnail_if_made(&summary, ThumbnailSize::Small), None);
    let path = library.thumbnail(id, ThumbnailSize::Small).unwrap();
    assert_eq!(library.thumbnail_if_made(&summary, ThumbnailSize::Small), Some(path.clone()));
    let small = pixels::load(&path).unwrap();
    assert_eq!((small.width, small.height), (480, 120));
    assert!(small.rgb[0] < 20 && small.rgb[479 * 3] > 220, "{:?}", &small.rgb[..3]);
    assert!(path.starts_with(root.join(".tarim/thumbnails")));
    // Rating it does not make it another picture; changing it does.
    library.set_rating(&[id], 3).unwrap();
    library.write_back(1).unwrap();
    assert_eq!(library.thumbnail(id, ThumbnailSize::Small).unwrap(), path);
    let red = image::RgbImage::from_pixel(900, 900, image::Rgb([250, 0, 0]));
    red.save(root.join("wide.png")).unwrap();
    world.reconcile();
    let again = library.thumbnail(id, ThumbnailSize::Small);
    let new = if let Ok(path) = again {
        path
    } else {
        library.thumbnail(world.find("")[0], ThumbnailSize::Small).unwrap()
    };
    assert_ne!(new, path);
    assert!(!path.exists());
    assert_eq!(pixels::load(&new).unwrap().height, 480);
}

#[test]
fn families() {
    let world = world();
    let made = world.render("x", 4);
    let library = &world.library;
    // 0 -> 1 -> 2; 3 is on its own.
    for (child, parent, seconds) in [(1, 0, 1), (2, 1, 2)] {
        let path = library.picture_path(made[child]).unwrap();
        let metadata = Metadata {
            id: Some(made[child]),
            parent: Some(made[parent]),
            derivation: Some(Derivation::Variation),
            created: Some(later(seconds)),
            ..Metadata::default()
        };
        update_metadata(&path, &metadata).unwrap();
    }
    world.reconcile();
    let lineage = library.lineage(made[2]).unwrap();
    let nodes: Vec<_> = lineage.nodes.iter().map(|node| (node.id, node.parent)).collect();
    assert_eq!(nodes, [(made[0], None), (made[1], Some(made[0])), (made[2], Some(made[1]))]);
    assert_eq!(library.lineage(made[0]).unwrap(), lineage);
    // An ancestor that is gone is still an ancestor.
    library.trash(&made[..1], NOW).unwrap();
    library.empty_trash(None).unwrap();
    let nodes = library.lineage(made[2]).unwrap().nodes;
    assert!(nodes.len() == 3 && nodes[0].picture.is_none());
    assert_eq!(library.lineage(common::new_id()).unwrap_err().code(), "not_found");
    assert_eq!(library.lineage(made[3]).unwrap().nodes.len(), 1);
}

/// What darktable and its kin do: they write beside the file and leave it alone.
#[test]
fn sidecars_that_other_programs_write_are_noticed() {
    let world = world();
    let id = world.render("a fox", 1)[0];
    let library = &world.library;
    library.set_project(&[id], Some("Loulan")).unwrap();
    library.write_back(1).unwrap();
    let before = library.picture(id).unwrap();
    let path = library.picture_path(id).unwrap();
    let bytes = fs::read(&path).unwrap();
    let sidecar = path.with_extension("png.xmp");
    let packet = |rating: &str| {
        format!(
            r#"<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
            <rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/"
            xmp:Rating="{rating}"><dc:subject><rdf:Bag><rdf:li>desert</rdf:li></rdf:Bag></dc:subject></rdf:Description>
            </rdf:RDF></x:xmpmeta>"#
        )
    };
    for rating in ["3", "5"] {
        // A clock may be too coarse to tell two writings apart; a file's date is not.
        fs::write(&sidecar, packet(rating)).unwrap();
        let date = std::time::SystemTime::now()
            + std::time::Duration::from_secs(60 + rating.parse::<u64>().unwrap());
        fs::File::options().append(true).open(&sidecar).unwrap().set_modified(date).unwrap();
        let report = world.reconcile();
        assert_eq!((report.changed, report.added, report.missing), (1, 0, 0), "{report:?}");
        let after = library.picture(id).unwrap();
        assert_eq!(after.summary.rating.to_string(), rating);
        assert_eq!(after.summary.tags, ["desert"]);
        // What the sidecar does not speak of is what the file says.
        assert_eq!(after.summary.project, before.summary.project);
        assert_eq!(
            (after.summary.created, after.summary.request),
            (before.summary.created, before.summary.request)
        );
        assert_eq!(after.recipe, before.recipe);
        assert_eq!(world.reconcile().changed, 0);
    }
    assert_eq!(fs::read(&path).unwrap(), bytes);
    // An edit here goes beside it too, and keeps its place.
    library.set_rating(&[id], 1).unwrap();
    library.write_back(1).unwrap();
    assert_eq!(world.reconcile().changed, 0);
    world.rebuild();
    assert_eq!(library.picture(id).unwrap().summary.rating, 1);
}
