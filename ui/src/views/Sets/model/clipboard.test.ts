import { describe, expect, test } from 'vitest';
import { fillBlock, parseCells, writeCells } from './clipboard';

describe('what a spreadsheet copies', () => {
  test('cells, rows, and the line break that ends the last row', () => {
    expect(parseCells('a\tb\r\nc\td\r\n')).toEqual([
      ['a', 'b'],
      ['c', 'd'],
    ]);
    expect(parseCells('a\tb\nc\td')).toEqual([
      ['a', 'b'],
      ['c', 'd'],
    ]);
  });

  test('empty cells and empty rows stay where they are', () => {
    expect(parseCells('\t\n\n\tx\n')).toEqual([['', ''], [''], ['', 'x']]);
    expect(parseCells('')).toEqual([]);
    expect(parseCells('a\t')).toEqual([['a', '']]);
  });

  test('cells with line breaks, tabs and quotation marks', () => {
    expect(parseCells('"a fox\nin snow"\t7\r\n"say ""hi"""\t"x\ty"\r\n')).toEqual([
      ['a fox\nin snow', '7'],
      ['say "hi"', 'x\ty'],
    ]);
  });

  test('a quotation mark that only begins a prompt is text', () => {
    expect(parseCells('"hello" on a sign\t1')).toEqual([['"hello" on a sign', '1']]);
    expect(parseCells('5" disk\t"open')).toEqual([['5" disk', '"open']]);
  });

  test('what is written is read as the same', () => {
    const cells = [
      ['山水，云海', 'two\nlines', ''],
      ['"quoted"', 'a\tb', '{a|b}'],
    ];
    expect(parseCells(writeCells(cells))).toEqual(cells);
  });

  test('a megabyte of marks is read in time that grows with its length', () => {
    const text = '"a""b"\t'.repeat(150_000);
    const began = performance.now();
    expect(parseCells(text)[0]?.length).toBe(150_001);
    expect(performance.now() - began).toBeLessThan(3000);
  });
});

describe('pasting into a block', () => {
  test('one cell fills it, a row repeats down', () => {
    expect(fillBlock([['x']], 2, 2)).toEqual([
      ['x', 'x'],
      ['x', 'x'],
    ]);
    expect(fillBlock([['a', 'b']], 3, 2)).toEqual([
      ['a', 'b'],
      ['a', 'b'],
      ['a', 'b'],
    ]);
  });

  test('what does not fit a whole number of times is pasted once', () => {
    const lines = [['a'], ['b']];
    expect(fillBlock(lines, 3, 1)).toBe(lines);
  });
});
