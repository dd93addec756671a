//! Points in time, with the clock on the wall where they were taken.

use jiff::{Timestamp, civil::DateTime, tz::Offset};
use serde::{Deserialize, Serialize};

/// A point in time. Doors read the clock and pass it in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Moment {
    /// Milliseconds since 1970, UTC.
    pub ms: i64,
    /// How far the local clock is ahead of UTC, in minutes. Days and file names are local.
    pub offset_minutes: i32,
}

/// The years that files can plausibly name; what is outside is taken for the nearest.
const FIRST_MS: i64 = -2_208_988_800_000; // 1900
const LAST_MS: i64 = 7_258_118_400_000; // 2200

impl Moment {
    /// A moment; implausible values are clamped to the years 1900 to 2200 and to 18 hours.
    pub fn new(ms: i64, offset_minutes: i32) -> Self {
        Self { ms: ms.clamp(FIRST_MS, LAST_MS), offset_minutes: offset_minutes.clamp(-1080, 1080) }
    }

    /// The local day as the number `yyyymmdd`, such as 20261124.
    pub fn day(self) -> i32 {
        let date = self.local().date();
        i32::from(date.year()) * 10_000 + i32::from(date.month()) * 100 + i32::from(date.day())
    }

    /// This moment, some milliseconds later.
    #[must_use]
    pub fn plus_ms(self, ms: i64) -> Self {
        Self::new(self.ms.saturating_add(ms), self.offset_minutes)
    }

    /// What the clock on the wall shows.
    pub(crate) fn local(self) -> DateTime {
        let Self { ms, offset_minutes } = Self::new(self.ms, self.offset_minutes);
        let offset = Offset::from_seconds(offset_minutes * 60).unwrap_or(Offset::UTC);
        offset.to_datetime(Timestamp::from_millisecond(ms).unwrap_or_default())
    }

    /// As XMP writes it: `2026-11-24T13:15:00.123+08:00`.
    pub(crate) fn iso(self) -> String {
        let (sign, minutes) = (if self.offset_minutes < 0 { '-' } else { '+' }, self.offset_minutes.abs());
        format!("{:.3}{sign}{:02}:{:02}", self.local(), minutes / 60, minutes % 60)
    }

    /// What XMP allows: a date alone, or with a time, or with a time and an offset.
    pub(crate) fn from_iso(text: &str) -> Option<Self> {
        let text = text.trim();
        let at = text.find('T').unwrap_or(text.len());
        let zone = text[at..].find(['Z', '+', '-']).map_or(text.len(), |zone| zone + at);
        let (local, zone) = (&text[..zone], &text[zone..]);
        let local: DateTime = if at == text.len() {
            local.parse::<jiff::civil::Date>().ok()?.at(0, 0, 0, 0)
        } else {
            local.parse().ok()?
        };
        let offset_minutes = match zone.chars().next() {
            None | Some('Z') => 0,
            Some(sign) => {
                let (hours, minutes) = zone.get(1..)?.split_once(':')?;
                let minutes = hours.parse::<i32>().ok()? * 60 + minutes.parse::<i32>().ok()?;
                if sign == '-' { -minutes } else { minutes }
            }
        };
        let utc = Offset::UTC.to_timestamp(local).ok()?;
        let ms = utc.as_millisecond().checked_sub(i64::from(offset_minutes) * 60_000)?;
        Some(Self::new(ms, offset_minutes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn iso() {
        let check = |text: &str, ms: i64, offset: i32, day: i32| {
            let moment = Moment::from_iso(text).unwrap();
            assert_eq!((moment.ms, moment.offset_minutes, moment.day()), (ms, offset, day), "{text}");
            assert_eq!(Moment::from_iso(&moment.iso()), Some(moment), "{}", moment.iso());
        };
        check("1970-01-01T00:00:00Z", 0, 0, 19700101);
        check("2026-11-24T01:15:00.123+08:00", 1_795_454_100_123, 480, 20261124);
        check("2026-11-23T12:15:00.123-05:00", 1_795_454_100_123, -300, 20261123);
        check("2026-11-24", 1_795_478_400_000, 0, 20261124);
        check("2026-11-24T01:15:00", 1_795_482_900_000, 0, 20261124);
        for broken in ["", "yesterday", "2026-13-01", "2026-11-24T25:00:00Z", "2026-11-24T01:15:00+x:y"] {
            assert_eq!(Moment::from_iso(broken), None, "{broken}");
        }
    }
}
