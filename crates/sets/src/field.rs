//! What a column can mean, and every name it goes by.

use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;

/// The fields of a row, and their names: the variant, its canonical name, and all others. Names are compared without
/// regard to case, spaces, `_`, `-` and the width of characters. In each: English, A1111's request, infotext, axis and flag
/// names, then simplified and traditional Chinese.
macro_rules! fields {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, [$($alias:literal),* $(,)?];)*) => {
        /// What a column of a set means.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "ts", derive(ts_rs::TS))]
        #[serde(rename_all = "snake_case")]
        pub enum Field { $($(#[$doc])* $variant,)* }

        const FIELDS: &[(Field, &str, &[&str])] = &[$((Field::$variant, $name, &[$($alias),*]),)*];
    };
}

fields! {
    /// The prompt, or a template of one.
    Prompt = "prompt", ["positive", "positive prompt", "text", "prompts", "template", "提示词", "正面提示词", "正向提示词",
        "正提示词", "提示語", "提示詞", "正面提示詞", "正向提示詞", "咒语", "咒語", "关键词", "描述词", "模板", "範本"];
    /// What the picture should not show.
    NegativePrompt = "negative_prompt", ["negative", "neg", "neg prompt", "uc", "反向提示词", "负面提示词", "负向提示词",
        "反提示词", "反面提示词", "反向提示詞", "負面提示詞", "負向提示詞", "排除词", "反咒"];
    /// The seed of the first picture.
    Seed = "seed", ["seeds", "noise seed", "种子", "随机种子", "随机数种子", "種子", "隨機種子", "種子碼", "随机种"];
    /// Width in pixels.
    Width = "width", ["w", "image width", "宽", "宽度", "寬", "寬度", "图宽"];
    /// Height in pixels.
    Height = "height", ["h", "image height", "高", "高度", "图高"];
    /// Both sides, `512x768`.
    Size = "size", ["resolution", "dimensions", "image size", "尺寸", "大小", "分辨率", "图片尺寸", "解析度", "圖片尺寸", "画幅"];
    /// The model, by name or hash.
    Model = "model", ["checkpoint", "checkpoint name", "ckpt", "sd model", "sd_model_checkpoint", "model name",
        "stable diffusion model", "base model", "模型", "大模型", "底模", "主模型", "检查点", "檢查點", "模型名", "模型名称", "模型名稱"];
    /// The beginning of the model's SHA-256, or all of it.
    ModelHash = "model_hash", ["checkpoint hash", "模型哈希", "模型雜湊", "模型哈希值"];
    /// The sampler.
    Sampler = "sampler", ["sampler_name", "sampling method", "sampler type", "采样器", "采样方法", "采样方式", "採樣器", "取樣器",
        "採樣方法", "取樣方法", "采样"];
    /// The noise levels.
    Schedule = "schedule", ["scheduler", "schedule type", "noise schedule", "sigmas", "调度器", "调度类型", "噪声调度",
        "调度", "調度器", "排程器", "排程類型", "調度類型"];
    /// Number of steps.
    Steps = "steps", ["step", "sampling steps", "num_inference_steps", "步数", "采样步数", "迭代步数", "步數", "取樣步數",
        "採樣步數", "迭代步數", "迭代次数"];
    /// Classifier-free guidance.
    GuidanceScale = "guidance_scale", ["cfg", "cfg scale", "guidance", "scale", "提示词引导系数", "引导系数", "引导强度", "提示词相关性",
        "提示詞引導係數", "引導係數", "引導強度", "提示詞相關性", "cfg值", "cfg系数", "cfg係數"];
    /// Guidance rescale φ.
    GuidanceRescale = "guidance_rescale", ["cfg rescale", "rescale", "引导重缩放", "引導重縮放"];
    /// The second seed.
    VariationSeed = "variation_seed", ["subseed", "var seed", "var. seed", "变异种子", "变异随机种子", "變異種子", "差异随机种子",
        "變異隨機種子"];
    /// How much of the second seed is mixed in.
    VariationStrength = "variation_strength", ["subseed strength", "variation seed strength", "var strength", "var. strength",
        "变异强度", "變異強度", "差异强度"];
    /// The generator of noise.
    NoiseSource = "noise_source", ["rng", "rng source", "randn source", "随机源", "噪声来源", "亂數來源", "隨機源"];
    /// How much of the text encoder is skipped.
    ClipSkip = "clip_skip", ["clip stop at last layers", "clip跳过", "clip跳过层", "clip跳過", "clip跳過層", "clip终止层数", "clip终止层"];
    /// Whose rule applies prompt weights.
    Emphasis = "emphasis", ["emphasis mode", "权重模式", "強調模式", "强调模式", "權重模式"];
    /// η of the sampler.
    Eta = "eta", ["eta ddim", "ddim eta"];
    /// Arithmetic of the networks.
    Precision = "precision", ["dtype", "精度"];
    /// The picture to start from: a path, a name or a hash.
    InitPicture = "init_picture", ["init image", "init images", "init", "input image", "source image", "init image hash", "img2img",
        "image", "初始图", "初始图片", "参考图", "底图", "原图", "垫图", "初始圖", "初始圖片", "參考圖", "底圖", "原圖"];
    /// How much of the first picture is drawn anew.
    Strength = "strength", ["denoising strength", "denoising", "denoise", "prompt strength", "重绘幅度", "重绘强度", "降噪强度",
        "去噪强度", "重繪幅度", "重繪強度", "降噪強度", "去噪強度", "重绘"];
    /// How a first picture of another shape is fitted.
    ResizeMode = "resize_mode", ["resize", "缩放模式", "縮放模式"];
    /// Guidance towards the first picture.
    ImageGuidanceScale = "image_guidance_scale", ["image cfg scale", "图像引导系数", "圖像引導係數", "图像cfg"];
    /// The mask: a path, a name or a hash.
    Mask = "mask", ["mask picture", "mask image", "mask image hash", "蒙版", "遮罩", "蒙版图", "遮罩圖"];
    /// Blur of the mask's edge.
    MaskBlur = "mask_blur", ["蒙版模糊", "遮罩模糊", "蒙版边缘模糊度"];
    /// What the masked area holds at first.
    MaskFill = "mask_fill", ["masked content", "inpainting fill", "蒙版内容", "蒙版区域内容处理", "遮罩內容"];
    /// Whether only the surroundings of the mask are rendered.
    MaskArea = "mask_area", ["inpaint area", "inpaint full res", "重绘区域", "重繪區域"];
    /// Context around the mask in pixels.
    MaskPadding = "mask_padding", ["masked area padding", "only masked padding", "inpaint full res padding", "边缘预留像素", "邊緣預留像素"];
    /// Draw outside the mask.
    MaskInvert = "mask_invert", ["mask mode", "inpainting mask invert", "invert mask", "蒙版模式", "遮罩模式", "反转蒙版", "反轉遮罩"];
    /// LoRAs, put behind the prompt as `<lora:name:weight>`.
    Loras = "loras", ["lora", "lora name", "lora names", "lora模型"];
    /// Styles by name.
    Styles = "styles", ["style", "prompt styles", "风格", "样式", "預設風格", "風格", "樣式", "预设风格", "预设样式"];
    /// Number of pictures.
    Count = "count", ["n_iter", "batch count", "number", "images", "pictures", "repeat", "repeats", "quantity", "amount", "数量", "张数", "次数", "图片数量",
        "總批次數", "數量", "張數", "次數", "圖片數量", "总批次数", "生成次数", "生成数量", "份数"];
    /// Pictures of one batch; it multiplies the count.
    BatchSize = "batch_size", ["单批数量", "每批数量", "單批數量", "每批數量", "批量大小"];
    /// How the prompt's template is expanded.
    TemplateMode = "template_mode", ["mode", "sampling mode", "expand", "combinatorial", "模板模式", "展开方式", "抽取方式", "範本模式", "展開方式"];
    /// The most pictures that a template may expand to.
    Limit = "limit", ["max", "max generations", "maximum", "max pictures", "上限", "最多张数", "最多張數", "最大生成数量"];
    /// The seed of a template's draws.
    TemplateSeed = "template_seed", ["wildcard seed", "draw seed", "模板种子", "通配符种子", "範本種子", "萬用字元種子"];
    /// The name of the finished file, without its extension.
    OutputName = "output_name", ["filename", "file name", "output", "output file", "name", "save as", "文件名", "输出名", "输出文件名", "名称", "檔名",
        "檔案名稱", "輸出名稱", "輸出檔名", "名稱", "编号", "編號"];
    /// Tags.
    Tags = "tags", ["tag", "labels", "keywords", "标签", "標籤", "标记"];
    /// The project.
    Project = "project", ["album", "项目", "專案", "项目名", "工程", "项目名称", "專案名稱"];
    /// Stars, 0 to 5.
    Rating = "rating", ["stars", "score", "评分", "星级", "評分", "星級", "评级"];
    /// Notes.
    Notes = "notes", ["note", "comment", "comments", "remark", "remarks", "备注", "说明", "註", "備註", "說明", "备忘"];
    /// The prompt in English.
    PromptEn = "prompt_en", ["english prompt", "en", "english", "英文提示词", "英文提示詞", "英文", "英文描述"];
    /// The prompt in Chinese.
    PromptZh = "prompt_zh", ["chinese prompt", "zh", "cn", "prompt_cn", "chinese", "中文提示词", "中文提示詞", "中文", "中文描述"];
    /// A title.
    Title = "title", ["标题", "標題", "作品名", "作品名称", "作品名稱", "题目"];
    /// A title in English.
    TitleEn = "title_en", ["name_en", "english title", "english name", "英文标题", "英文名", "英文標題", "英文名称", "英文名稱"];
    /// A title in Chinese.
    TitleZh = "title_zh", ["name_zh", "chinese title", "chinese name", "中文标题", "中文名", "中文標題", "中文名称", "中文名稱"];
    /// A description.
    Description = "description", ["desc", "caption", "描述", "简介", "簡介", "作品描述", "作品说明"];
    /// A description in English.
    DescriptionEn = "description_en", ["english description", "caption_en", "英文说明", "英文简介", "英文簡介"];
    /// A description in Chinese.
    DescriptionZh = "description_zh", ["chinese description", "caption_zh", "中文说明", "中文简介", "中文簡介"];
    /// Whether the row is rendered at all.
    Enabled = "enabled", ["active", "run", "enable", "use", "启用", "是否启用", "啟用", "生成", "是否生成"];
}

impl Field {
    /// All of them, in the order a menu would show them.
    pub fn all() -> impl Iterator<Item = Self> {
        FIELDS.iter().map(|(field, _, _)| *field)
    }

    /// The canonical name, also the header that is written: `guidance_scale`.
    pub fn name(self) -> &'static str {
        FIELDS.iter().find(|(field, _, _)| *field == self).map_or("", |(_, name, _)| name)
    }

    /// Every other name.
    pub fn aliases(self) -> &'static [&'static str] {
        FIELDS.iter().find(|(field, _, _)| *field == self).map_or(&[], |(_, _, aliases)| aliases)
    }

    /// The field that a header names, also one that says it twice: `Steps (步数)`, `提示词/Prompt`.
    pub fn find(header: &str) -> Option<Self> {
        // A header is short. A long text is a value, in a file without a header.
        if header.len() > 200 {
            return None;
        }
        if let Some(field) = find_folded(&fold(header)) {
            return Some(field);
        }
        let parts = header.split(['(', ')', '（', '）', '[', ']', '【', '】', '/', '|', '\n']);
        let mut found = parts.filter(|part| !part.trim().is_empty()).map(|part| find_folded(&fold(part)));
        let first = found.next()??;
        found.all(|other| other.is_none_or(|other| other == first)).then_some(first)
    }

    /// Canonical names near to a header that means nothing, the nearest first.
    pub fn nearest(header: &str) -> Vec<&'static str> {
        let folded = fold(&header.chars().take(64).collect::<String>());
        let mut ranked: Vec<(f64, &'static str)> = FIELDS
            .iter()
            .filter_map(|(_, name, aliases)| {
                let all = aliases.iter().chain([name]);
                let best = all
                    .map(|alias| strsim::normalized_damerau_levenshtein(&folded, &fold(alias)))
                    .fold(0.0, f64::max);
                (best >= 0.6).then_some((best, *name))
            })
            .collect();
        ranked.sort_by(|a, b| b.0.total_cmp(&a.0));
        let best = ranked.first().map_or(0.0, |(score, _)| *score);
        ranked
            .into_iter()
            .take_while(|(score, _)| *score > best - 0.15)
            .take(3)
            .map(|(_, name)| name)
            .collect()
    }
}

/// A name as names are compared.
pub(crate) fn fold(name: &str) -> String {
    let kept = name.nfkc().filter(|c| {
        !c.is_whitespace() && !c.is_control() && !matches!(c, '_' | '-' | '.' | ':' | '\u{feff}' | '*' | '"')
    });
    kept.flat_map(char::to_lowercase).collect()
}

fn find_folded(folded: &str) -> Option<Field> {
    use std::{collections::HashMap, sync::LazyLock};
    static NAMES: LazyLock<HashMap<String, Field>> = LazyLock::new(|| {
        let mut names = HashMap::new();
        for (field, name, aliases) in FIELDS {
            for name in aliases.iter().chain([name]) {
                // Of two fields with one name, the first has it.
                names.entry(fold(name)).or_insert(*field);
            }
        }
        // A canonical name is its field's, whatever else it may stand for.
        names.extend(FIELDS.iter().map(|(field, name, _)| (fold(name), *field)));
        names
    });
    NAMES.get(folded).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(header: &str, expected: Option<Field>) {
        assert_eq!(Field::find(header), expected, "{header}");
    }

    #[test]
    fn headers() {
        check("Prompt", Some(Field::Prompt));
        check(" NEGATIVE  prompt ", Some(Field::NegativePrompt));
        check("--negative_prompt", Some(Field::NegativePrompt));
        check("反向提示词", Some(Field::NegativePrompt));
        check("反向提示詞：", Some(Field::NegativePrompt));
        check("CFG Scale", Some(Field::GuidanceScale));
        check("cfgscale", Some(Field::GuidanceScale));
        check("Schedule type", Some(Field::Schedule));
        check("Sampler", Some(Field::Sampler));
        check("采样器", Some(Field::Sampler));
        check("Ｓｔｅｐｓ", Some(Field::Steps));
        check("Steps (步数)", Some(Field::Steps));
        check("提示词/Prompt", Some(Field::Prompt));
        check("Steps / CFG", None);
        check("n_iter", Some(Field::Count));
        check("subseed_strength", Some(Field::VariationStrength));
        check("Variation seed strength", Some(Field::VariationStrength));
        check("prompt_zh", Some(Field::PromptZh));
        check("template", Some(Field::Prompt));
        check("hair colour", None);
        check("", None);
        assert_eq!(Field::nearest("promt"), ["prompt"]);
        assert_eq!(Field::nearest("guidence scale").first(), Some(&"guidance_scale"));
        assert!(Field::nearest("hair colour").is_empty());
    }

    #[test]
    fn every_field_is_found_by_its_canonical_name() {
        for field in Field::all() {
            assert_eq!(Field::find(field.name()), Some(field));
        }
    }
}
