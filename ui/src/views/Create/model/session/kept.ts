import type { Submit } from '$lib/api';
import type { Order } from './shot.svelte';

const KEY = 'tarim.create.session';
/** More than this many pictures are not looked for again after a reload; the gallery has them all. */
const KEPT = 400;

/** An order as it outlives a reload of the page. */
export interface KeptOrder {
  request: string;
  submit: Submit;
  jobs: string[];
}

/** Keeps orders with the page's own storage. */
export function write(orders: readonly Order[]): void {
  let room = KEPT;
  const list: KeptOrder[] = [];
  for (const { request, submit, shots } of orders) {
    const jobs = shots.map((shot) => shot.id).filter(Boolean);
    if (!jobs.length || jobs.length > room) continue;
    room -= jobs.length;
    list.push({ request, submit, jobs });
  }
  try {
    sessionStorage.setItem(KEY, JSON.stringify(list));
  } catch {
    // Without storage the strip lasts as long as the page.
  }
}

/** The orders that were kept, latest first. */
export function read(): KeptOrder[] {
  try {
    const kept: unknown = JSON.parse(sessionStorage.getItem(KEY) ?? '[]');
    return Array.isArray(kept) ? kept.filter(isKept) : [];
  } catch {
    // Whatever else is in there is not ours.
    return [];
  }
}

const isKept = (value: unknown): value is KeptOrder =>
  typeof value === 'object' &&
  value !== null &&
  'request' in value &&
  typeof value.request === 'string' &&
  'jobs' in value &&
  Array.isArray(value.jobs) &&
  'submit' in value &&
  typeof value.submit === 'object' &&
  value.submit !== null &&
  'draft' in value.submit;
