import { language } from './i18n.svelte';

const cache = new Map<string, unknown>();

/** Intl formatters are slow to make and quick to use. */
function cached<T>(kind: string, options: object, make: (locale: string) => T): T {
  const key = `${kind} ${language()} ${JSON.stringify(options)}`;
  let made = cache.get(key) as T | undefined;
  if (!made) cache.set(key, (made = make(language())));
  return made;
}

export function number(value: number, options: Intl.NumberFormatOptions = {}): string {
  return cached('number', options, (l) => new Intl.NumberFormat(l, options)).format(value);
}

export const percent = (share: number): string =>
  number(share, { style: 'percent', maximumFractionDigits: 0 });

function dates(value: Date | string | number, options: Intl.DateTimeFormatOptions): string {
  const format = cached('date', options, (l) => new Intl.DateTimeFormat(l, options));
  return format.format(new Date(value));
}

export const date = (value: Date | string | number): string =>
  dates(value, { dateStyle: 'medium' });
export const dateTime = (value: Date | string | number): string =>
  dates(value, { dateStyle: 'medium', timeStyle: 'short' });

const UNITS = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte'] as const;

/** A file's size in powers of 1000, as file managers show it. */
export function bytes(size: number): string {
  const power = Math.min(UNITS.length - 1, Math.max(0, Math.floor(Math.log10(size || 1) / 3)));
  const value = size / 1000 ** power;
  return number(value, {
    style: 'unit',
    unit: UNITS[power] ?? 'byte',
    unitDisplay: power === 0 ? 'long' : 'short',
    maximumFractionDigits: power > 0 && value < 10 ? 1 : 0,
  });
}

/** Seconds as a clock: 0:42, 12:05, 1:02:03. The same in every language. */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (n: number) => String(n).padStart(2, '0');
  return h ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

const SPANS: [Intl.RelativeTimeFormatUnit, number][] = [
  ['year', 31_536_000],
  ['month', 2_592_000],
  ['week', 604_800],
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
];

/** "3 minutes ago", "yesterday". */
export function relative(value: Date | string | number, now: number = Date.now()): string {
  const seconds = (new Date(value).getTime() - now) / 1000;
  const options = { numeric: 'auto' } as const;
  const format = cached('relative', options, (l) => new Intl.RelativeTimeFormat(l, options));
  for (const [unit, length] of SPANS) {
    if (Math.abs(seconds) >= length) return format.format(Math.round(seconds / length), unit);
  }
  return format.format(0, 'second');
}
