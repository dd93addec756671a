import { describe, expect, test } from 'vitest';
import { carried, cuts, moved, ratioName, resized, shaped, SMALLEST, typed, whole } from './rect';

const picture = { width: 600, height: 400 };
const inside = { x: 100, y: 100, width: 200, height: 100 };

describe('a crop', () => {
  test('takes the largest area of a shape, in the middle', () => {
    expect(shaped(whole(picture), 1, picture)).toEqual({ x: 100, y: 0, width: 400, height: 400 });
    expect(shaped(whole(picture), null, picture)).toEqual(whole(picture));
    const square = shaped(inside, 1, picture);
    expect(square.width).toBe(square.height);
    expect(Math.abs(square.x + square.width / 2 - 200)).toBeLessThanOrEqual(1);
  });

  test('stays inside the picture when it is moved', () => {
    expect(moved(inside, -500, 900, picture)).toEqual({ ...inside, x: 0, y: 300 });
  });

  test('grows by a side alone, and not beyond the edge', () => {
    expect(resized(inside, { x: 1, y: 0 }, 50, 80, picture, null)).toEqual({
      ...inside,
      width: 250,
    });
    expect(resized(inside, { x: -1, y: 0 }, -900, 0, picture, null)).toEqual({
      ...inside,
      x: 0,
      width: 300,
    });
    expect(resized(inside, { x: 1, y: 1 }, -900, -900, picture, null)).toEqual({
      ...inside,
      width: SMALLEST,
      height: SMALLEST,
    });
  });

  test('keeps its shape at every grip, and the opposite corner its place', () => {
    const rect = { x: 100, y: 100, width: 200, height: 100 };
    for (const x of [-1, 0, 1] as const) {
      for (const y of [-1, 0, 1] as const) {
        if (x === 0 && y === 0) continue;
        const next = resized(rect, { x, y }, x * 37, y * 11, picture, 2);
        expect(Math.abs(next.width - next.height * 2)).toBeLessThanOrEqual(2);
        if (x > 0) expect(next.x).toBe(rect.x);
        if (x < 0) expect(Math.abs(next.x + next.width - 300)).toBeLessThanOrEqual(1);
        if (y > 0) expect(next.y).toBe(rect.y);
      }
    }
  });

  test('takes typed numbers, and the shape with them', () => {
    expect(typed(inside, { width: 300 }, picture, 2)).toMatchObject({ width: 300, height: 150 });
    expect(typed(inside, { height: 4000 }, picture, 2)).toMatchObject({ width: 600, height: 300 });
    expect(typed(inside, { x: 9999 }, picture, null)).toEqual({ ...inside, x: 400 });
  });

  test('means the same share of another picture', () => {
    const to = { width: 1200, height: 800 };
    expect(carried(inside, picture, to, null)).toEqual({ x: 200, y: 200, width: 400, height: 200 });
    const tall = carried(
      shaped(whole(picture), 1, picture),
      picture,
      { width: 300, height: 900 },
      1,
    );
    expect(tall).toEqual({ x: 0, y: 300, width: 300, height: 300 });
  });

  test('knows when it cuts nothing', () => {
    expect(cuts(whole(picture), picture)).toBe(false);
    expect(cuts(inside, picture)).toBe(true);
  });

  test.each([
    [1, '1:1'],
    [1.5, '3:2'],
    [16 / 9, '16:9'],
    [0.5625, '9:16'],
    [1.257, '1.26'],
  ])('%f is called %s', (ratio, name) => expect(ratioName(ratio)).toBe(name));
});
