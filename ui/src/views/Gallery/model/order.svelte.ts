import { untrack } from 'svelte';
import type { GalleryLayout, GalleryQuery } from '$lib/api';
import { isAbort, platform, StudioError } from '$lib/platform';
import { onStale } from '$lib/state';
import type { Sequence } from './selection';

/** Keys and shapes of all pictures of a gallery, in order. */
export class Order implements Sequence {
  readonly keys: readonly number[];
  readonly aspects: readonly number[];
  readonly days: GalleryLayout['days'];
  readonly remarks: GalleryLayout['remarks'];
  private indexes: Map<number, number> | undefined;

  constructor({ keys, aspects, days, remarks }: GalleryLayout) {
    this.keys = keys;
    this.aspects = aspects;
    this.days = days;
    this.remarks = remarks;
  }

  /** Where a picture stands; -1 when it is not in this gallery. */
  indexOf(key: number): number {
    this.indexes ??= new Map(this.keys.map((each, index) => [each, index]));
    return this.indexes.get(key) ?? -1;
  }

  /** The same without some pictures. */
  without(gone: ReadonlySet<number>): Order {
    const kept: number[] = [];
    this.keys.forEach((key, index) => gone.has(key) || kept.push(index));
    let at = 0;
    let first = 0;
    const days = this.days.flatMap((day) => {
      first += day.count;
      const begun = at;
      while (at < kept.length && (kept[at] ?? 0) < first) at += 1;
      return at > begun ? [{ ...day, count: at - begun }] : [];
    });
    return new Order({
      keys: kept.map((index) => this.keys[index] ?? 0),
      aspects: kept.map((index) => this.aspects[index] ?? 1000),
      days,
      remarks: this.remarks,
    });
  }

  sameAs(other: GalleryLayout): boolean {
    const equal = (a: readonly number[], b: readonly number[]) =>
      a.length === b.length && a.every((value, index) => value === b[index]);
    return (
      equal(this.keys, other.keys) &&
      equal(this.aspects, other.aspects) &&
      JSON.stringify([this.days, this.remarks]) === JSON.stringify([other.days, other.remarks])
    );
  }
}

export const noOrder = new Order({ keys: [], aspects: [], days: [], remarks: [] });

/** News come with every picture and every judgement; the whole order is asked for at most this often. */
const PAUSE = 400;

// The last order outlives the view, so that coming back shows it at once.
let last: { asked: string; order: Order } | null = null;
export const forgetOrder = (): void => void (last = null);

/** Keeps the order that a query gives up to date while the component lives. */
export class OrderQuery {
  current = $state.raw<Order>(noOrder);
  /** Which request `current` answers. */
  answers = '';
  error = $state.raw<StudioError | null>(null);
  /** True until this query has its first answer. */
  loading = $state(true);
  private running: AbortController | null = null;
  private again = false;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private asked: GalleryQuery | null = null;

  constructor(
    request: () => GalleryQuery,
    private readonly stale: () => void,
    private readonly replaced: (before: Order, after: Order, other: boolean) => void,
  ) {
    const asked = $derived(JSON.stringify(request()));
    $effect(() => {
      this.asked = JSON.parse(asked) as GalleryQuery;
      untrack(() => {
        if (last?.asked === asked) {
          this.loading = false;
          this.take(last.order, true);
        } else this.loading = true;
        void this.fetch(true);
      });
    });
    $effect(() => {
      const stop = onStale(['pictures', 'library'], () => {
        this.stale();
        this.later();
      });
      return () => {
        stop();
        clearTimeout(this.timer);
        this.timer = undefined;
        this.running?.abort();
      };
    });
  }

  refetch = (): Promise<void> => this.fetch(false);

  /** Shows another order ahead of the backend's. */
  assume(order: Order): void {
    this.running?.abort(); // Its answer would be older than what is shown.
    this.running = null;
    this.take(order, false);
  }

  private later(): void {
    if (this.running) this.again = true;
    else this.timer ??= setTimeout(() => void this.fetch(false), PAUSE);
  }

  private take(order: Order, other: boolean): void {
    const before = this.current;
    this.answers = JSON.stringify(this.asked);
    last = { asked: this.answers, order };
    this.current = order;
    this.replaced(before, order, other);
  }

  private async fetch(other: boolean): Promise<void> {
    const asked = this.asked;
    if (!asked) return;
    clearTimeout(this.timer);
    this.timer = undefined;
    this.running?.abort();
    const mine = (this.running = new AbortController());
    this.again = false;
    try {
      const answer = await platform().rpc('layout_pictures', asked, { signal: mine.signal });
      if (mine.signal.aborted) return;
      this.error = null;
      if (this.loading || !this.current.sameAs(answer)) {
        this.take(new Order(answer), other && this.loading);
      }
    } catch (thrown) {
      if (mine.signal.aborted || isAbort(thrown)) return;
      this.error = StudioError.from(thrown);
    }
    this.loading = false;
    this.running = null;
    if (this.again) this.later();
  }
}
