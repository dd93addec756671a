import { language } from '$lib/i18n';

const formats = new Map<string, Intl.DateTimeFormat>();

function format(options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `${language()} ${JSON.stringify(options)}`;
  const made = formats.get(key) ?? new Intl.DateTimeFormat(language(), options);
  formats.set(key, made);
  return made;
}

/** Noon, so that no time zone moves it to another day. */
const noon = (day: string): Date => new Date(`${day}T12:00:00`);

/** "Today", "Tuesday, 24 November", with the year where it is another. */
export function dayName(day: string, now = new Date()): string {
  const date = noon(day);
  if (Number.isNaN(date.getTime())) return day;
  const away = Math.round((date.getTime() - noon(localDay(now)).getTime()) / 86_400_000);
  if (away === 0 || away === -1) {
    const said = new Intl.RelativeTimeFormat(language(), { numeric: 'auto' }).format(away, 'day');
    return said.charAt(0).toLocaleUpperCase(language()) + said.slice(1);
  }
  const sameYear = date.getFullYear() === now.getFullYear();
  return format({
    weekday: 'long',
    day: 'numeric',
    month: 'long',
    ...(!sameYear && { year: 'numeric' }),
  }).format(date);
}

/** "Nov 2026", for the date scroller. */
export const monthName = (day: string): string =>
  format({ month: 'short', year: 'numeric' }).format(noon(day));

/** 2026-11-24, where we are. */
export function localDay(date: Date): string {
  const two = (n: number) => String(n).padStart(2, '0');
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}
