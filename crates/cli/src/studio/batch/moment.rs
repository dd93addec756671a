//! Moments as people write them on a command line.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jiff::civil::{DateTime, Time};
use jiff::tz::Offset;
use jiff::{Timestamp, ToSpan};

use crate::failure::{Failure, Result};

/// Milliseconds since 1970 of `07:00` (the next one), `2027-01-31 07:00`, or `8h` and `90m` from now.
pub(super) fn read(text: &str, now: SystemTime, offset_minutes: &dyn Fn(SystemTime) -> i32) -> Result<f64> {
    let wrong = || {
        Failure::bad_input(format!("`{text}` is no time"))
            .hint("write `07:00`, `2027-01-31 07:00`, or how long from now: `8h`, `90m`")
    };
    let now_ms = Timestamp::try_from(now).map_err(|_| wrong())?.as_millisecond();
    if let Some(span) = span(text) {
        return Ok(now_ms as f64 + span.as_secs_f64() * 1000.0);
    }
    let offset = |moment: SystemTime| Offset::from_seconds(offset_minutes(moment) * 60).ok();
    let local = |moment: SystemTime| Some(offset(moment)?.to_datetime(Timestamp::try_from(moment).ok()?));
    // The offset may be another one then: it is looked up twice.
    let ms = |wanted: DateTime| {
        let guess = offset(now)?.to_timestamp(wanted).ok()?;
        Some(offset(system_time(guess)?)?.to_timestamp(wanted).ok()?.as_millisecond())
    };
    let padded = if text.find(':') == Some(1) { format!("0{text}") } else { text.to_owned() };
    // A time of day alone: whole moments can be read as one too.
    let time = padded.parse::<Time>().ok().filter(|_| padded.trim().len() <= "07:00:00".len());
    let found = if let Some(time) = time {
        let today = local(now).ok_or_else(wrong)?;
        let then = today.date().to_datetime(time);
        let then = if then > today { Some(then) } else { then.checked_add(1.day()).ok() };
        then.and_then(ms)
    } else {
        text.parse::<DateTime>().ok().filter(|_| text.contains(':')).and_then(ms)
    };
    let found = found.ok_or_else(wrong)?;
    if found <= now_ms {
        return Err(Failure::bad_input(format!("{text} is over already")).hint("choose a later time"));
    }
    Ok(found as f64)
}

fn system_time(moment: Timestamp) -> Option<SystemTime> {
    let since = u64::try_from(moment.as_millisecond()).ok()?;
    UNIX_EPOCH.checked_add(Duration::from_millis(since))
}

fn span(text: &str) -> Option<Duration> {
    let text = text.trim();
    let (number, seconds) = [("min", 60.0), ("h", 3600.0), ("m", 60.0)]
        .into_iter()
        .find_map(|(unit, seconds)| Some((text.strip_suffix(unit)?, seconds)))?;
    let number: f64 = number.trim().parse().ok()?;
    if number <= 0.0 {
        return None;
    }
    Duration::try_from_secs_f64(number * seconds).ok()
}

/// A duration for people.
pub(super) fn words(seconds: f64) -> String {
    let whole = seconds.max(0.0).round() as u64;
    match whole {
        0..100 => format!("{whole} s"),
        100..6000 => format!("{} min", (whole + 30) / 60),
        _ => format!("{} h {:02} min", whole / 3600, whole % 3600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-24 18:00 in UTC, 02:00 of the next day in China.
    fn now() -> SystemTime {
        system_time("2026-11-24T18:00:00Z".parse().unwrap()).unwrap()
    }

    fn utc(text: &str) -> String {
        let ms = read(text, now(), &|_| 8 * 60).unwrap();
        Timestamp::from_millisecond(ms as i64).unwrap().to_string()
    }

    #[test]
    fn times_are_local_ones_to_come() {
        assert_eq!(utc("07:00"), "2026-11-24T23:00:00Z");
        assert_eq!(utc("7:00"), "2026-11-24T23:00:00Z");
        assert_eq!(utc("01:30"), "2026-11-25T17:30:00Z");
        assert_eq!(utc("2026-12-01 07:00"), "2026-11-30T23:00:00Z");
        assert_eq!(utc("90m"), "2026-11-24T19:30:00Z");
        assert_eq!(utc("1.5h"), "2026-11-24T19:30:00Z");
    }

    #[test]
    fn what_is_no_time_to_come_is_refused() {
        for text in ["", "h", "-1h", "1e300h", "nanh", "25:00", "tomorrow", "2026-12-01", "2026-11-25 01:00"]
        {
            assert!(read(text, now(), &|_| 8 * 60).is_err(), "{text}");
        }
    }

    #[test]
    fn durations_are_said_as_people_do() {
        assert_eq!(
            [words(0.4), words(99.0), words(100.0), words(8040.0)],
            ["0 s", "99 s", "2 min", "2 h 14 min"]
        );
    }
}
