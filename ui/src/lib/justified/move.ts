import type { Justified } from './layout';

export type Move =
  | 'left'
  | 'right'
  | 'up'
  | 'down'
  | 'rowStart'
  | 'rowEnd'
  | 'first'
  | 'last'
  | 'pageUp'
  | 'pageDown';

/**
 * The picture that a key leads to. `column` is the x that up and down keep to, so that going down through uneven rows
 * and back up ends where it began; null takes the picture's own middle.
 */
export function moved(
  layout: Justified,
  index: number,
  move: Move,
  view: number,
  column: number | null = null,
): { index: number; column: number | null } {
  if (layout.count === 0) return { index: -1, column: null };
  const last = layout.count - 1;
  const at = Math.min(last, Math.max(0, index));
  const row = layout.rowOf(at);
  switch (move) {
    case 'left':
      return { index: Math.max(0, at - 1), column: null };
    case 'right':
      return { index: Math.min(last, at + 1), column: null };
    case 'first':
      return { index: 0, column: null };
    case 'last':
      return { index: last, column: null };
    case 'rowStart':
      return { index: layout.start(row), column: null };
    case 'rowEnd':
      return { index: layout.start(row + 1) - 1, column: null };
  }
  const x = column ?? layout.middle(at);
  let target: number;
  if (move === 'up') target = row - 1;
  else if (move === 'down') target = row + 1;
  else {
    const step = Math.max(1, view - layout.heightOf(row));
    const place = layout.top(row) + (move === 'pageUp' ? -step : step);
    target = layout.rowAt(place);
    if (target === row) target += move === 'pageUp' ? -1 : 1;
  }
  if (target < 0) return { index: move === 'pageUp' ? 0 : at, column: x };
  if (target >= layout.rows) return { index: move === 'pageDown' ? last : at, column: x };
  return { index: layout.nearest(target, x), column: x };
}
