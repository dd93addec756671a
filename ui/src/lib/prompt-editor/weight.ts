import { scan, type Group } from './scan';

/** A change of text, and the selection after it. */
export interface WeightChange {
  from: number;
  to: number;
  insert: string;
  selection: { from: number; to: number };
}

/** What ends a word: A1111's delimiters and their full-width kin, so that a Chinese phrase is one word. */
const DELIMITERS = new Set('.,\\/!?%^*;:{}=`~()[]<>|# \t\r\n，。、；：！？（）【】《》｜　');

/**
 * Makes what is selected, or the brackets or the word at the cursor, weigh more or less, by A1111's rule: brackets
 * without a weight (`((x))`, `[x]`) become one bracket with theirs written out, a weight of 1 takes the brackets away,
 * and `<lora:x:0.8>` counts its multiplier. Null when there is nothing to weigh.
 */
export function adjustWeight(
  text: string,
  selection: { from: number; to: number },
  by: number,
): WeightChange | null {
  const { groups, tokens } = scan(text);
  const inside = (at: number) =>
    tokens.some((token) => token.kind === 'comment' && token.from < at && at <= token.to);
  if (inside(selection.from)) return null;

  let { from, to } = selection;
  while (from < to && isSpace(text[from])) from += 1;
  while (from < to && isSpace(text[to - 1])) to -= 1;

  const group = from === to ? groupAt(groups, from) : groupOf(groups, from, to);
  if (group?.kind === 'network') return changeNetwork(text, group, by);
  if (group) return changeGroup(text, group, by);
  if (from === to) {
    while (from > 0 && !DELIMITERS.has(text[from - 1] as string)) from -= 1;
    while (to < text.length && !DELIMITERS.has(text[to] as string)) to += 1;
  }
  return from === to ? null : wrap(text, from, to, from, to, 1 + by);
}

const isSpace = (char: string | undefined) => char !== undefined && /\s/.test(char);
const weighs = (group: Group) =>
  group.kind === 'emphasis' || group.kind === 'weaken' || group.kind === 'network';

/** The innermost brackets around the cursor; a schedule is none that weighs, its words are weighed one by one. */
function groupAt(groups: Group[], at: number): Group | null {
  const inner = groups.findLast((group) => group.from < at && at < group.to);
  return inner && weighs(inner) ? inner : null;
}

/** The brackets whose content, or whose whole, is what is selected. */
function groupOf(groups: Group[], from: number, to: number): Group | null {
  const found = groups.findLast(
    (group) =>
      (group.contentFrom === from && group.contentTo === to) ||
      (group.from === from && group.to === to),
  );
  return found && weighs(found) ? found : null;
}

function changeGroup(text: string, group: Group, by: number): WeightChange {
  let outer = group;
  let weight = group.written ?? 1;
  if (group.written === null) {
    const factor = group.kind === 'weaken' ? 1 / 1.1 : 1.1;
    weight = factor;
    // (((x))) is one weight written three times.
    for (let next = outer.parent; next && isShell(next, outer, group); next = outer.parent) {
      outer = next;
      weight *= factor;
    }
    const precision = Math.abs(by);
    weight = Math.round(weight / precision) * precision;
  }
  return wrap(text, group.contentFrom, group.contentTo, outer.from, outer.to, weight + by);
}

const isShell = (next: Group, outer: Group, group: Group) =>
  next.kind === group.kind &&
  next.written === null &&
  next.contentFrom === outer.from &&
  next.contentTo === outer.to;

function changeNetwork(text: string, group: Group, by: number): WeightChange | null {
  const content = text.slice(group.contentFrom, group.contentTo);
  // A name alone means 1; named multipliers (te=0.5) are the user's own affair.
  if (group.written === null && content.split(':').length !== 2) return null;
  const insert = `:${written((group.written ?? 1) + by)}`;
  return {
    from: group.contentTo,
    to: group.to - 1,
    insert,
    selection: { from: group.contentFrom, to: group.contentTo },
  };
}

function wrap(
  text: string,
  contentFrom: number,
  contentTo: number,
  from: number,
  to: number,
  weight: number,
): WeightChange {
  const content = text.slice(contentFrom, contentTo);
  const value = clean(weight);
  const insert = value === 1 ? content : `(${content}:${written(value)})`;
  const start = from + (value === 1 ? 0 : 1);
  return { from, to, insert, selection: { from: start, to: start + content.length } };
}

/** Sums of 0.1 leave dust behind. */
const clean = (weight: number) => Number(weight.toPrecision(12));

function written(weight: number): string {
  const value = clean(weight);
  return Number.isInteger(value) ? `${value}.0` : String(value);
}
