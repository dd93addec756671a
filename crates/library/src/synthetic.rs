//! Rows without files, for measuring how the index behaves when it is large.

use rusqlite::params;

use crate::{
    error::Result,
    facts::Facts,
    id::Id,
    library::Library,
    moment::Moment,
    pictures::{self, Derivation, Flag, NewPicture},
    tags,
};

const SUBJECTS: [&str; 24] = [
    "a red fox",
    "an old lighthouse",
    "a portrait of a dancer",
    "a market street",
    "two camels",
    "a glass city",
    "a tea house",
    "a sleeping dragon",
    "an astronaut",
    "a desert caravan",
    "a lotus pond",
    "a paper lantern",
    "赛博楼兰的守城人",
    "沙漠中的古城",
    "穿汉服的少女",
    "雪山下的骆驼",
    "霓虹灯下的集市",
    "敦煌飞天",
    "竹林里的老人",
    "机械狐狸",
    "玻璃城市",
    "月光下的湖",
    "龙与凤凰",
    "茶馆一角",
];
const DETAILS: [&str; 24] = [
    "in the snow",
    "at dawn",
    "cinematic lighting",
    "highly detailed",
    "watercolour",
    "ink wash painting",
    "35mm film",
    "bokeh",
    "by the sea",
    "neon",
    "concept art",
    "isometric",
    "水墨画",
    "电影感光线",
    "细节丰富",
    "青绿山水",
    "广角镜头",
    "黄昏",
    "极简构图",
    "高饱和",
    "cyberpunk",
    "art deco poster",
    "soft shadows",
    "volumetric fog",
];
const RARE: [&str; 6] =
    ["a tarantula on velvet", "quicksilver astrolabe", "罗布泊的琥珀", "鎏金错银壶", "zoetrope", "xylophone"];
const SAMPLERS: [&str; 6] = ["DPM++ 2M", "Euler a", "Euler", "UniPC", "DDIM", "DPM++ 2M SDE"];
const SIZES: [(u32, u32); 5] = [(512, 512), (512, 768), (768, 512), (1024, 1024), (832, 1216)];

/// A generator of numbers that look random, the same in every run (`splitmix64`).
#[derive(Clone, Copy, Debug)]
pub struct Numbers(pub u64);

impl Numbers {
    /// A number below `end`.
    pub fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % end.max(1) as u64) as usize
    }

    fn one<T: Copy>(&mut self, items: &[T]) -> Option<T> {
        items.get(self.below(items.len())).copied()
    }
}

/// A prompt of some 100 characters, English, Chinese or both.
pub fn prompt(numbers: &mut Numbers) -> String {
    let mut parts = vec![numbers.one(&SUBJECTS).unwrap_or_default()];
    for _ in 0..3 + numbers.below(5) {
        parts.extend(numbers.one(&DETAILS));
    }
    if numbers.below(2000) == 0 {
        parts.extend(numbers.one(&RARE));
    }
    parts.join(", ")
}

impl Library {
    /// Adds the rows `first` up to `end`, a picture a minute, `batch` rows a transaction.
    pub fn add_synthetic(&self, first: u64, end: u64, batch: u64) -> Result<()> {
        let mut next = first;
        while next < end {
            let last = (next + batch).min(end);
            self.database().write(|db| (next..last).try_for_each(|n| add(db, n)))?;
            next = last;
        }
        Ok(())
    }
}

fn add(db: &rusqlite::Connection, n: u64) -> Result<()> {
    let mut numbers = Numbers(n);
    let text = prompt(&mut numbers);
    let (width, height) = numbers.one(&SIZES).unwrap_or((512, 512));
    let model = numbers.below(12);
    let recipe = format!(
        r#"{{"guidance_scale":7,"model":{{"hash":"{model:064x}","name":"model {model}"}},"negative_prompt":"blurry","precision":"fp32","prompt":{text:?},"sampler":"DPM++ 2M","seed":{n},"size":{{"height":{height},"width":{width}}},"steps":20,"tarim_recipe":1}}"#
    );
    let facts = Facts {
        prompt: text,
        negative: ["blurry, bad hands", "lowres, watermark, text", ""][numbers.below(3)].to_owned(),
        model: Some(format!("model {model}")),
        model_hash: Some(format!("{model:064x}")),
        sampler: numbers.one(&SAMPLERS).map(str::to_owned),
        schedule: Some("Automatic".to_owned()),
        steps: Some(15 + numbers.below(40) as u32),
        guidance: Some(4.0 + numbers.below(10) as f64 / 2.0),
        seed: Some(n),
        init: None,
        inpaint: numbers.below(50) == 0,
    };
    let created = Moment::new(1_700_000_000_000 + n.cast_signed() * 60_000, 480);
    let picture = NewPicture {
        id: Id::derived(&[b"synthetic", &n.to_le_bytes()]),
        path: &format!("{}/{n:07}.png", created.day()),
        bytes: 1_500_000,
        modified_ns: created.ms * 1_000_000,
        width,
        height,
        created,
        facts: &facts,
        recipe: Some(&recipe),
        recipe_hash: None,
        infotext: None,
        rating: if numbers.below(4) == 0 { 1 + numbers.below(5) as u8 } else { 0 },
        flag: [Flag::None, Flag::None, Flag::None, Flag::Pick, Flag::Reject][numbers.below(5)],
        project: None,
        parent: None,
        derivation: (numbers.below(20) == 0).then_some(Derivation::Variation),
        request: None,
        trashed_at: None,
        dirty: false,
    };
    let key = pictures::insert(db, &picture)?;
    if numbers.below(10) == 0 {
        tags::add(db, key, ["loulan", "contest", "avatar", "print"][numbers.below(4)])?;
    }
    if numbers.below(100) == 0 {
        db.prepare_cached("UPDATE pictures SET trashed_at = ?2 WHERE picture = ?1")?
            .execute(params![key, created.ms])?;
    }
    Ok(())
}
