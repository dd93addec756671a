// The shape of a prompt, as far as an editor needs it: what brackets belong together, what weighs what. The backend
// reads prompts for real (`describe_prompt`); this runs on every key and only paints. A tokenizer that walks forward
// would not do, because the weight of `(x:1.3)` stands at its end.

export type GroupKind = 'emphasis' | 'weaken' | 'schedule' | 'alternate' | 'network';

/** Brackets that belong together. Positions are UTF-16 offsets. */
export interface Group {
  kind: GroupKind;
  from: number;
  to: number;
  /** What is weighed: without the brackets, and without a weight at the end. */
  contentFrom: number;
  contentTo: number;
  /** The weight that is written, where one is. */
  written: number | null;
  /** What the content weighs with everything around it. */
  weight: number;
  parent: Group | null;
}

export type TokenKind =
  'bracket' | 'number' | 'separator' | 'keyword' | 'network' | 'comment' | 'escape' | 'stray';

export interface Token {
  kind: TokenKind;
  from: number;
  to: number;
}

export interface Scan {
  /** Closed brackets, outer ones before inner ones. */
  groups: Group[];
  /** By place. */
  tokens: Token[];
}

interface Frame {
  char: '(' | '[';
  at: number;
  bars: number[];
  colons: number[];
}

const WEIGHT = /:\s*([+-]?(?:\d+\.?\d*|\.\d+))\s*$/;
const NUMBER = /^\s*[+-]?(?:\d+\.?\d*|\.\d+)\s*$/;
const NETWORK = /<(\w+):([^>\n]*)>/y;
const WORD = /[\p{L}\p{N}_]/u;

/** Reads a prompt's shape. Never fails: what does not fit is text. */
export function scan(text: string, negative = false): Scan {
  const groups: Group[] = [];
  const tokens: Token[] = [];
  const stack: Frame[] = [];
  const token = (kind: TokenKind, from: number, to = from + 1) => tokens.push({ kind, from, to });

  function close(at: number, char: '(' | '[') {
    const index = stack.findLastIndex((frame) => frame.char === char);
    if (index < 0) return token('stray', at);
    // What stands between was never closed.
    for (const frame of stack.splice(index + 1)) token('stray', frame.at);
    const frame = stack.pop() as Frame;
    const group = groupOf(text, frame, at);
    token('bracket', frame.at);
    token('bracket', at);
    if (group.kind === 'emphasis' && group.written !== null) token('number', group.contentTo, at);
    if (group.kind === 'alternate') frame.bars.forEach((bar) => token('separator', bar));
    if (group.kind === 'schedule') {
      const colons = frame.colons.slice(-2);
      colons.forEach((colon) => token('separator', colon));
      token('number', (colons.at(-1) ?? at) + 1, at);
    }
    groups.push(group);
  }

  for (let at = 0; at < text.length; at += 1) {
    const char = text[at] as string;
    const top = stack.at(-1);
    if (char === '#') {
      const end = text.indexOf('\n', at);
      token('comment', at, end < 0 ? text.length : end);
      at = end < 0 ? text.length : end;
    } else if (char === '\\' && at + 1 < text.length) {
      token('escape', at, at + 2);
      at += 1;
    } else if (char === '<') {
      NETWORK.lastIndex = at;
      const found = NETWORK.exec(text);
      if (!found || negative) continue;
      groups.push(networkAt(at, found));
      token('network', at, at + found[0].length);
      at += found[0].length - 1;
    } else if (char === '(' || char === '[') stack.push({ char, at, bars: [], colons: [] });
    else if (char === ')') close(at, '(');
    else if (char === ']') close(at, '[');
    else if (char === '|') top?.bars.push(at);
    else if (char === ':') top?.colons.push(at);
    else if (char === 'A' || char === 'B') {
      const word = char === 'A' ? 'AND' : 'BREAK';
      if (!text.startsWith(word, at) || (word === 'AND' && negative)) continue;
      if (WORD.test(text[at - 1] ?? ' ') || WORD.test(text[at + word.length] ?? ' ')) continue;
      if (word === 'AND' || stack.length === 0) token('keyword', at, at + word.length);
      at += word.length - 1;
    }
  }
  for (const frame of stack) token('stray', frame.at);

  groups.sort((a, b) => a.from - b.from || b.to - a.to);
  weigh(groups);
  tokens.sort((a, b) => a.from - b.from);
  return { groups, tokens };
}

function groupOf(text: string, { char, at, bars, colons }: Frame, end: number): Group {
  const base = { from: at, to: end + 1, contentFrom: at + 1, contentTo: end, parent: null };
  if (char === '(') {
    const found = WEIGHT.exec(text.slice(at + 1, end));
    const written = found ? Number(found[1]) : null;
    const contentTo = found ? at + 1 + found.index : end;
    return { ...base, kind: 'emphasis', contentTo, written, weight: written ?? 1.1 };
  }
  if (bars.length) return { ...base, kind: 'alternate', written: null, weight: 1 };
  const last = colons.at(-1);
  if (last !== undefined && NUMBER.test(text.slice(last + 1, end))) {
    return { ...base, kind: 'schedule', written: null, weight: 1 };
  }
  return { ...base, kind: 'weaken', written: null, weight: 1 / 1.1 };
}

function networkAt(at: number, [whole, , args = '']: RegExpExecArray): Group {
  const colon = args.lastIndexOf(':');
  const written = colon >= 0 && NUMBER.test(args.slice(colon + 1)) ? args.slice(colon + 1) : null;
  const to = at + whole.length;
  return {
    kind: 'network',
    from: at,
    to,
    contentFrom: at + 1,
    contentTo: to - 1 - (written === null ? 0 : written.length + 1),
    written: written === null ? null : Number(written),
    weight: 1,
    parent: null,
  };
}

/** Weights multiply inwards. The groups come outer ones first. */
function weigh(groups: Group[]): void {
  const around: Group[] = [];
  for (const group of groups) {
    while (around.length && (around.at(-1) as Group).to <= group.from) around.pop();
    group.parent = around.at(-1) ?? null;
    if (group.parent && group.kind !== 'network') group.weight *= group.parent.weight;
    around.push(group);
  }
}
