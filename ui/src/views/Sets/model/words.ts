import type { Batch, Plan } from '$lib/api';
import { bytes, number, t } from '$lib/i18n';

/** A time as one would say it: 40 s, 12 min, 1 h 40 min. */
export function span(seconds: number): string {
  if (seconds < 90)
    return t('sets:time.seconds', { value: number(Math.max(1, Math.round(seconds))) });
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return t('sets:time.minutes', { value: number(minutes) });
  // Nobody counts minutes beyond ten hours.
  const hours = Math.floor(minutes / 60);
  const rest = hours >= 10 ? 0 : Math.round((minutes % 60) / 5) * 5;
  if (rest === 60) return t('sets:time.hours', { value: number(hours + 1) });
  if (rest === 0) return t('sets:time.hours', { value: number(hours) });
  return t('sets:time.hoursMinutes', { hours: number(hours), minutes: number(rest) });
}

/** The plan's time with its range; one time where both ends read the same. */
export function timeOf(plan: Plan): string | null {
  if (!plan.seconds) return null;
  const [low, high] = [span(plan.seconds.low), span(plan.seconds.high)];
  return low === high ? low : `${low} – ${high}`;
}

export function spaceOf(plan: Plan): string {
  if (plan.free_bytes === undefined) return bytes(plan.bytes);
  return t('sets:plan.space', { bytes: bytes(plan.bytes), free: bytes(plan.free_bytes) });
}

/** Digits of any length, grouped as the language does. */
export function digits(text: string): string {
  const value = Number(text);
  return Number.isSafeInteger(value) ? number(value) : text.replace(/\B(?=(\d{3})+$)/g, '\u202f');
}

/** How far a run is, from 0 to 1. */
export const share = (batch: Batch): number | null => {
  const settled = batch.done + batch.failed + batch.cancelled;
  return batch.pictures === 0 ? null : Math.min(1, settled / batch.pictures);
};

export const going = (batch: Batch): boolean => batch.state !== 'finished';

/** Where a run is, in words. */
export const stateOf = (batch: Batch): string =>
  batch.state === 'held' && batch.hold
    ? t(`sets:hold.${batch.hold}`)
    : t(`sets:state.${batch.state}`);

/** The next time that the clock shows this: 07:00 is tomorrow morning in the evening. */
export function nextTime(clock: string, now: Date = new Date()): number | undefined {
  const [hours, minutes] = clock.split(':').map(Number);
  if (hours === undefined || minutes === undefined || Number.isNaN(hours + minutes))
    return undefined;
  const then = new Date(now);
  then.setHours(hours, minutes, 0, 0);
  if (then <= now) then.setDate(then.getDate() + 1);
  return then.getTime();
}
