import { SvelteMap } from 'svelte/reactivity';
import type { PictureSummary } from '$lib/api';
import { command, showError } from '$lib/state';

/** What people say about a picture, and what may be shown before the backend has agreed. */
export type Judgement = Pick<PictureSummary, 'rating' | 'flag' | 'tags' | 'trashed'>;

/** The backend's limit for one question. */
const BATCH = 1000;
/** More than any screen shows; beyond it the oldest are forgotten. */
const KEPT = 12_000;

/** Pictures by key: asked for in batches as they come into sight, kept, changed ahead of the backend. */
export class Pictures {
  private readonly known = new SvelteMap<number, PictureSummary>();
  private readonly asked = new Set<number>();
  private readonly waiting = new Set<number>();
  private readonly stale = new Set<number>();
  /** Changes that the backend has not confirmed: they outlive answers that are older than they are. */
  private readonly ahead = new Map<number, { patch: Partial<Judgement>; count: number }>();
  private timer: ReturnType<typeof setTimeout> | undefined;

  /** Reactive: undefined until it has been fetched. */
  get = (key: number): PictureSummary | undefined => this.known.get(key);

  /** Sees to it that these are fetched. Calls of one frame become one question. */
  want(keys: Iterable<number>): void {
    for (const key of keys) {
      if (this.asked.has(key) || (this.known.has(key) && !this.stale.has(key))) continue;
      this.waiting.add(key);
    }
    if (this.waiting.size > 0) this.timer ??= setTimeout(() => this.ask(), 8);
  }

  /** Gives up on what has scrolled past before it was asked for. */
  forgetWaiting(): void {
    this.waiting.clear();
  }

  private ask(): void {
    this.timer = undefined;
    const keys = [...this.waiting];
    this.waiting.clear();
    for (let from = 0; from < keys.length; from += BATCH) {
      this.fetch(keys.slice(from, from + BATCH)).catch((thrown: unknown) => showError(thrown));
    }
  }

  private async fetch(keys: number[]): Promise<void> {
    for (const key of keys) {
      this.asked.add(key);
      this.stale.delete(key);
    }
    try {
      const { pictures } = await command('get_pictures', { keys });
      this.keep(pictures);
    } finally {
      for (const key of keys) this.asked.delete(key);
    }
  }

  /** Takes pictures in, wherever they came from. */
  keep(pictures: readonly PictureSummary[]): void {
    for (const picture of pictures) {
      const ahead = this.ahead.get(picture.key);
      this.known.set(picture.key, ahead ? { ...picture, ...ahead.patch } : picture);
    }
    if (this.known.size <= KEPT) return;
    let surplus = this.known.size - KEPT / 2;
    for (const key of this.known.keys()) {
      if (surplus-- <= 0) break;
      if (!this.ahead.has(key)) this.known.delete(key);
    }
  }

  /** All of these, fetching what is not here. */
  async all(keys: readonly number[]): Promise<PictureSummary[]> {
    const missing = keys.filter((key) => !this.known.has(key));
    const found = new Map<number, PictureSummary>();
    for (let from = 0; from < missing.length; from += BATCH) {
      const answer = await command('get_pictures', { keys: missing.slice(from, from + BATCH) });
      for (const picture of answer.pictures) found.set(picture.key, picture);
    }
    return keys.flatMap((key) => this.known.get(key) ?? found.get(key) ?? []);
  }

  /** Shows changes at once. They hold against older answers until `settled`. */
  advance(changes: ReadonlyMap<number, Partial<Judgement>>): void {
    for (const [key, patch] of changes) {
      const before = this.ahead.get(key);
      this.ahead.set(key, {
        patch: { ...before?.patch, ...patch },
        count: (before?.count ?? 0) + 1,
      });
      const picture = this.known.get(key);
      if (picture) this.known.set(key, { ...picture, ...patch });
    }
  }

  /** The backend has answered for these. */
  settled(keys: Iterable<number>): void {
    for (const key of keys) {
      const ahead = this.ahead.get(key);
      if (!ahead) continue;
      ahead.count -= 1;
      if (ahead.count <= 0) this.ahead.delete(key);
    }
  }

  /** Takes changes back, unless something newer has been said since. */
  retreat(
    changes: ReadonlyMap<number, { made: Partial<Judgement>; was: Partial<Judgement> }>,
  ): void {
    for (const [key, { made, was }] of changes) {
      const picture = this.known.get(key);
      const ahead = this.ahead.get(key);
      for (const name of Object.keys(made) as (keyof Judgement)[]) {
        if (ahead) Object.assign(ahead.patch, { [name]: was[name] });
        if (picture && picture[name] === made[name]) {
          this.known.set(key, { ...(this.known.get(key) ?? picture), [name]: was[name] });
        }
      }
    }
  }

  /** Forgets everything: the keys mean other pictures now. */
  clear(): void {
    this.known.clear();
    this.stale.clear();
    this.ahead.clear();
    this.waiting.clear();
  }

  /** What is known may be out of date: it is shown until it is next wanted and fetched anew. */
  expire(): void {
    for (const key of this.known.keys()) this.stale.add(key);
  }
}
