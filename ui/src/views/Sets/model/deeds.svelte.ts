import type { CellText, SetEdit } from '$lib/api';
import { announce, command, showError } from '$lib/state';
import { t } from '$lib/i18n';
import { fillBlock, parseCells, writeCells } from './clipboard';
import { looksLikeHeader } from './fields';
import { toBase64 } from './files';
import { at, blockOf, isSingle, wholeRows, within, type Block, type Selection } from './selection';
import type { Sheet } from './sheet.svelte';

/** What is done to what is chosen. The place behind the last row is a row in waiting: who writes there gets a new one. */
export class Deeds {
  selection = $state.raw<Selection>(at(0, 0));

  constructor(readonly sheet: Sheet) {}

  get extent() {
    return { rows: this.sheet.total + 1, columns: Math.max(1, this.sheet.columns.length) };
  }

  get block(): Block {
    return blockOf({
      anchor: within(this.selection.anchor, this.extent),
      focus: within(this.selection.focus, this.extent),
    });
  }

  /** The part of the block that has rows; null when only the row in waiting is chosen. */
  get real(): Block | null {
    const { block } = this;
    const bottom = Math.min(block.bottom, this.sheet.total - 1);
    return block.top > bottom ? null : { ...block, bottom };
  }

  private columnsOf(block: Block): number[] {
    return Array.from({ length: block.right - block.left + 1 }, (_, index) => block.left + index);
  }

  async write(row: number, column: number, text: string): Promise<void> {
    const { sheet } = this;
    if (row >= sheet.total) {
      if (text === '') return;
      const cells = sheet.columns.map((_, index) => (index === column ? text : ''));
      await sheet.edit('cells', [{ do: 'append_rows', rows: [cells] }]);
      return;
    }
    if (sheet.cell(row, column) === text) return;
    const [id] = await sheet.ids(row, row);
    if (id === undefined) return;
    await sheet.edit('cells', [{ do: 'cells', cells: [{ row: id, column, text }] }]);
  }

  async clear(label = 'clear'): Promise<void> {
    const block = this.real;
    if (!block) return;
    const rows = await this.sheet.ids(block.top, block.bottom);
    await this.sheet.edit(label, [{ do: 'clear', rows, columns: this.columnsOf(block) }]);
  }

  /** The first row's cells in the others; with one row chosen, those of the row above it. */
  async fillDown(): Promise<void> {
    const block = this.real;
    if (!block) return;
    const top = block.top === block.bottom ? block.top - 1 : block.top;
    if (top < 0) return;
    const rows = await this.sheet.ids(top, block.bottom);
    await this.sheet.edit('fill_down', [{ do: 'fill_down', rows, columns: this.columnsOf(block) }]);
  }

  async insert(where: 'above' | 'below'): Promise<void> {
    const { block, sheet } = this;
    const count = block.bottom - block.top + 1;
    const rows = Array.from({ length: count }, () => sheet.columns.map(() => ''));
    const behind = where === 'above' ? block.top - 1 : Math.min(block.bottom, sheet.total - 1);
    const [id] = behind >= 0 ? await sheet.ids(behind, behind) : [];
    await sheet.edit('insert_rows', [
      { do: 'insert_rows', rows, ...(id !== undefined && { behind: id }) } as SetEdit,
    ]);
    this.selection = {
      anchor: { row: behind + 1, column: block.left },
      focus: { row: behind + count, column: block.right },
    };
  }

  async duplicate(): Promise<void> {
    const block = this.real;
    if (!block) return;
    const rows = await this.sheet.ids(block.top, block.bottom);
    await this.sheet.edit('duplicate_rows', [{ do: 'duplicate_rows', rows }]);
  }

  async remove(): Promise<void> {
    const block = this.real;
    if (!block) return;
    const rows = await this.sheet.ids(block.top, block.bottom);
    await this.sheet.edit('delete_rows', [{ do: 'delete_rows', rows }]);
    this.selection = at(Math.min(block.top, this.sheet.total), block.left);
    announce(t('sets:said.deleted', { count: rows.length }));
  }

  /** Puts the chosen rows in front of the row that stands at `target` now. */
  async moveTo(target: number): Promise<void> {
    const block = this.real;
    if (!block || (target >= block.top && target <= block.bottom + 1)) return;
    const { sheet } = this;
    const rows = await sheet.ids(block.top, block.bottom);
    const [behind] = target > 0 ? await sheet.ids(target - 1, target - 1) : [];
    await sheet.edit('move_rows', [
      { do: 'move_rows', rows, ...(behind !== undefined && { behind }) } as SetEdit,
    ]);
    const first = target > block.bottom ? target - rows.length : target;
    this.selection = wholeRows(first, first + rows.length - 1, this.extent);
    announce(t('sets:said.moved', { row: first + 1 }));
  }

  async shift(by: number): Promise<void> {
    const block = this.real;
    if (!block) return;
    const target = by < 0 ? block.top - 1 : block.bottom + 2;
    if (target < 0 || target > this.sheet.total) return;
    await this.moveTo(target);
  }

  /** What is chosen as text, if all of it is known already. */
  copied(): string | null {
    const block = this.real;
    if (!block) return '';
    for (let row = block.top; row <= block.bottom; row += 1) if (!this.sheet.row(row)) return null;
    const cells = Array.from({ length: block.bottom - block.top + 1 }, (_, row) =>
      this.columnsOf(block).map((column) => this.sheet.cell(block.top + row, column)),
    );
    return writeCells(cells);
  }

  /** For blocks that reach beyond what was read. */
  async copyLater(): Promise<void> {
    const block = this.real;
    if (!block) return;
    try {
      await navigator.clipboard.writeText(writeCells(await this.sheet.texts(block)));
    } catch (thrown) {
      showError(thrown);
    }
  }

  async paste(text: string): Promise<void> {
    const { sheet, block } = this;
    let lines = parseCells(text);
    const [first] = lines;
    if (!first) return;
    if (sheet.total === 0 && lines.length > 1 && looksLikeHeader(first)) {
      await this.pasteTable(text);
      return;
    }
    if (!isSingle(block)) {
      lines = fillBlock(lines, block.bottom - block.top + 1, block.right - block.left + 1);
    }
    const [id] = block.top < sheet.total ? await sheet.ids(block.top, block.top) : [];
    const row = id === undefined ? {} : { row: id };
    await sheet.edit('paste', [{ do: 'paste', ...row, column: block.left, lines } as SetEdit]);
    const width = Math.max(...lines.map((line) => line.length));
    this.selection = {
      anchor: { row: block.top, column: block.left },
      focus: { row: block.top + lines.length - 1, column: block.left + width - 1 },
    };
    announce(t('sets:said.pasted', { count: lines.length }));
  }

  /** A whole table with its heading goes through the reader of files, which knows columns by all their names. */
  private async pasteTable(text: string): Promise<void> {
    await this.sheet.after(async () => {
      const { set, rows } = await command('import_set', {
        file_name: 'paste.tsv',
        bytes: await toBase64(new Blob([text])),
        set: this.sheet.id,
        into: 'replace',
      });
      this.sheet.took(set);
      announce(t('sets:said.pasted', { count: rows }));
    });
  }

  /** Puts a text that would be right into the cell that a problem names. */
  async fix(cells: CellText[]): Promise<void> {
    await this.sheet.edit('fix', [{ do: 'cells', cells }]);
  }

  async addColumn(name: string, place?: number): Promise<void> {
    const where = place === undefined ? {} : { at: place };
    await this.sheet.edit('add_column', [{ do: 'add_column', name, ...where }]);
  }

  async renameColumn(column: number, name: string): Promise<void> {
    await this.sheet.edit('rename_column', [{ do: 'rename_column', column, name }]);
  }

  async moveColumn(column: number, to: number): Promise<void> {
    if (to < 0 || to >= this.sheet.columns.length) return;
    await this.sheet.edit('move_column', [{ do: 'move_column', column, to }]);
    this.selection = at(this.selection.focus.row, to);
  }

  async removeColumn(column: number): Promise<void> {
    await this.sheet.edit('delete_column', [{ do: 'delete_column', column }]);
    this.selection = at(this.selection.focus.row, Math.max(0, column - 1));
  }
}
