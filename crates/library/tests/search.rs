//! What queries find, in English and in Chinese.

#![allow(clippy::unwrap_used)]

mod common;

use common::{NOW, World, later, recipe, world};
use tarim_library::{
    Flag, Id,
    search::{Sort, parse},
};
use tarim_recipe::{Sampler, Size};

fn gallery() -> World {
    let world = world();
    for prompt in [
        "a red fox in the snow, 8k",
        "赛博楼兰，沙漠中的古城，电影感光线",
        "Portrait of a dancer, Cyberpunk city",
        "狐狸 fox 雪地",
        "ＦＵＬＬ width ｆｏｘ and 楼房",
        "100% \"quoted\" (weight:1.2), <script>alert('x')</script>",
        "キツネの絵 ガラス",
    ] {
        world.render(prompt, 1);
    }
    world
}

#[test]
fn texts() {
    let world = gallery();
    let check = |query: &str, expected: &[&str]| {
        let found = world.prompts(query);
        let missing: Vec<_> =
            expected.iter().filter(|part| !found.iter().any(|prompt| prompt.contains(**part))).collect();
        assert!(missing.is_empty() && found.len() == expected.len(), "{query}: {found:#?}");
    };
    check("", &["red fox", "赛博楼兰", "Portrait", "狐狸", "ＦＵＬＬ", "100%", "キツネ"]);
    // Three characters and more: any part of the text.
    check("fox", &["red fox", "狐狸", "ＦＵＬＬ"]);
    check("FOX snow", &["red fox"]);
    check("punk", &["Cyberpunk"]);
    check("\"fox in the\"", &["red fox"]);
    check("fox -snow", &["狐狸", "ＦＵＬＬ"]);
    check("-fox", &["赛博楼兰", "Portrait", "100%", "キツネ"]);
    check("full", &["ＦＵＬＬ"]);
    check("赛博楼兰", &["赛博楼兰"]);
    check("沙漠中的古城", &["赛博楼兰"]);
    check("沙漠古城", &[]);
    // Two characters and one.
    check("楼兰", &["赛博楼兰"]);
    check("狐狸", &["狐狸"]);
    check("楼", &["赛博楼兰", "ＦＵＬＬ"]);
    check("狐", &["狐狸"]);
    check("兰楼", &[]);
    check("楼 -楼兰", &["ＦＵＬＬ"]);
    check("-楼", &["red fox", "Portrait", "狐狸", "100%", "キツネ"]);
    check("fox 狐狸", &["狐狸"]);
    check("fox 雪", &["狐狸"]);
    check("雪地 狐", &["狐狸"]);
    check("キツ", &["キツネ"]);
    check("ガ", &["キツネ"]);
    // Other scripts: the beginning of a word.
    check("8k", &["red fox"]);
    check("ci", &["Portrait"]);
    check("ox", &[]);
    check("a", &["red fox", "Portrait", "ＦＵＬＬ", "100%"]);
    // Nothing of the query's own language gets through.
    check("\"100% \"", &["100%"]);
    check("(weight:1.2)", &["100%"]);
    check("'x'", &["100%"]);
    check("alert('x')", &["100%"]);
    check("fox OR dancer", &[]);
    check("fox*", &[]);
    check("%", &["red fox", "赛博楼兰", "Portrait", "狐狸", "ＦＵＬＬ", "100%", "キツネ"]);
}

#[test]
fn filters() {
    let world = world();
    let mut made: Vec<Id> = Vec::new();
    let days = 24 * 3600;
    for n in 0..4_u32 {
        let mut recipe = recipe(&format!("picture {n}"));
        recipe.model.name = ["Dream Shaper", "梦幻模型", "starter", "starter"][n as usize].to_owned();
        recipe.model.hash = Some(format!("{n}b").repeat(32));
        recipe.sampler =
            [Sampler::EulerAncestral, Sampler::Euler, Sampler::DpmPp2M, Sampler::Ddim][n as usize];
        recipe.steps = 10 * (n + 1);
        recipe.guidance_scale = 7.5;
        let sizes = [Size::new(64, 128), Size::new(128, 64), Size::new(64, 64), Size::new(64, 64)];
        recipe.size = sizes[n as usize].unwrap();
        if n == 3 {
            recipe.negative_prompt = "Watermark, bad hands".into();
        }
        // The pixels stay 64x64; what is asked for here is what the file has.
        made.extend(world.render_at(later(i64::from(n) * days), recipe, 1));
    }
    let library = &world.library;
    library.set_rating(&made[1..3], 4).unwrap();
    library.set_rating(&made[..1], 2).unwrap();
    library.set_flag(&made[..1], Flag::Pick).unwrap();
    library.set_project(&made[..2], Some("Cyber Loulan")).unwrap();
    library.add_tags(&made[2..], &["Contest 2026".to_owned(), "参赛".to_owned()]).unwrap();
    library.add_to_collection("Best of", &[made[3], made[0]]).unwrap();
    library.trash(&made[3..], NOW).unwrap();

    let check = |query: &str, expected: &[usize]| {
        let mut found: Vec<_> =
            world.find(query).iter().map(|id| made.iter().position(|other| other == id).unwrap()).collect();
        found.sort_unstable();
        assert_eq!(found, expected, "{query}");
    };
    check("", &[0, 1, 2]);
    check("model:dream", &[0]);
    check("模型：梦幻", &[1]);
    check("model:2b2b", &[2]);
    check("-model:dream", &[1, 2]);
    check("sampler:euler", &[1]);
    check("sampler:\"Euler a\"", &[0]);
    check("sampler:eul", &[0, 1]);
    check("sampler:k_euler_a", &[0]);
    check("steps:>=20", &[1, 2]);
    check("steps:<20", &[0]);
    check("cfg:7.5", &[0, 1, 2]);
    check("cfg:>7.5", &[]);
    check("seed:7", &[0, 1, 2]);
    check("size:64x64", &[0, 1, 2]);
    check("size:64x", &[0, 1, 2]);
    check("size:square", &[0, 1, 2]);
    check("size:portrait", &[]);
    check("rating:>=3", &[1, 2]);
    check("rating:0", &[]);
    check("-rating:4", &[0]);
    check("is:pick", &[0]);
    check("-is:pick", &[1, 2]);
    check("is:rated", &[0, 1, 2]);
    check("is:trashed", &[3]);
    check("is:trashed model:starter", &[3]);
    check("negative:watermark is:trashed", &[3]);
    check("negative:blurry", &[0, 1, 2]);
    check("date:2026-11-24", &[0]);
    check("date:>2026-11-24", &[1, 2]);
    check("date:2026-11-25..2026-11", &[1, 2]);
    check("date:2025", &[]);
    check("project:\"cyber loulan\"", &[0, 1]);
    check("project:none", &[2]);
    check("tag:\"contest 2026\"", &[2]);
    check("tag:contest*", &[2]);
    check("tag:参赛", &[2]);
    check("-tag:参赛", &[0, 1]);
    check("collection:\"Best of\"", &[0]);
    check("is:foreign", &[]);
    check("outcome:done", &[0, 1, 2]);
    check("picture rating:>=4 -tag:参赛", &[1]);
    check("picture modle:x", &[0, 1, 2]);
    check("is:missing", &[]);
    assert_eq!(library.requests(&parse("is:pick"), None, 10).unwrap().len(), 1);
    assert_eq!(library.requests(&parse("picture steps:>=20 rating:4"), None, 10).unwrap().len(), 2);
    assert_eq!(library.requests(&parse("size:128x64"), None, 10).unwrap().len(), 1);
    assert_eq!(library.model_counts().unwrap()[0].pictures, 1);
    assert_eq!(library.totals().unwrap().trashed, 1);
}

#[test]
fn orders_pages_and_layouts() {
    let world = world();
    let mut made = Vec::new();
    for n in 0..25_i64 {
        made.extend(world.render_at(later(n * 7 % 10 * 3600), recipe(&format!("fox {n}")), 1));
    }
    let library = &world.library;
    for (n, id) in made.iter().enumerate() {
        library.set_rating(&[*id], (n % 6) as u8).unwrap();
    }
    library.add_to_collection("c", &made).unwrap();
    let mut order: Vec<Id> = made.clone();
    order.reverse();
    library.order_collection("c", &order).unwrap();
    for query in ["", "fox", "fo", "collection:c", "fox -nothing rating:>=1", "collection:c fox"] {
        for sort in [Sort::Newest, Sort::Oldest, Sort::BestRated, Sort::Name, Sort::Collection] {
            let query = parse(query);
            let all = library.pictures(&query, sort, None, 1000).unwrap();
            let sorted = |key: &dyn Fn(usize) -> i64| (1..all.len()).all(|n| key(n - 1) >= key(n));
            assert!(match sort {
                Sort::Newest => sorted(&|n| all[n].created.ms),
                Sort::Oldest => sorted(&|n| -all[n].created.ms),
                Sort::BestRated => sorted(&|n| i64::from(all[n].rating)),
                Sort::Name => (1..all.len()).all(|n| all[n - 1].path < all[n].path),
                Sort::Collection => true,
            });
            // The same, in pages.
            let mut pages = Vec::new();
            while let Ok(page) = library.pictures(&query, sort, pages.last().copied(), 7) {
                if page.is_empty() {
                    break;
                }
                pages.extend(page.iter().map(|picture| picture.id));
            }
            let ids: Vec<_> = all.iter().map(|picture| picture.id).collect();
            assert_eq!(pages, ids, "{query:?} {sort:?}");
            let layout = library.layout(&query, sort, None, 10).unwrap();
            assert!(layout.more);
            assert_eq!(layout.cells.iter().map(|cell| cell.id).collect::<Vec<_>>(), ids[..10]);
            let keys: Vec<_> = layout.cells.iter().map(|cell| cell.key).collect();
            assert_eq!(library.summaries_by_key(&keys).unwrap(), all[..10]);
            let count = library.count(&query, 1000).unwrap();
            assert!(count.exact && count.n == ids.len() as u64);
        }
    }
    let in_order = library.pictures(&parse("collection:c"), Sort::Collection, None, 100).unwrap();
    assert_eq!(in_order.iter().map(|picture| picture.id).collect::<Vec<_>>(), order);
    let few = library.count(&parse("fox"), 5).unwrap();
    assert!(!few.exact && few.n == 5);
    assert_eq!(library.layout(&parse(""), Sort::Newest, None, 100).unwrap().pack().len(), 25 * 24);
    assert_eq!(library.collections().unwrap()[0].cover, Some(order[0]));
}

#[test]
fn counts_leave_out_what_is_not_there() {
    let world = world();
    let library = &world.library;
    let made = world.render("a fox", 5);
    library.set_project(&made, Some("Loulan")).unwrap();
    library.create_project("Empty").unwrap();
    let counts = || {
        let one = |counts: Vec<tarim_library::NameCount>| counts.first().map_or(0, |count| count.pictures);
        let projects: Vec<_> =
            library.projects().unwrap().into_iter().map(|it| (it.name, it.pictures)).collect();
        let totals = library.totals().unwrap();
        (
            one(library.model_counts().unwrap()),
            one(library.sampler_counts().unwrap()),
            projects,
            totals.pictures,
        )
    };
    let expected = |n: u64| (n, n, vec![("Empty".to_owned(), 0), ("Loulan".to_owned(), n)], n);
    assert_eq!(counts(), expected(5));
    library.trash(&made[..1], NOW).unwrap();
    assert_eq!(counts(), expected(4));
    std::fs::remove_file(library.picture_path(made[1]).unwrap()).unwrap();
    world.reconcile();
    assert_eq!(counts(), expected(3));
    // One that is missing is put into the trash too.
    library.trash(&made[1..2], NOW).unwrap();
    assert_eq!(counts(), expected(3));
    library.trash(&made[2..], NOW).unwrap();
    assert_eq!(counts(), expected(0));
    assert_eq!(library.model_counts().unwrap(), []);
}
