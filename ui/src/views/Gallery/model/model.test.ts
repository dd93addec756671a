import { describe, expect, test } from 'vitest';
import { valuesOf, withValues } from './filter';
import { familyTree } from './lineage';
import { Order } from './order.svelte';
import * as chosen from './selection';
import { actual, fit, panned, settled, whole, zoomed } from './zoom';

const order = (keys: number[]) =>
  new Order({ keys, aspects: keys.map(() => 1000), days: [], remarks: [] });

describe('selection', () => {
  const ten = order([10, 9, 8, 7, 6, 5, 4, 3, 2, 1]);

  test('a range runs from the anchor, whichever way', () => {
    const from = chosen.only(7);
    expect([...chosen.extended(from, 4, ten).keys]).toEqual([7, 6, 5, 4]);
    const back = chosen.extended(chosen.extended(from, 4, ten), 9, ten);
    expect(chosen.targets(back, ten)).toEqual([9, 8, 7]);
    expect(back.anchor).toBe(7);
  });

  test('Ctrl adds and takes away, and ranges can be added', () => {
    let now = chosen.toggled(chosen.only(10), 8);
    expect(chosen.targets(now, ten)).toEqual([10, 8]);
    now = chosen.extended(now, 6, ten, true);
    expect(chosen.targets(now, ten)).toEqual([10, 8, 7, 6]);
    now = chosen.toggled(now, 7);
    expect(chosen.targets(now, ten)).toEqual([10, 8, 6]);
  });

  test('commands act on the cursor when nothing is chosen', () => {
    const now = chosen.cleared(chosen.only(5));
    expect(now.keys.size).toBe(0);
    expect(chosen.targets(now, ten)).toEqual([5]);
    expect(chosen.targets(chosen.nothing, ten)).toEqual([]);
  });

  test('a whole day goes in, and out when all of it was in', () => {
    const day = [9, 8, 7];
    const into = chosen.toggledAll(chosen.only(8), day);
    expect([...into.keys].sort()).toEqual([7, 8, 9]);
    expect(chosen.toggledAll(into, day).keys.size).toBe(0);
  });

  test('the cursor falls to what took the place of what left', () => {
    const after = order([10, 9, 6, 5]);
    const now = chosen.carried(chosen.only(8), ten, after);
    expect(now.cursor).toBe(6);
    expect([...now.keys]).toEqual([6]);
    expect(chosen.carried(chosen.only(1), ten, after).cursor).toBe(5);
    const many = chosen.carried(chosen.extended(chosen.only(9), 6, ten), ten, after);
    expect(chosen.targets(many, after)).toEqual([9, 6]);
  });
});

describe('order', () => {
  test('loses pictures, and days that have none left', () => {
    const before = new Order({
      keys: [5, 4, 3, 2, 1],
      aspects: [1, 2, 3, 4, 5],
      days: [
        { day: '2026-11-24', count: 2 },
        { day: '2026-11-23', count: 1 },
        { day: '2026-11-22', count: 2 },
      ],
      remarks: [],
    });
    const after = before.without(new Set([4, 3]));
    expect(after.keys).toEqual([5, 2, 1]);
    expect(after.aspects).toEqual([1, 4, 5]);
    expect(after.days).toEqual([
      { day: '2026-11-24', count: 1 },
      { day: '2026-11-22', count: 2 },
    ]);
    expect(after.indexOf(2)).toBe(1);
    expect(after.indexOf(4)).toBe(-1);
  });
});

describe('filters in the query', () => {
  test.each([
    ['fox', 'rating', ['>=4'], 'fox rating:>=4'],
    ['fox rating:>=4 -blurry', 'rating', ['5'], 'fox -blurry rating:5'],
    ['tag:winter fox', 'tag', ['winter', 'client A'], 'fox tag:winter tag:"client A"'],
    ['fox is:pick', 'flag', [], 'fox'],
    ['is:inpaint', 'flag', ['pick'], 'is:inpaint is:pick'],
    ['-is:pick', 'flag', ['reject'], '-is:pick is:reject'],
    ['"is:pick"', 'flag', [], '"is:pick"'],
  ] as const)('%s with %s set to %j', (query, chip, values, expected) => {
    expect(withValues(query, chip, values)).toBe(expected);
  });

  test('are read back', () => {
    const query = 'fox tag:"client A" tag:winter is:pick is:inpaint model:starter -tag:sea';
    expect(valuesOf(query, 'tag')).toEqual(['client A', 'winter']);
    expect(valuesOf(query, 'flag')).toEqual(['pick']);
    expect(valuesOf(query, 'made')).toEqual(['inpaint']);
    expect(valuesOf(query, 'model')).toEqual(['starter']);
    expect(valuesOf('山水 标签', 'tag')).toEqual([]);
  });
});

describe('looking closely', () => {
  const picture = { width: 2000, height: 1000 };
  const pane = { width: 1000, height: 800 };

  test('fits, and shows pixels one to one', () => {
    expect(fit(picture, pane)).toBe(0.5);
    expect(actual(picture, pane)).toBe(2);
    expect(fit({ width: 400, height: 400 }, pane)).toBe(2);
    expect(fit({ width: 10, height: 10 }, pane)).toBe(4);
  });

  test('keeps the point under the pointer', () => {
    const at = { x: 200, y: 60 };
    const near = zoomed(whole, 3, at, picture, pane);
    const point = (look: { scale: number; x: number }) =>
      look.x + at.x / (picture.width * 0.5 * look.scale);
    expect(point(near)).toBeCloseTo(point(whole));
  });

  test('never shows more ground than it must', () => {
    const near = settled({ scale: 2, x: 0, y: 0 }, picture, pane);
    expect(near).toEqual({ scale: 2, x: 0.25, y: 0.4 });
    expect(settled({ scale: 0.2, x: 0, y: 1 }, picture, pane)).toEqual(whole);
    expect(settled({ scale: 0.5, x: 0, y: 1 }, { width: 500, height: 400 }, pane).scale).toBe(0.5);
    expect(panned(whole, 500, 500, picture, pane)).toEqual(whole);
  });
});

describe('lineage', () => {
  test('reads as a tree, and keeps what has no parent in it', () => {
    const member = (parent?: number) => ({ input: 'x', parent });
    const rows = familyTree([member(), member(0), member(0), member(1), member(9)]);
    expect(rows.map(({ depth }) => depth)).toEqual([0, 1, 2, 1, 0]);
  });
});
