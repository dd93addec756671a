import { afterEach, describe, expect, test } from 'vitest';
import type { Remark } from '$lib/api';
import { setLanguage } from '$lib/i18n';
import { diagnosticsOf, remarkAt, remarkText, suggestionOf } from './diagnostics';

const remark = (from: number, to: number, more: Partial<Remark> = {}): Remark => ({
  from,
  to,
  code: 'unclosed_bracket',
  severity: 'warning',
  message: 'in English',
  ...more,
});

afterEach(() => setLanguage('en'));

describe('remarks', () => {
  test('speak the user’s language, and English where a code is new', () => {
    const english = remarkText(remark(0, 1));
    setLanguage('zh-Hans');
    const chinese = remarkText(remark(0, 1));
    expect(chinese).toMatch(/括号/);
    expect(chinese).not.toBe(english);
    expect(remarkText(remark(0, 1, { code: 'from_the_future' }))).toBe('in English');
  });

  test('offer what may have been meant, once', () => {
    const wide = remark(1, 2, { code: 'full_width_punctuation' });
    expect(suggestionOf(wide, 'a（b')).toBe('(');
    expect(suggestionOf(remark(0, 1, { code: 'full_width_punctuation' }), '】')).toBe(']');
    expect(suggestionOf(remark(0, 1), '(')).toBeUndefined();
    expect(suggestionOf(remark(0, 1, { suggestion: '' }), '(')).toBe('');
    expect(diagnosticsOf([wide], 'a（b')[0]?.actions).toHaveLength(1);
    expect(diagnosticsOf([remark(0, 1)], '(')[0]?.actions).toBeUndefined();
  });

  test('stay inside the text, are never empty, and come in order', () => {
    const found = diagnosticsOf(
      [remark(9, 9), remark(2, 2, { severity: 'hint' }), remark(-3, 99)],
      '龙a(bc',
    );
    expect(found.map(({ from, to, severity }) => [from, to, severity])).toEqual([
      [0, 5, 'warning'],
      [2, 3, 'hint'],
      [4, 5, 'warning'],
    ]);
    expect(diagnosticsOf([remark(0, 3)], '')).toMatchObject([{ from: 0, to: 0 }]);
  });

  test('offsets are UTF-16: a character beyond the basic plane is two', () => {
    const text = '🦊 (x';
    const [found] = diagnosticsOf([remark(3, 5)], text);
    expect(text.slice(found?.from, found?.to)).toBe('(x');
  });

  test('the narrowest at the cursor is told', () => {
    const wide = remark(0, 10);
    const narrow = remark(3, 5, { code: 'x' });
    expect(remarkAt([wide, narrow], 4)).toBe(narrow);
    expect(remarkAt([wide, narrow], 8)).toBe(wide);
    expect(remarkAt([wide], 11)).toBeNull();
  });
});
