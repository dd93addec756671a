import { diffArrays } from 'diff';
import type { Draft } from '$lib/api';

/** A piece of a text beside another one. */
export interface Piece {
  text: string;
  side: 'both' | 'before' | 'after';
}

/** Words, spaces and punctuation; Chinese by the dictionary that the browser has. */
function words(text: string): string[] {
  const segmenter = new Intl.Segmenter(undefined, { granularity: 'word' });
  return [...segmenter.segment(text)].map(({ segment }) => segment);
}

/** What was taken out of a prompt and what was put in, word by word. */
export function wordDiff(before: string, after: string): Piece[] {
  return diffArrays(words(before), words(after)).map((change) => ({
    text: change.value.join(''),
    side: change.added ? 'after' : change.removed ? 'before' : 'both',
  }));
}

export interface Change {
  /** The draft's field. */
  field: keyof Draft;
  before: string;
  after: string;
}

const PROMPTS = new Set<keyof Draft>(['prompt', 'negative_prompt']);

/** A setting as one would write it. */
export function plain(value: unknown): string {
  if (value === undefined || value === null) return '';
  if (typeof value === 'object') {
    return 'name' in value ? String(value.name) : JSON.stringify(value);
  }
  return String(value);
}

/** The settings, other than prompts, in which two drafts differ, by name. */
export function settingsDiff(before: Draft, after: Draft): Change[] {
  const fields = new Set([...Object.keys(before), ...Object.keys(after)]) as Set<keyof Draft>;
  return [...fields]
    .filter((field) => !PROMPTS.has(field))
    .map((field) => ({ field, before: plain(before[field]), after: plain(after[field]) }))
    .filter((change) => change.before !== change.after)
    .sort((a, b) => a.field.localeCompare(b.field));
}
