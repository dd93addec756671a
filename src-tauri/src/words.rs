//! The few words that the window says without the page, in the user's language.

use tarim_api::wire::settings::{Language, Settings};
use tauri::{AppHandle, Manager};
use tauri_plugin_dialog::{DialogExt, MessageDialogKind};

use crate::Door;

/// One language's words.
pub(crate) struct Words {
    pub(crate) show: &'static str,
    pub(crate) quit: &'static str,
    pub(crate) edit: &'static str,
    pub(crate) window: &'static str,
    pub(crate) rendering: &'static str,
    pub(crate) keep: &'static str,
    pub(crate) stop: &'static str,
    pub(crate) back: &'static str,
    one: &'static str,
    many: &'static str,
}

impl Words {
    /// The question when the window is closed with work queued.
    pub(crate) fn question(&self, pending: u32) -> String {
        let text = if pending == 1 { self.one } else { self.many };
        text.replace("{count}", &pending.to_string())
    }
}

const ENGLISH: Words = Words {
    show: "Show Tarim",
    quit: "Quit Tarim",
    edit: "Edit",
    window: "Window",
    rendering: "Tarim is rendering",
    keep: "Keep rendering",
    stop: "Stop",
    back: "Back",
    one: "One picture is still to be drawn. Keep rendering without a window, or stop? The queue is there again at the next start.",
    many: "{count} pictures are still to be drawn. Keep rendering without a window, or stop? The queue is there again at the next start.",
};

const SIMPLIFIED: Words = Words {
    show: "显示 Tarim",
    quit: "退出 Tarim",
    edit: "编辑",
    window: "窗口",
    rendering: "Tarim 正在渲染",
    keep: "继续渲染",
    stop: "停止",
    back: "返回",
    one: "还有 1 张图片未完成。关闭窗口后继续渲染，还是停止？下次启动时队列仍在。",
    many: "还有 {count} 张图片未完成。关闭窗口后继续渲染，还是停止？下次启动时队列仍在。",
};

const TRADITIONAL: Words = Words {
    show: "顯示 Tarim",
    quit: "結束 Tarim",
    edit: "編輯",
    window: "視窗",
    rendering: "Tarim 正在算圖",
    keep: "繼續算圖",
    stop: "停止",
    back: "返回",
    one: "還有 1 張圖片未完成。關閉視窗後繼續算圖，還是停止？下次啟動時佇列仍在。",
    many: "還有 {count} 張圖片未完成。關閉視窗後繼續算圖，還是停止？下次啟動時佇列仍在。",
};

/// The words of the language that is set, or of the system's.
pub(crate) fn of(app: &AppHandle) -> &'static Words {
    let settings: Option<Settings> = app.try_state::<Door>().and_then(|door| {
        let answer = tarim_api::dispatch_bytes(&door.studio, &door.caller, "get_settings", b"{}").ok()?;
        serde_json::from_slice(&answer).ok()
    });
    match settings.map(|settings| settings.language).unwrap_or_default() {
        Language::En => &ENGLISH,
        Language::ZhHans => &SIMPLIFIED,
        Language::ZhHant => &TRADITIONAL,
        Language::System => of_system(),
    }
}

/// POSIX's order of variables; systems without them speak English here, and the page asks the browser engine.
fn of_system() -> &'static Words {
    let named = ["LC_ALL", "LC_MESSAGES", "LANG"]
        .iter()
        .find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()));
    let name = named.unwrap_or_default().to_ascii_lowercase().replace('-', "_");
    if !name.starts_with("zh") {
        return &ENGLISH;
    }
    let traditional = ["zh_tw", "zh_hk", "zh_mo", "zh_hant"].iter().any(|prefix| name.starts_with(prefix));
    if traditional { &TRADITIONAL } else { &SIMPLIFIED }
}

/// Tells a person in the window.
pub(crate) fn warn(app: &AppHandle, message: &str) {
    app.dialog().message(message).title("Tarim").kind(MessageDialogKind::Warning).show(|_| {});
}

/// Tells whoever started the program from a terminal.
#[allow(clippy::print_stderr, reason = "the one place that prints, for when there is no window to say it")]
pub(crate) fn complain(message: &str) {
    eprintln!("tarim-studio: {message}");
}
