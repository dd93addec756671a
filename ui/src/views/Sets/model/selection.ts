/** A cell by its place: row and column, both from 0. */
export interface Place {
  row: number;
  column: number;
}

/** What is chosen: the cell where it began, and the one where it ends now, which has the focus. */
export interface Selection {
  anchor: Place;
  focus: Place;
}

/** The block between two cells; both ends belong to it. */
export interface Block {
  top: number;
  bottom: number;
  left: number;
  right: number;
}

export interface Extent {
  rows: number;
  columns: number;
}

export const at = (row: number, column: number): Selection => ({
  anchor: { row, column },
  focus: { row, column },
});

export const blockOf = ({ anchor, focus }: Selection): Block => ({
  top: Math.min(anchor.row, focus.row),
  bottom: Math.max(anchor.row, focus.row),
  left: Math.min(anchor.column, focus.column),
  right: Math.max(anchor.column, focus.column),
});

export const isSingle = (block: Block): boolean =>
  block.top === block.bottom && block.left === block.right;

export const contains = (block: Block, row: number, column: number): boolean =>
  row >= block.top && row <= block.bottom && column >= block.left && column <= block.right;

const clamp = (value: number, end: number): number => Math.max(0, Math.min(end - 1, value));

/** The nearest place that exists. */
export const within = (place: Place, extent: Extent): Place => ({
  row: clamp(place.row, extent.rows),
  column: clamp(place.column, extent.columns),
});

/** Moves the focus; `extend` keeps the anchor, so that the block grows or shrinks. */
export function move(
  selection: Selection,
  by: { rows?: number; columns?: number },
  extent: Extent,
  extend = false,
): Selection {
  const focus = within(
    {
      row: selection.focus.row + (by.rows ?? 0),
      column: selection.focus.column + (by.columns ?? 0),
    },
    extent,
  );
  return extend ? { anchor: selection.anchor, focus } : { anchor: focus, focus };
}

/** The next cell in reading order, from the end of one row to the beginning of the next. */
export function step(selection: Selection, back: boolean, extent: Extent): Selection {
  const { row, column } = selection.focus;
  const last = extent.columns - 1;
  let next: Place = { row, column: column + (back ? -1 : 1) };
  if (next.column > last) next = { row: row + 1, column: 0 };
  if (next.column < 0) next = { row: row - 1, column: last };
  // At either end one stays, rather than to begin again at the other.
  if (next.row < 0 || next.row >= extent.rows) return at(row, column);
  return at(next.row, next.column);
}

export const wholeRows = (from: number, to: number, extent: Extent): Selection => ({
  anchor: within({ row: from, column: 0 }, extent),
  focus: within({ row: to, column: extent.columns - 1 }, extent),
});

export const wholeColumn = (column: number, extent: Extent): Selection => ({
  anchor: { row: 0, column },
  focus: within({ row: extent.rows - 1, column }, extent),
});

export const everything = (extent: Extent): Selection => ({
  anchor: { row: 0, column: 0 },
  focus: within({ row: extent.rows - 1, column: extent.columns - 1 }, extent),
});
