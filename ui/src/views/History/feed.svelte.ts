import type { HistoryEntry, Remark } from '$lib/api';
import { isAbort, platform, StudioError } from '$lib/platform';
import { onStale } from '$lib/state';

const PAGE = 40;

/** The history as far as it was read, latest first; more comes as one scrolls. Make it at the top of a component. */
export class Feed {
  entries = $state.raw<HistoryEntry[]>([]);
  remarks = $state.raw<Remark[]>([]);
  error = $state.raw<StudioError | null>(null);
  loading = $state(true);
  private next: string | undefined;
  private running: AbortController | null = null;

  constructor(private readonly query: () => string) {
    $effect(() => {
      void this.load(query());
      return () => this.running?.abort();
    });
    $effect(() => onStale(['history', 'library'], () => void this.refresh()));
    // Ratings and the trash change what the strips show; requests change while their pictures are drawn.
    $effect(() => onStale(['pictures', 'queue'], () => void this.refresh()));
  }

  private async ask(query: string, after: string | undefined, limit: number) {
    this.running?.abort();
    const mine = (this.running = new AbortController());
    const request = after === undefined ? { query, limit } : { query, after, limit };
    return platform().rpc('page_history', request, { signal: mine.signal });
  }

  private async attempt(work: () => Promise<void>): Promise<void> {
    try {
      await work();
      this.error = null;
    } catch (thrown) {
      if (!isAbort(thrown)) this.error = StudioError.from(thrown);
    }
  }

  private async load(query: string): Promise<void> {
    await this.attempt(async () => {
      const page = await this.ask(query, undefined, PAGE);
      this.entries = page.entries;
      this.remarks = page.remarks;
      this.next = page.next;
      this.loading = false;
    });
    if (this.error) this.loading = false;
  }

  /** Reads again what is shown, without losing the place. */
  async refresh(): Promise<void> {
    if (this.loading) return;
    const limit = Math.min(200, Math.max(PAGE, this.entries.length));
    await this.attempt(async () => {
      const page = await this.ask(this.query(), undefined, limit);
      const fresh = new Set(page.entries.map(({ id }) => id));
      const last = page.entries.at(-1)?.id;
      // What lies beyond the page that was read again stays as it was.
      const beyond = this.entries.findIndex(({ id }) => id === last);
      const rest = beyond < 0 ? [] : this.entries.slice(beyond + 1);
      this.entries = [...page.entries, ...rest.filter(({ id }) => !fresh.has(id))];
      if (rest.length === 0) this.next = page.next;
    });
  }

  /** The next page; does nothing at the end or while one is on its way. */
  async more(): Promise<void> {
    if (this.next === undefined || this.loading) return;
    const after = this.next;
    this.next = undefined;
    await this.attempt(async () => {
      const page = await this.ask(this.query(), after, PAGE);
      this.entries = [...this.entries, ...page.entries];
      this.next = page.next;
    });
    if (this.error) this.next = after;
  }
}
