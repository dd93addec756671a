//! Measures the index with many synthetic pictures and prints the times as JSON: `library_bench [PICTURES] [FILES]`.

#![allow(clippy::print_stdout, clippy::unwrap_used)] // a program; a failure ends it

use std::{fs, time::Instant};

use serde_json::{Map, Value, json};
use tarim_library::{
    IfExists, Labels, Library, Moment, Picture, picture,
    search::{Sort, parse},
    synthetic::{self, Numbers},
};
use tarim_recipe::{Recipe, Seed};

const NOW: Moment = Moment { ms: 1_795_454_100_000, offset_minutes: 480 };
/// As many as a window shows at first.
const PAGE: u32 = 100;

/// Queries by what is measured. Some find a third of everything, some nothing.
const QUERIES: [(&str, &[&str]); 7] = [
    (
        "search_english",
        &[
            "fox",
            "portrait",
            "cinematic lighting",
            "\"in the snow\"",
            "zoetrope",
            "quicksilver",
            "nothing like this",
            "snow fox",
            "cyber",
            "light -neon",
            "ation",
            "tarantula velvet",
            "-bokeh -neon",
            "station",
            "glass fog -sea",
        ],
    ),
    ("search_short_latin", &["3d", "in", "by", "zo", "xy", "q", "35"]),
    ("search_chinese_1", &["狐", "城", "的", "湖", "珀", "罗", "龙", "水"]),
    ("search_chinese_2", &["楼兰", "狐狸", "琥珀", "错银", "水墨", "电影", "玻璃", "无此"]),
    (
        "search_chinese_3",
        &[
            "赛博楼兰",
            "沙漠中的",
            "电影感光线",
            "罗布泊",
            "鎏金错银壶",
            "青绿山水",
            "不存在的词",
            "机械狐狸 黄昏",
        ],
    ),
    (
        "filter",
        &[
            "model:3",
            "sampler:euler",
            "size:512x768",
            "rating:>=4",
            "date:2024-01",
            "tag:loulan",
            "is:pick",
            "seed:777",
            "steps:>=50",
            "cfg:8.5",
            "is:inpaint",
            "sampler:LMS",
            "size:640x640",
            "negative:watermark",
            "is:trashed",
        ],
    ),
    (
        "search_and_filter",
        &[
            "fox rating:5",
            "portrait model:3 size:512x768",
            "楼兰 is:pick",
            "snow date:2023-12",
            "neon tag:contest rating:>=3",
            "fox seed:777",
            "zoetrope rating:>=1",
            "湖 steps:>=50 -neon",
            "lighthouse sampler:LMS",
            "-fox rating:5",
        ],
    ),
];

fn main() {
    let mut arguments = std::env::args().skip(1).map(|argument| argument.parse::<u64>().unwrap());
    let (pictures, files) = (arguments.next().unwrap_or(100_000), arguments.next().unwrap_or(2000));
    let folder = tempfile::tempdir_in(std::env::current_dir().unwrap().join("target")).unwrap();
    let (library, _) = Library::open(folder.path(), NOW).unwrap();
    let start = Instant::now();
    library.add_synthetic(0, pictures, 5000).unwrap();
    library.tidy().unwrap();
    let fill = start.elapsed().as_secs_f64();

    let mut times = Map::new();
    for (name, queries) in QUERIES {
        let mut all = Vec::new();
        let mut slowest = (0.0, "");
        for round in 0..5 {
            for query in queries {
                let query_time = time(|| library.pictures(&parse(query), Sort::Newest, None, PAGE).unwrap());
                all.push(query_time);
                if round > 0 && query_time > slowest.0 {
                    slowest = (query_time, query);
                }
            }
        }
        let mut summary = percentiles(all);
        summary["slowest_query"] = slowest.1.into();
        times.insert(name.to_owned(), summary);
    }
    let mut numbers = Numbers(1);
    let layout = library.layout(&parse(""), Sort::Newest, None, u32::MAX).unwrap();
    let mut page = |sort| {
        let any = (0..60).map(|_| {
            let after = layout.cells[numbers.below(layout.cells.len())].id;
            time(|| library.pictures(&parse(""), sort, Some(after), PAGE).unwrap())
        });
        percentiles(any.collect())
    };
    times.insert("page_newest".to_owned(), page(Sort::Newest));
    times.insert("page_best_rated".to_owned(), page(Sort::BestRated));
    let mut often = |name: &str, n: usize, work: &mut dyn FnMut()| {
        times.insert(name.to_owned(), percentiles((0..n).map(|_| time(&mut *work)).collect()));
    };
    often("layout_first_100000", 5, &mut || {
        library.layout(&parse(""), Sort::Newest, None, 100_000).unwrap();
    });
    often("layout_everything", 5, &mut || {
        library.layout(&parse(""), Sort::Newest, None, u32::MAX).unwrap();
    });
    often("layout_of_a_search", 5, &mut || {
        library.layout(&parse("fox"), Sort::Newest, None, u32::MAX).unwrap();
    });
    often("count_of_a_search", 5, &mut || {
        library.count(&parse("portrait"), 10_000).unwrap();
    });
    often("totals", 5, &mut || {
        library.totals().unwrap();
    });
    let mut next = pictures;
    often("insert_one_synced", 200, &mut || {
        library.add_synthetic(next, next + 1, 1).unwrap();
        next += 1;
    });
    let size = fs::metadata(folder.path().join(".tarim/library.sqlite")).unwrap().len();
    let report = json!({
        "pictures": pictures,
        "fill_seconds": round(fill),
        "fill_pictures_per_second": (pictures as f64 / fill).round(),
        "database_bytes_per_picture": size / pictures.max(1),
        "milliseconds": times,
        "rebuild": rebuild(files),
        "peak_memory_mib": peak_memory_mib(),
    });
    println!("{}", serde_json::to_string_pretty(&report).unwrap());
}

/// Makes real files and indexes them.
fn rebuild(files: u64) -> Value {
    let folder = tempfile::tempdir_in(std::env::current_dir().unwrap().join("target")).unwrap();
    let json = r#"{"tarim_recipe":1,"model":{"name":"starter"},"prompt":"","size":{"width":512,"height":512},
        "sampler":"DPM++ 2M","steps":20,"guidance_scale":7,"seed":7,"precision":"fp32"}"#;
    let mut recipe = Recipe::from_json(json).unwrap();
    let mut numbers = Numbers(7);
    let shades = (0..512 * 512 * 3).map(|_| numbers.below(256) as u8).collect();
    let pixels = Picture { width: 512, height: 512, rgb: shades };
    let first = folder.path().join("first.png");
    for n in 0..files {
        recipe.seed = Seed(n);
        recipe.prompt = synthetic::prompt(&mut numbers).into();
        let sub = folder.path().join(format!("{}", n / 500));
        fs::create_dir_all(&sub).unwrap();
        let file = sub.join(format!("{n:06}.png"));
        if n % 50 == 0 {
            picture::write(&first, &pixels, &recipe, &Labels::new(&recipe, "bench"), IfExists::Replace)
                .unwrap();
        }
        // Writing 512x512 pixels anew for each would take longer than everything else.
        fs::copy(&first, file).unwrap();
    }
    fs::remove_file(&first).ok();
    let (library, _) = Library::open(folder.path(), NOW).unwrap();
    let start = Instant::now();
    let report = library.rebuild(NOW, &mut |_| true).unwrap();
    let rebuild = start.elapsed().as_secs_f64();
    let start = Instant::now();
    library.reconcile(NOW, &mut |_| true).unwrap();
    let reconcile = start.elapsed().as_secs_f64();
    json!({
        "files": report.added,
        "files_per_second": (files as f64 / rebuild).round(),
        "reconcile_unchanged_files_per_second": (files as f64 / reconcile).round(),
    })
}

fn time<T>(work: impl FnOnce() -> T) -> f64 {
    let start = Instant::now();
    work();
    start.elapsed().as_secs_f64() * 1000.0
}

fn percentiles(mut times: Vec<f64>) -> Value {
    times.sort_by(f64::total_cmp);
    let at =
        |share: f64| times.get(((times.len() as f64 - 1.0) * share).round() as usize).copied().unwrap_or(0.0);
    json!({ "p50": round(at(0.5)), "p95": round(at(0.95)), "max": round(at(1.0)), "n": times.len() })
}

fn round(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

/// As Linux tells it; nothing elsewhere.
fn peak_memory_mib() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse::<u64>().ok().map(|kib| kib / 1024)
}
