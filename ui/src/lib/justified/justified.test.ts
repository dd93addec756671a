import { describe, expect, test } from 'vitest';
import {
  anchorAt,
  Justified,
  moved,
  placeOf,
  placeToReveal,
  type Run,
  rowsAround,
  ScrollMap,
  TALLEST,
  TALLEST_PAGE,
} from '.';

/** A seeded generator: a failure names the seed that brings it back. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

function wall(seed: number): Justified {
  const next = random(seed);
  const count = Math.floor(next() * 400);
  const aspects = Array.from({ length: count }, () => Math.round(200 + next() ** 3 * 6000));
  const runs: Run[] = [];
  if (next() < 0.7) {
    for (let left = count; left > 0;) {
      const size = Math.min(left, 1 + Math.floor(next() * 60));
      runs.push({ name: `run ${runs.length}`, count: size });
      left -= size;
    }
  }
  return new Justified(aspects, runs, {
    width: 280 + Math.floor(next() * 2600),
    rowHeight: 72 + Math.floor(next() * 350),
    gap: Math.floor(next() * 8),
    headingHeight: 44,
  });
}

const seeds = Array.from({ length: 200 }, (_, seed) => seed + 1);

describe('justified rows', () => {
  test.each(seeds)('hold every picture once, in order, within the wall (seed %i)', (seed) => {
    const layout = wall(seed);
    const { width, gap, rowHeight } = layout.wall;
    let expected = 0;
    let bottom = -gap;
    const ends = new Set(layout.sections.map((section) => section.endRow - 1));
    for (let row = 0; row < layout.rows; row += 1) {
      const cells = layout.cells(row);
      expect(cells.length).toBeGreaterThan(0);
      let right = -gap;
      for (const cell of cells) {
        expect(cell.index).toBe(expected);
        expected += 1;
        expect(cell.width).toBeGreaterThan(0);
        expect(Math.abs(cell.left - right - gap)).toBeLessThanOrEqual(1);
        right = cell.left + cell.width;
      }
      expect(right).toBeLessThanOrEqual(width);
      // Full rows reach the edge to the pixel; those that end a run may not.
      if (!ends.has(row)) expect(right).toBe(width);
      expect(layout.heightOf(row)).toBeGreaterThan(0);
      expect(layout.heightOf(row)).toBeLessThanOrEqual(rowHeight * TALLEST + 0.01);
      expect(layout.top(row)).toBeGreaterThanOrEqual(bottom + gap - 0.01);
      bottom = layout.top(row) + layout.heightOf(row);
    }
    expect(expected).toBe(layout.count);
    if (layout.rows > 0) expect(Math.abs(layout.height - bottom)).toBeLessThan(0.01);
  });

  test.each(seeds.slice(0, 60))('are found again by picture and by height (seed %i)', (seed) => {
    const layout = wall(seed);
    for (let row = 0; row < layout.rows; row += 1) {
      for (const { index } of layout.cells(row)) expect(layout.rowOf(index)).toBe(row);
      expect(layout.rowAt(layout.top(row))).toBe(row);
      expect(layout.rowAt(layout.top(row) + layout.heightOf(row) - 0.01)).toBe(row);
      const section = layout.sections[layout.sectionAt(layout.top(row))];
      expect(section?.firstRow).toBeLessThanOrEqual(row);
      expect(section?.endRow).toBeGreaterThan(row);
    }
  });

  test('shows a panorama cropped rather than as a line', () => {
    const layout = new Justified([20_000], [], {
      width: 800,
      rowHeight: 200,
      gap: 4,
      headingHeight: 0,
    });
    expect(layout.heightOf(0)).toBeGreaterThan(150);
  });

  test('lays out 100,000 pictures in far less than a frame or two', () => {
    const next = random(3);
    const aspects = Array.from({ length: 100_000 }, () => 500 + Math.round(next() * 1500));
    const options = { width: 1200, rowHeight: 200, gap: 4, headingHeight: 44 };
    new Justified(aspects, [], options);
    const begun = performance.now();
    const layout = new Justified(aspects, [], options);
    expect(performance.now() - begun).toBeLessThan(150); // Some milliseconds, on a machine at rest.
    expect(layout.rows).toBeGreaterThan(10_000);
  });

  test('stands an empty library and a wall without width', () => {
    expect(
      new Justified([], [], { width: 0, rowHeight: 200, gap: 4, headingHeight: 44 }).rows,
    ).toBe(0);
    const thin = new Justified([1000, 1000], [], {
      width: 0,
      rowHeight: 200,
      gap: 4,
      headingHeight: 0,
    });
    expect(thin.height).toBeGreaterThan(0);
  });
});

describe('moving', () => {
  test.each(seeds.slice(0, 60))('down and up again ends where it began (seed %i)', (seed) => {
    const layout = wall(seed);
    if (layout.rows < 3) return;
    const from = layout.start(0);
    const down = moved(layout, from, 'down', 600);
    const further = moved(layout, down.index, 'down', 600, down.column);
    const back = moved(layout, further.index, 'up', 600, further.column);
    expect(back.index).toBe(down.index);
    expect(moved(layout, back.index, 'up', 600, back.column).index).toBe(from);
  });

  test('stops at the ends', () => {
    const layout = wall(5);
    const last = layout.count - 1;
    expect(moved(layout, 0, 'left', 600).index).toBe(0);
    expect(moved(layout, last, 'right', 600).index).toBe(last);
    expect(moved(layout, 0, 'up', 600).index).toBe(0);
    expect(moved(layout, 0, 'last', 600).index).toBe(last);
    expect(moved(layout, last, 'first', 600).index).toBe(0);
    expect(moved(layout, last, 'pageDown', 600).index).toBe(last);
  });

  test('turns pages forth and back', () => {
    const layout = wall(5);
    const next = moved(layout, 0, 'pageDown', 600);
    expect(layout.rowOf(next.index)).toBeGreaterThan(0);
    expect(layout.rowOf(moved(layout, next.index, 'pageUp', 600, next.column).index)).toBe(0);
  });
});

describe('scrolling', () => {
  const layout = wall(5);

  test('brings back what one looked at when rows change their height', () => {
    const place = layout.top(6) - 30;
    const anchor = anchorAt(layout, place);
    expect(anchor).not.toBeNull();
    if (anchor) expect(placeOf(layout, anchor)).toBeCloseTo(place);
  });

  test('reveals a picture with the smallest move', () => {
    const index = layout.start(8);
    expect(placeToReveal(layout, index, layout.top(8) - 100, 2000, 44)).toBe(layout.top(8) - 100);
    expect(placeToReveal(layout, index, layout.top(8) + 10, 900, 44)).toBe(layout.top(8) - 44);
  });

  test('keeps few rows in the document', () => {
    const { first, end } = rowsAround(layout, layout.top(4), 800, 400);
    expect(first).toBeLessThanOrEqual(4);
    expect(end - first).toBeLessThan(40);
  });

  test('reaches both ends of a wall that no page is tall enough for', () => {
    const map = new ScrollMap();
    const tall = TALLEST_PAGE * 3;
    map.resize(tall, 800);
    expect(map.page).toBe(TALLEST_PAGE);
    expect(map.scrolled(0)).toBe(0);
    expect(map.scrolled(TALLEST_PAGE - 800)).toBe(tall - 800);
    const middle = map.scrolled(TALLEST_PAGE / 2);
    expect(middle / tall).toBeCloseTo(0.5, 2);
    expect(map.scrolled(TALLEST_PAGE / 2 + 100)).toBeCloseTo(middle + 100);
    const position = map.position(tall * 0.75);
    expect(position + map.shift).toBeCloseTo(tall * 0.75, 3);
    expect(position).toBeLessThanOrEqual(TALLEST_PAGE - 800);
  });

  test('is plain arithmetic where the page is tall enough', () => {
    const map = new ScrollMap();
    map.resize(20_000, 800);
    expect(map.scrolled(1234)).toBe(1234);
    expect(map.position(500)).toBe(500);
    expect(map.position(99_999)).toBe(19_200);
  });
});
