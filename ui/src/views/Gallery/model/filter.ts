// Filters are words of the query: what the chips show is read from the text, and what they set is written into it.
// So a filter can be typed, linked to, and undone like any text, and there is only one truth.

/** The chips, in the bar's order. */
export const chips = ['rating', 'flag', 'date', 'model', 'tag', 'project', 'made'] as const;
export type Chip = (typeof chips)[number];

export const flags = ['pick', 'reject', 'unflagged'] as const;
export const origins = [
  'variation',
  'img2img',
  'inpaint',
  'outpaint',
  'upscale',
  'crop',
  'rerun',
  'foreign',
] as const;

/** Two chips share the key `is`; they are told apart by its values. */
const shared: Partial<Record<Chip, readonly string[]>> = { flag: flags, made: origins };
const keyOf = (chip: Chip): string => (shared[chip] ? 'is' : chip);

interface Word {
  from: number;
  to: number;
  negative: boolean;
  key: string;
  value: string;
}

const WORD = /(-?)(?:([\p{L}\p{N}_]+)[:：])?(?:"([^"]*)"?|(\S+))/gu;

function words(query: string): Word[] {
  return [...query.matchAll(WORD)].map((match) => ({
    from: match.index,
    to: match.index + match[0].length,
    negative: match[1] === '-',
    key: (match[2] ?? '').toLowerCase(),
    value: match[3] ?? match[4] ?? '',
  }));
}

const quoted = (value: string): string =>
  /[\s"]/.test(value) ? `"${value.replaceAll('"', '')}"` : value;

const belongs = (word: Word, chip: Chip): boolean =>
  !word.negative &&
  word.key === keyOf(chip) &&
  (shared[chip]?.includes(word.value.toLowerCase()) ?? true);

/** The values that a chip has in a query. */
export const valuesOf = (query: string, chip: Chip): string[] =>
  words(query)
    .filter((word) => belongs(word, chip))
    .map((word) => word.value);

/** The query with a chip set to these values; none takes it out. */
export function withValues(query: string, chip: Chip, values: readonly string[]): string {
  let rest = '';
  let end = 0;
  for (const word of words(query)) {
    if (!belongs(word, chip)) continue;
    rest += query.slice(end, word.from);
    end = word.to;
  }
  rest += query.slice(end);
  const added = values.map((value) => `${keyOf(chip)}:${quoted(value)}`);
  return [rest.replace(/\s+/g, ' ').trim(), ...added].filter(Boolean).join(' ');
}
