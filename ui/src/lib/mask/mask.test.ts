import { describe, expect, test } from 'vitest';
import { MaskHistory } from './history';
import { fromPixels, toPixels } from './image';
import { dab, emptyMask, fill, invert, isEmpty, stroke, type Brush, type Mask } from './mask';
import { fit, keepInSight, toPicture, zoomAt } from './viewport';

const hard: Brush = { radius: 4, hardness: 1, erase: false };
const soft: Brush = { radius: 8, hardness: 0, erase: false };
const at = (mask: Mask, x: number, y: number) => mask.data[y * mask.width + x] as number;

describe('brush', () => {
  test('a hard dab is full inside and nothing outside, at any edge', () => {
    const mask = emptyMask(20, 20);
    expect(dab(mask, 0, 0, hard)).toEqual({ left: 0, top: 0, right: 5, bottom: 5 });
    expect(at(mask, 2, 2)).toBe(255);
    expect(at(mask, 6, 0)).toBe(0);
    expect(dab(mask, 100, 100, hard)).toBeNull();
  });

  test('a soft edge falls off and does not harden when gone over again', () => {
    const mask = emptyMask(40, 40);
    dab(mask, 20, 20, soft);
    const edge = at(mask, 25, 20);
    expect(at(mask, 20, 20)).toBeGreaterThan(245);
    expect(edge).toBeGreaterThan(0);
    expect(edge).toBeLessThan(200);
    for (let times = 0; times < 20; times += 1) dab(mask, 20, 20, soft);
    expect(at(mask, 25, 20)).toBe(edge);
  });

  test('erasing takes away what painting put there', () => {
    const mask = emptyMask(40, 40);
    fill(mask, 255);
    dab(mask, 20, 20, { ...hard, erase: true });
    expect(at(mask, 20, 20)).toBe(0);
    expect(at(mask, 30, 20)).toBe(255);
  });

  test('a stroke has no gaps, and pressure thins it', () => {
    const mask = emptyMask(200, 40);
    stroke(mask, { x: 10, y: 20, pressure: 1 }, { x: 190, y: 20, pressure: 0.25 }, hard);
    for (let x = 10; x < 190; x += 1) expect(at(mask, x, 20)).toBeGreaterThan(200);
    expect(at(mask, 14, 17)).toBe(255);
    expect(at(mask, 186, 17)).toBe(0);
  });
});

describe('whole mask', () => {
  test('invert, fill and clear', () => {
    const mask = emptyMask(4, 4);
    expect(isEmpty(mask)).toBe(true);
    invert(mask);
    expect(isEmpty(mask)).toBe(false);
    expect(at(mask, 3, 3)).toBe(255);
    fill(mask, 0);
    expect(isEmpty(mask)).toBe(true);
  });

  test('is written white on black, opaque', () => {
    const mask = emptyMask(2, 1);
    mask.data.set([255, 7]);
    expect([...toPixels(mask)]).toEqual([255, 255, 255, 255, 7, 7, 7, 255]);
  });
});

describe('undo', () => {
  test('goes back and forth, and a new change ends what was undone', () => {
    const mask = emptyMask(30, 30);
    const history = new MaskHistory(mask);
    const paint = (x: number) => {
      history.begin();
      history.commit(dab(mask, x, 15, hard));
    };
    paint(5);
    const first = mask.data.slice();
    paint(20);
    const second = mask.data.slice();
    expect(history.undo()).not.toBeNull();
    expect(mask.data).toEqual(first);
    history.undo();
    expect(isEmpty(mask)).toBe(true);
    expect(history.undo()).toBeNull();
    history.redo();
    history.redo();
    expect(mask.data).toEqual(second);
    history.undo();
    paint(10);
    expect(history.canRedo).toBe(false);
  });

  test('a stroke that touched nothing leaves no step', () => {
    const history = new MaskHistory(emptyMask(4, 4));
    history.begin();
    history.commit(null);
    expect(history.canUndo).toBe(false);
  });
});

describe('viewport', () => {
  const picture = { width: 200, height: 100 };
  const frame = { width: 400, height: 400 };

  test('fits in the middle', () => {
    expect(fit(picture, frame)).toEqual({ scale: 2, x: 0, y: 100 });
  });

  test('zoom keeps what is under the pointer', () => {
    const before = fit(picture, frame);
    const point = toPicture(before, 300, 150);
    const after = zoomAt(before, 1.7, 300, 150, 0.1);
    expect(toPicture(after, 300, 150).x).toBeCloseTo(point.x);
    expect(toPicture(after, 300, 150).y).toBeCloseTo(point.y);
    expect(zoomAt(before, 1000, 0, 0, 0.1).scale).toBe(32);
  });

  test('the picture never gets lost', () => {
    const lost = keepInSight({ scale: 1, x: 9999, y: -9999 }, picture, frame);
    expect(lost).toEqual({ scale: 1, x: 352, y: -52 });
  });
});

test('a mask that was written is read as it was', () => {
  const mask = emptyMask(6, 4);
  dab(mask, 3, 2, soft);
  expect([...fromPixels(toPixels(mask), 6, 4).data]).toEqual([...mask.data]);
});
