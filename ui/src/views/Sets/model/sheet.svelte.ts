import { SvelteMap } from 'svelte/reactivity';
import type { SetColumn, SetDetail, SetEdit, SetRow } from '$lib/api';
import { StudioError } from '$lib/platform';
import { command, onStale, showError } from '$lib/state';
import type { RowProblem } from './types';

/** Rows come in pages: a table of a hundred thousand rows is never read as a whole. */
const PAGE = 200;
/** What is typed is checked when one pauses. */
const CHECK_PAUSE = 180;

interface Finding {
  problems: RowProblem[];
  /** How many pictures the row asks for; absent while it cannot run. */
  pictures?: string;
}

/** A set's table as far as it was looked at. Edits go to the backend one after the other; it keeps what undo needs. */
export class Sheet {
  detail = $state.raw<SetDetail | null>(null);
  error = $state.raw<StudioError | null>(null);
  total = $state(0);
  /** Edits under way. */
  busy = $state(0);
  readonly findings = new SvelteMap<number, Finding>();
  header = $state.raw<RowProblem[]>([]);
  private readonly pages = new SvelteMap<number, SetRow[]>();
  private readonly asked = new Map<number, Promise<void>>();
  private era = 0;
  private last: Promise<unknown> = Promise.resolve();
  private timer: ReturnType<typeof setTimeout> | undefined;
  private shown = { first: 0, last: 0 };

  constructor(readonly id: string) {
    $effect(() => {
      void this.load();
      return () => clearTimeout(this.timer);
    });
    $effect(() => onStale(['sets', 'models'], () => void this.refresh()));
  }

  get columns(): SetColumn[] {
    return this.detail?.columns ?? [];
  }

  get revision(): number {
    return this.detail?.revision ?? 0;
  }

  row(index: number): SetRow | undefined {
    return this.pages.get(Math.floor(index / PAGE))?.[index % PAGE];
  }

  cell(index: number, column: number): string {
    return this.row(index)?.cells[column] ?? '';
  }

  private async load(): Promise<void> {
    try {
      const detail = await command('get_set', { id: this.id });
      this.adopt(detail);
      this.error = null;
    } catch (thrown) {
      this.error = StudioError.from(thrown);
    }
  }

  private adopt(detail: SetDetail): void {
    this.detail = detail;
    this.total = detail.summary.rows;
  }

  /** Asks again when somebody else changed the set; what this window did itself it knows. */
  async refresh(): Promise<void> {
    if (this.busy > 0) return;
    try {
      const detail = await command('get_set', { id: this.id });
      if (this.busy > 0) return;
      const changed = detail.revision !== this.revision;
      this.adopt(detail);
      this.error = null;
      if (changed) this.reload();
    } catch (thrown) {
      this.error = StudioError.from(thrown);
    }
  }

  /** Everything that was read may be wrong; what is in sight stays until the new rows are there. */
  private reload(): void {
    this.era += 1;
    this.asked.clear();
    void this.show(this.shown.first, this.shown.last);
    for (const page of [...this.pages.keys()]) {
      if (!this.asked.has(page)) this.pages.delete(page);
    }
    this.check();
  }

  /** Reads the rows in sight, and a page more on either side. */
  async show(first: number, last: number): Promise<void> {
    this.shown = { first, last };
    await this.ensure(first, last);
  }

  /** Reads rows that are not there yet. */
  async ensure(first: number, last: number): Promise<void> {
    const wanted: Promise<void>[] = [];
    const end = Math.min(last, this.total - 1);
    for (let page = Math.floor(first / PAGE); page * PAGE <= end; page += 1) {
      wanted.push(this.ask(page));
    }
    await Promise.all(wanted);
  }

  private ask(page: number): Promise<void> {
    const known = this.asked.get(page);
    if (known) return known;
    const era = this.era;
    const asking = command('page_rows', { id: this.id, offset: page * PAGE, limit: PAGE }).then(
      (answer) => {
        if (era !== this.era) return;
        this.pages.set(page, answer.rows);
        this.total = answer.total;
        this.check();
      },
      (thrown: unknown) => {
        this.asked.delete(page);
        showError(thrown);
      },
    );
    this.asked.set(page, asking);
    return asking;
  }

  /** The ids of rows by their places; reads them where they are not known. */
  async ids(first: number, last: number): Promise<number[]> {
    await this.ensure(first, last);
    const out: number[] = [];
    for (let index = first; index <= last; index += 1) {
      const row = this.row(index);
      if (row) out.push(row.row);
    }
    return out;
  }

  /** Where a row is; reads on until it is found. */
  async find(id: number): Promise<number> {
    for (let page = 0; page * PAGE < this.total; page += 1) {
      await this.ask(page);
      const index = this.pages.get(page)?.findIndex(({ row }) => row === id) ?? -1;
      if (index >= 0) return page * PAGE + index;
    }
    return -1;
  }

  /** The texts of a block. */
  async texts(block: { top: number; bottom: number; left: number; right: number }) {
    await this.ensure(block.top, block.bottom);
    return Array.from({ length: block.bottom - block.top + 1 }, (_, row) =>
      Array.from({ length: block.right - block.left + 1 }, (__, column) =>
        this.cell(block.top + row, block.left + column),
      ),
    );
  }

  /** Changes the table; gives the ids of new rows. All steps are one for undo. */
  async edit(label: string, edits: SetEdit[]): Promise<number[]> {
    const only = edits.every((edit) => edit.do === 'cells');
    if (only) this.foresee(edits);
    const added = await this.after(async () => {
      const { set, added } = await command('edit_set', { id: this.id, label, edits });
      this.adopt(set);
      return added;
    });
    if (!only || added === null) this.reload();
    this.check();
    return added ?? [];
  }

  /** Texts show at once; the backend's answer changes nothing about them. */
  private foresee(edits: SetEdit[]): void {
    for (const edit of edits) {
      if (edit.do !== 'cells') continue;
      for (const { row, column, text } of edit.cells) {
        for (const [page, rows] of this.pages) {
          const index = rows.findIndex((known) => known.row === row);
          const found = rows[index];
          if (!found) continue;
          const cells = [...found.cells];
          while (cells.length <= column) cells.push('');
          cells[column] = text;
          this.pages.set(page, rows.with(index, { ...found, cells }));
          break;
        }
      }
    }
  }

  async undo(): Promise<void> {
    await this.again('undo_set');
  }

  async redo(): Promise<void> {
    await this.again('redo_set');
  }

  private async again(name: 'undo_set' | 'redo_set'): Promise<void> {
    await this.after(async () => this.adopt(await command(name, { id: this.id })));
    this.reload();
  }

  /** Runs a change when those before it are through. A failed one is told and leaves the rest going. */
  async after<T>(work: () => Promise<T>): Promise<T | null> {
    this.busy += 1;
    const mine = this.last.then(work);
    this.last = mine.catch(() => undefined);
    try {
      return await mine;
    } catch (thrown) {
      showError(thrown);
      return null;
    } finally {
      this.busy -= 1;
    }
  }

  /** Takes what another command gave: a name, defaults, axes. */
  took(detail: SetDetail): void {
    this.adopt(detail);
    this.reload();
  }

  private check(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.look(), CHECK_PAUSE);
  }

  private async look(): Promise<void> {
    const first = Math.max(0, this.shown.first - 20);
    const limit = Math.min(2000, this.shown.last - first + 40);
    if (this.detail?.summary.kind !== 'table' || this.total === 0) return;
    try {
      const found = await command('check_rows', { id: this.id, offset: first, limit });
      if (this.busy > 0) return;
      this.header = found.header;
      const byRow = new Map<number, Finding>();
      for (let index = first; index < first + limit; index += 1) {
        const row = this.row(index);
        if (row) byRow.set(row.row, { problems: [] });
      }
      for (const problem of found.problems) {
        if (problem.row_id !== undefined) byRow.get(problem.row_id)?.problems.push(problem);
      }
      for (const { row, pictures } of found.pictures) {
        const finding = byRow.get(row);
        if (finding) finding.pictures = pictures;
      }
      for (const [row, finding] of byRow) this.findings.set(row, finding);
    } catch {
      // What cannot be checked now is checked with the next change; the plan says what is wrong with the set.
    }
  }

  /** What is wrong in a cell; without a column, with the row as a whole. */
  problemsAt(row: number, column?: string): RowProblem[] {
    return (this.findings.get(row)?.problems ?? []).filter((found) => found.column === column);
  }
}
