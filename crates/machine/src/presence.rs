//! Whether the machine runs on its battery, and whether somebody works at it.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use tarim_studio::sets::Presence;

/// Where Linux tells of batteries and chargers.
const SUPPLIES: &str = "/sys/class/power_supply";

/// What this machine can tell.
pub(crate) fn read() -> Presence {
    Presence { on_battery: Arc::new(|| on_battery(Path::new(SUPPLIES))), in_use: Arc::new(in_use) }
}

/// `None` where there is neither a battery nor a charger, or the system does not tell.
fn on_battery(supplies: &Path) -> Option<bool> {
    let mut discharging = None;
    for entry in fs::read_dir(supplies).ok()?.flatten() {
        let value =
            |name: &str| fs::read_to_string(entry.path().join(name)).map(|text| text.trim().to_owned());
        match value("type").as_deref() {
            Ok("Mains" | "USB") => {
                if value("online").is_ok_and(|online| online != "0") {
                    return Some(false);
                }
                discharging = discharging.or(Some(false));
            }
            // Batteries of mice and keyboards power nothing else.
            Ok("Battery") if !value("scope").is_ok_and(|scope| scope == "Device") => {
                if value("status").is_ok_and(|status| status == "Discharging") {
                    discharging = Some(true);
                } else {
                    discharging = discharging.or(Some(false));
                }
            }
            _ => {}
        }
    }
    discharging
}

/// What the session manager says: desktops tell it when nobody has touched anything for some minutes. `None` where there is
/// none to ask.
fn in_use() -> Option<bool> {
    if !cfg!(target_os = "linux") {
        return None;
    }
    let session = std::env::var("XDG_SESSION_ID").ok()?;
    let asked = Command::new("loginctl")
        .args(["show-session", &session, "--property=IdleHint", "--property=Type"])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    hint(&String::from_utf8_lossy(&asked.stdout))
}

/// Sessions without a desktop give no hint that means anything.
fn hint(text: &str) -> Option<bool> {
    let value = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
    match (value("Type")?, value("IdleHint")?) {
        ("x11" | "wayland" | "mir", "yes") => Some(false),
        ("x11" | "wayland" | "mir", "no") => Some(true),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn desktops_say_whether_somebody_is_there() {
        assert_eq!(hint("Type=wayland\nIdleHint=no\n"), Some(true));
        assert_eq!(hint("IdleHint=yes\nType=x11\n"), Some(false));
        assert_eq!(hint("IdleHint=no\nType=tty\n"), None);
        assert_eq!(hint(""), None);
    }

    #[test]
    fn chargers_and_batteries_are_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        let supply = |name: &str, values: &[(&str, &str)]| {
            let folder = folder.path().join(name);
            fs::create_dir_all(&folder).unwrap();
            for (name, value) in values {
                fs::write(folder.join(name), format!("{value}\n")).unwrap();
            }
        };
        assert_eq!(on_battery(folder.path()), None);
        supply("mouse", &[("type", "Battery"), ("scope", "Device"), ("status", "Discharging")]);
        assert_eq!(on_battery(folder.path()), None);
        supply("BAT0", &[("type", "Battery"), ("status", "Discharging")]);
        supply("AC", &[("type", "Mains"), ("online", "0")]);
        assert_eq!(on_battery(folder.path()), Some(true));
        supply("AC", &[("type", "Mains"), ("online", "1")]);
        assert_eq!(on_battery(folder.path()), Some(false));
    }
}
