import { describe, expect, test } from 'vitest';
import { deedOf, type Press } from './keys';
import {
  at,
  blockOf,
  contains,
  everything,
  isSingle,
  move,
  step,
  wholeColumn,
  wholeRows,
  within,
} from './selection';

const extent = { rows: 4, columns: 3 };

describe('selection', () => {
  test('moves, and stops at the edges', () => {
    expect(move(at(0, 0), { rows: -1 }, extent)).toEqual(at(0, 0));
    expect(move(at(1, 1), { rows: 1, columns: 1 }, extent)).toEqual(at(2, 2));
    expect(move(at(1, 1), { rows: 99_999 }, extent)).toEqual(at(3, 1));
  });

  test('extends from where it began, and shrinks again', () => {
    const wider = move(move(at(1, 1), { rows: 1 }, extent, true), { columns: 1 }, extent, true);
    expect(blockOf(wider)).toEqual({ top: 1, bottom: 2, left: 1, right: 2 });
    expect(isSingle(blockOf(move(wider, { rows: -1, columns: -1 }, extent, true)))).toBe(true);
    expect(blockOf(move(at(2, 2), { rows: -2, columns: -1 }, extent, true))).toEqual({
      top: 0,
      bottom: 2,
      left: 1,
      right: 2,
    });
  });

  test('steps in reading order and stays at both ends', () => {
    expect(step(at(0, 2), false, extent)).toEqual(at(1, 0));
    expect(step(at(1, 0), true, extent)).toEqual(at(0, 2));
    expect(step(at(3, 2), false, extent)).toEqual(at(3, 2));
    expect(step(at(0, 0), true, extent)).toEqual(at(0, 0));
  });

  test('whole rows, columns, everything', () => {
    expect(blockOf(wholeRows(3, 1, extent))).toEqual({ top: 1, bottom: 3, left: 0, right: 2 });
    expect(blockOf(wholeColumn(1, extent))).toEqual({ top: 0, bottom: 3, left: 1, right: 1 });
    expect(contains(blockOf(everything(extent)), 3, 2)).toBe(true);
  });

  test('a place in a table that shrank', () => {
    expect(within({ row: 9, column: 9 }, extent)).toEqual({ row: 3, column: 2 });
  });
});

describe('keys', () => {
  const press = (key: string, also: Partial<Press> = {}): Press => ({
    key,
    mod: false,
    shift: false,
    alt: false,
    composing: false,
    ...also,
  });
  const deed = (key: string, also: Partial<Press> = {}) => deedOf(press(key, also), 20);

  test('arrows move, Shift extends, Mod goes far, Alt moves rows', () => {
    expect(deed('ArrowDown')).toEqual({ do: 'move', rows: 1, extend: false });
    expect(deed('ArrowLeft', { shift: true })).toEqual({ do: 'move', columns: -1, extend: true });
    expect(deed('PageDown')).toEqual({ do: 'move', rows: 20, extend: false });
    expect(deed('ArrowUp', { alt: true })).toEqual({ do: 'shift', by: -1 });
    const far = deed('ArrowDown', { mod: true });
    expect(far?.do === 'move' && (far.rows ?? 0) > 1_000_000).toBe(true);
  });

  test('editing, filling, undoing', () => {
    expect(deed('Enter')).toEqual({ do: 'edit' });
    expect(deed('F2')).toEqual({ do: 'edit' });
    expect(deed('Tab', { shift: true })).toEqual({ do: 'step', back: true });
    expect(deed('Delete')).toEqual({ do: 'clear' });
    expect(deed('d', { mod: true })).toEqual({ do: 'fill' });
    expect(deed('Z', { mod: true, shift: true })).toEqual({ do: 'redo' });
    expect(deed('z', { mod: true })).toEqual({ do: 'undo' });
    expect(deed('y', { mod: true })).toEqual({ do: 'redo' });
  });

  test('text, copying and what an input method has are left alone', () => {
    expect(deed('a')).toBeNull();
    expect(deed(' ')).toBeNull();
    expect(deed('c', { mod: true })).toBeNull();
    expect(deed('v', { mod: true })).toBeNull();
    expect(deed('Enter', { composing: true })).toBeNull();
    expect(deed('Process', { composing: true })).toBeNull();
  });
});
