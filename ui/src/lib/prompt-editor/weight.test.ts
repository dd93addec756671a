import { describe, expect, test } from 'vitest';
import { scan } from './scan';
import { adjustWeight } from './weight';

/** `a |b|` has b selected, `a b^` has a cursor: text and selection in one string. */
function read(marked: string) {
  const from = marked.search(/[‹^]/);
  const plain = marked.replace(/[‹›^]/g, '');
  const end = marked.indexOf('›');
  return { text: plain, selection: { from, to: end < 0 ? from : end - 1 } };
}

function apply(marked: string, by: number, times = 1): string {
  let { text, selection } = read(marked);
  for (let i = 0; i < times; i += 1) {
    const change = adjustWeight(text, selection, by);
    if (!change) return 'nothing';
    text = text.slice(0, change.from) + change.insert + text.slice(change.to);
    selection = change.selection;
  }
  const { from, to } = selection;
  return `${text.slice(0, from)}‹${text.slice(from, to)}›${text.slice(to)}`;
}

describe('weights', () => {
  test.each([
    // the word at the cursor
    ['a red fo^x, blue', 0.1, 'a red (‹fox›:1.1), blue'],
    ['a red fox^', -0.1, 'a red (‹fox›:0.9)'],
    ['一只红^狐狸，紫色背景', 0.1, '(‹一只红狐狸›:1.1)，紫色背景'],
    // the selection, without its outer spaces
    ['a‹ red fox ›runs', 0.1, 'a (‹red fox›:1.1) runs'],
    // brackets with a weight, from anywhere inside
    ['a (red f^ox:1.3), b', 0.1, 'a (‹red fox›:1.4), b'],
    ['a (red fox:1.^3), b', -0.1, 'a (‹red fox›:1.2), b'],
    ['(x^:1.95)', 0.05, '(‹x›:2.0)'],
    ['(x^: .5 )', 0.1, '(‹x›:0.6)'],
    // to 1 and through it
    ['(fo^x:1.1)', -0.1, '‹fox›'],
    ['‹fox›', -0.1, '(‹fox›:0.9)'],
    // brackets without one
    ['(fo^x)', 0.1, '(‹fox›:1.2)'],
    ['((fo^x))', 0.1, '(‹fox›:1.3)'],
    ['(((fo^x)))', 0.1, '(‹fox›:1.4)'],
    ['((fo^x))', 0.05, '(‹fox›:1.25)'],
    ['[fo^x]', 0.1, '‹fox›'],
    ['[[fo^x]]', -0.1, '(‹fox›:0.7)'],
    // nested with other things beside
    ['((a:1.2) b^)', 0.1, '(‹(a:1.2) b›:1.2)'],
    ['((a^:1.2) b)', 0.1, '((‹a›:1.3) b)'],
    ['(a (b^))', 0.1, '(a (‹b›:1.2))'],
    // a selection that is exactly one bracket
    ['‹(fox:1.2)› b', 0.1, '(‹fox›:1.3) b'],
    ['(‹fox›:1.2) b', 0.1, '(‹fox›:1.3) b'],
    ['‹(a:1.2), b›', 0.1, '(‹(a:1.2), b›:1.1)'],
    // schedules keep their shape
    ['[ca^t:dog:0.5]', 0.1, '[(‹cat›:1.1):dog:0.5]'],
    ['[cat|do^g]', 0.1, '[cat|(‹dog›:1.1)]'],
    // networks
    ['<lora:in^k:0.8> x', 0.1, '<‹lora:ink›:0.9> x'],
    ['<lora:in^k:0.9>', 0.1, '<‹lora:ink›:1.0>'],
    ['<lora:in^k>', -0.1, '<‹lora:ink›:0.9>'],
    ['<lora:in^k:te=0.5>', 0.1, 'nothing'],
    // escapes and comments
    ['fo^x \\(red\\)', 0.1, '(‹fox›:1.1) \\(red\\)'],
    ['a # no^te', 0.1, 'nothing'],
    ['a, ^, b', 0.1, 'nothing'],
  ])('%s %d', (marked, by, wanted) => expect(apply(marked, by)).toBe(wanted));

  test('leave no dust and come back', () => {
    expect(apply('fo^x', 0.1, 7)).toBe('(‹fox›:1.7)');
    expect(apply('fo^x', -0.1, 10)).toBe('(‹fox›:0.0)');
  });
});

describe('shape', () => {
  test('weights multiply inwards', () => {
    const { groups } = scan('a (((house:1.3)) [on] a (hill:0.5), sun, (((sky))).)');
    const weights = groups.map((group) => Number(group.weight.toFixed(4)));
    expect(weights).toEqual([1.1, 1.21, 1.573, 1, 0.55, 1.21, 1.331, 1.4641]);
  });

  test('knows keywords, networks, comments and what has no partner', () => {
    const kinds = (text: string, negative = false) =>
      scan(text, negative).tokens.map(({ kind, from, to }) => [kind, text.slice(from, to)]);
    expect(kinds('a AND b BREAK c # d')).toEqual([
      ['keyword', 'AND'],
      ['keyword', 'BREAK'],
      ['comment', '# d'],
    ]);
    expect(kinds('SAND (BREAK) ANDx')).toEqual([
      ['bracket', '('],
      ['bracket', ')'],
    ]);
    expect(kinds('<lora:a:1> AND', true)).toEqual([]);
    expect(kinds('(a] \\(b')).toEqual([
      ['stray', '('],
      ['stray', ']'],
      ['escape', '\\('],
    ]);
    expect(scan('[a:b:0.5] [a|b] [a] <lora:x:1>').groups.map((group) => group.kind)).toEqual([
      'schedule',
      'alternate',
      'weaken',
      'network',
    ]);
  });
});
