import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

const css = readFileSync(join(import.meta.dirname, '../src/lib/design/tokens.css'), 'utf8');
const block = (start: string) => css.slice(css.indexOf(start)).split('\n}')[0] ?? '';
const declared = (text: string): Record<string, string> =>
  Object.fromEntries(
    [...text.matchAll(/--([\w-]+):\s*([^;]+);/g)].map((m) => [m[1] ?? '', m[2] ?? '']),
  );

const base = declared(block(':root {'));
const side = (index: 0 | 1): Record<string, string> =>
  Object.fromEntries(
    Object.entries(base).map(([name, value]) => {
      const pair = /^light-dark\((#\w+), (#\w+)\)$/.exec(value);
      return [name, pair?.[index + 1] ?? value];
    }),
  );
const themes: Record<string, Record<string, string | undefined>> = {
  light: side(0),
  dark: side(1),
  grey: { ...side(1), ...declared(block(":root[data-theme='grey']")) },
};

function luminance(hex: string): number {
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map((at) => {
    const channel = parseInt(hex.slice(at, at + 2), 16) / 255;
    return channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(a: string, b: string): number {
  const [low = 0, high = 0] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (high + 0.05) / (low + 0.05);
}

const chrome = ['text', 'text-2', 'text-3', 'accent', 'danger', 'warning', 'success'];
const pairs: [string, string][] = [
  ...chrome.flatMap((ink): [string, string][] => [
    [ink, 'bg'],
    [ink, 'surface'],
  ]),
  ['stage-text', 'stage'],
  ['stage-text-2', 'stage'],
  ['on-accent', 'accent'],
  ['on-accent', 'accent-hover'],
];

test.each([...chrome, 'text-2', 'text-3'])('%s can be read on the middle grey', (ink) => {
  const onStage = declared(block(":root[data-theme='grey'] .stage"));
  expect(contrast(onStage[ink] ?? '', themes.grey?.stage ?? '')).toBeGreaterThanOrEqual(4.5);
});

describe.each(Object.keys(themes))('%s', (name) => {
  const theme = themes[name] ?? {};
  test.each(pairs)('%s can be read on %s', (ink, ground) => {
    expect(contrast(theme[ink] ?? '', theme[ground] ?? '')).toBeGreaterThanOrEqual(4.5);
  });

  test('grounds and inks have no hue', () => {
    for (const token of ['bg', 'stage', 'surface', 'text', 'text-2', 'text-3', 'stage-text']) {
      expect(theme[token], token).toMatch(/^#(..)\1\1$/);
    }
  });
});
