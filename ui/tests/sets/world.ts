import type {
  Batch,
  BatchDetail,
  CreateSet,
  EditSet,
  Id,
  NameSet,
  PageRows,
  Plan,
  SetDetail,
  SetEdit,
  SetRow,
} from '$lib/api';
import { StudioError } from '$lib/platform';

// Prompt sets that live in memory: enough of the backend's behaviour for the view to be tested and looked at.

interface Kept {
  detail: SetDetail;
  rows: SetRow[];
  past: { columns: SetDetail['columns']; rows: SetRow[]; label: string }[];
}

const KNOWN = new Set(['prompt', 'negative_prompt', 'seed', 'count', 'steps', 'tags', 'size']);
const NOW = Date.UTC(2026, 10, 24, 13, 0, 0);

export interface Sets {
  sets: Map<string, Kept>;
  batches: BatchDetail[];
  handlers: Record<string, (request: never) => unknown>;
  make(set: Partial<CreateSet>): string;
  texts(id: string): string[][];
}

export const batchOf = (batch: Partial<Batch>): Batch => ({
  id: 'batch-1',
  set: 'set-1',
  kind: 'table',
  name: 'Avatars',
  created: NOW,
  state: 'running',
  spare_battery: false,
  spare_user: false,
  pictures: 40,
  skipped: 0,
  waiting: 20,
  running: 1,
  done: 19,
  failed: 0,
  cancelled: 0,
  ...batch,
});

export function makeSets(): Sets {
  const sets = new Map<string, Kept>();
  const batches: BatchDetail[] = [];
  let next = 1;

  const column = (name: string) =>
    ({ name, ...(KNOWN.has(name) && { field: name }) }) as SetDetail['columns'][number];
  const kept = (id: string): Kept => {
    const found = sets.get(id);
    if (!found) throw new StudioError({ code: 'not_found', message: `there is no set ${id}` });
    return found;
  };
  const row = (cells: string[]): SetRow => ({ row: next++, cells: [...cells] });

  function make(set: Partial<CreateSet>): string {
    const id = `set-${sets.size + 1}`;
    const columns = set.columns?.length ? set.columns : ['prompt', 'negative_prompt', 'seed'];
    sets.set(id, {
      detail: {
        summary: {
          id,
          name: set.name ?? id,
          kind: set.kind ?? 'table',
          rows: set.rows?.length ?? 0,
          created: NOW,
          changed: NOW,
        },
        columns: columns.map(column),
        defaults: { draft: {}, limit: 1000, styles: [], tags: [], ...set.defaults },
        axes: set.axes ?? [],
        revision: 1,
      },
      rows: (set.rows ?? []).map(row),
      past: [],
    });
    return id;
  }

  function settle(set: Kept): SetDetail {
    set.detail = {
      ...set.detail,
      summary: { ...set.detail.summary, rows: set.rows.length },
      revision: set.detail.revision + 1,
    };
    const last = set.past.at(-1);
    if (last) set.detail.undo = last.label;
    else delete set.detail.undo;
    return set.detail;
  }

  function apply(set: Kept, edit: SetEdit, added: number[]): void {
    const place = (id: number | undefined) => set.rows.findIndex((each) => each.row === id);
    const put = (at: number, rows: string[][]) => {
      const made = rows.map((cells) => row(set.detail.columns.map((_, i) => cells[i] ?? '')));
      set.rows.splice(at, 0, ...made);
      added.push(...made.map((each) => each.row));
    };
    switch (edit.do) {
      case 'cells':
        for (const { row: id, column: at, text } of edit.cells) {
          const found = set.rows[place(id)];
          if (found) found.cells[at] = text;
        }
        break;
      case 'paste': {
        const start = edit.row === undefined ? set.rows.length : place(edit.row);
        const width = Math.max(...edit.lines.map((line) => line.length)) + edit.column;
        while (set.detail.columns.length < width) {
          set.detail.columns = [
            ...set.detail.columns,
            column(`column ${set.detail.columns.length}`),
          ];
        }
        while (set.rows.length < start + edit.lines.length) put(set.rows.length, [[]]);
        edit.lines.forEach((line, index) =>
          line.forEach((text, at) => {
            const found = set.rows[start + index];
            if (found) found.cells[edit.column + at] = text;
          }),
        );
        break;
      }
      case 'fill_down': {
        const from = set.rows[place(edit.rows[0])];
        for (const id of edit.rows.slice(1)) {
          for (const at of edit.columns) {
            const found = set.rows[place(id)];
            if (found) found.cells[at] = from?.cells[at] ?? '';
          }
        }
        break;
      }
      case 'clear':
        for (const id of edit.rows) {
          for (const at of edit.columns) {
            const found = set.rows[place(id)];
            if (found) found.cells[at] = '';
          }
        }
        break;
      case 'insert_rows':
        put(edit.behind === undefined ? 0 : place(edit.behind) + 1, edit.rows);
        break;
      case 'append_rows':
        put(set.rows.length, edit.rows);
        break;
      case 'duplicate_rows':
        for (const id of edit.rows) put(place(id) + 1, [[...(set.rows[place(id)]?.cells ?? [])]]);
        break;
      case 'delete_rows':
        set.rows = set.rows.filter((each) => !edit.rows.includes(each.row));
        break;
      case 'move_rows': {
        const moved = edit.rows.flatMap((id) => set.rows.filter((each) => each.row === id));
        set.rows = set.rows.filter((each) => !edit.rows.includes(each.row));
        set.rows.splice(edit.behind === undefined ? 0 : place(edit.behind) + 1, 0, ...moved);
        break;
      }
      case 'add_column': {
        const at = edit.at ?? set.detail.columns.length;
        set.detail.columns = set.detail.columns.toSpliced(at, 0, column(edit.name));
        for (const each of set.rows) each.cells.splice(at, 0, '');
        break;
      }
      case 'rename_column':
        set.detail.columns = set.detail.columns.with(edit.column, column(edit.name));
        break;
      case 'move_column':
      case 'delete_column':
        set.detail.columns = set.detail.columns.toSpliced(edit.column, 1);
        for (const each of set.rows) each.cells.splice(edit.column, 1);
        break;
    }
  }

  /** A step that is no number is the one mistake that this world knows. */
  const problemsOf = (set: Kept) => {
    const at = set.detail.columns.findIndex(({ name }) => name === 'steps');
    return set.rows.flatMap((each, index) => {
      const text = each.cells[at] ?? '';
      if (at < 0 || text === '' || /^\d+$/.test(text)) return [];
      return [
        {
          severity: 'error' as const,
          code: 'not_a_number' as const,
          row: index + 1,
          row_id: each.row,
          column: 'steps',
          message: `“${text}” is not a number of steps`,
          hint: 'write a number from 1 to 150',
          fix: text.replace(/\D/g, '') || '20',
        },
      ];
    });
  };

  function plan({ id }: Id): Plan {
    const set = kept(id);
    const problems = problemsOf(set);
    const blank = set.rows.filter(({ cells }) => cells.every((text) => text === '')).length;
    const ready = set.rows.length - problems.length - blank;
    return {
      rows: set.rows.length,
      ready,
      bad: problems.length,
      off: blank,
      pictures: String(ready),
      new: ready,
      existing: 0,
      trashed: 0,
      queued: 0,
      duplicates: 0,
      seconds: { low: ready * 20, likely: ready * 26, high: ready * 34 },
      bytes: ready * 480_000,
      free_bytes: 21e9,
      models: [
        { id: 'starter', name: 'Tarim starter', pictures: ready, loaded: true, hashed: true },
      ],
      problems,
      errors: problems.length,
      warnings: 0,
      remarks: [],
    };
  }

  const copy = <T>(value: T): T => structuredClone(value);
  const handlers = {
    list_sets: () => ({ sets: [...sets.values()].map(({ detail }) => detail.summary) }),
    list_batches: () => ({ batches: batches.map(({ batch }) => batch) }),
    get_batch: ({ id }: Id) => batches.find(({ batch }) => batch.id === id),
    page_batch: ({ id }: Id) => ({
      pictures: Array.from(
        { length: batches.find(({ batch }) => batch.id === id)?.batch.done ?? 0 },
        (_, number) => ({ id: `picture-${number + 1}`, row: 1, number }),
      ),
    }),
    get_set: ({ id }: Id) => copy(kept(id).detail),
    create_set: (set: CreateSet) => copy(kept(make(set)).detail),
    rename_set: ({ id, name }: NameSet) => {
      const set = kept(id);
      set.detail.summary.name = name;
      return copy(settle(set));
    },
    change_set: ({ id, ...changes }: Id & object) => {
      const set = kept(id);
      Object.assign(set.detail, changes);
      return copy(settle(set));
    },
    page_rows: ({ id, offset, limit }: PageRows) => {
      const set = kept(id);
      return {
        rows: copy(set.rows.slice(offset, offset + limit)),
        total: set.rows.length,
        revision: set.detail.revision,
      };
    },
    edit_set: ({ id, edits, label }: EditSet) => {
      const set = kept(id);
      set.past.push({ columns: set.detail.columns, rows: copy(set.rows), label });
      const added: number[] = [];
      for (const edit of edits) apply(set, edit, added);
      return { set: copy(settle(set)), added };
    },
    undo_set: ({ id }: Id) => {
      const set = kept(id);
      const last = set.past.pop();
      if (last) {
        set.rows = last.rows;
        set.detail.columns = last.columns;
      }
      return copy(settle(set));
    },
    check_rows: ({ id }: PageRows) => {
      const set = kept(id);
      const problems = problemsOf(set);
      const bad = new Set(problems.map(({ row_id }) => row_id));
      return {
        header: [],
        problems,
        pictures: set.rows
          .filter(({ row: each }) => !bad.has(each))
          .map(({ row: each, cells }) => ({
            row: each,
            pictures: cells[0]?.includes('{') ? '12' : '1',
          })),
        revision: set.detail.revision,
      };
    },
    preview_template: ({ text }: { text: string }) => ({
      is_template: text.includes('{'),
      combinations: '1000000000000',
      examples: Array.from({ length: 12 }, (_, i) => text.replace(/[{}]/g, '').concat(` ${i + 1}`)),
      remarks: [],
    }),
    read_axis: ({ axis }: { axis: { field: string; values: string } }) => ({
      name: axis.field,
      values: axis.values.split(',').map((value) => value.trim()),
      problems: [],
    }),
    get_grid: () => ({
      axes: [
        { name: 'CFG Scale', values: ['4', '7', '10'] },
        { name: 'Steps', values: ['10', '20'] },
      ],
      pictures: ['picture-1', 'picture-2', 'picture-3', 'picture-4', 'picture-5', ''],
      prompt: 'a fox',
    }),
    plan_set: plan,
    run_set: ({ id }: Id) => {
      const batch = batchOf({ id: `batch-${batches.length + 1}`, set: id, done: 0, waiting: 40 });
      batches.unshift({ batch, failures: [] });
      return { batch };
    },
  };

  return {
    sets,
    batches,
    make,
    handlers: handlers as unknown as Sets['handlers'],
    texts: (id) => kept(id).rows.map(({ cells }) => cells),
  };
}
