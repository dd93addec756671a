import { platform } from '$lib/platform';
import type { ResourceKind, ResourceOptions } from '$lib/platform';

/** What a set can be read from, by the file's ending. */
export const READABLE = [
  '.csv',
  '.tsv',
  '.tab',
  '.txt',
  '.xlsx',
  '.ods',
  '.json',
  '.jsonl',
  '.ndjson',
];

/** What a set is written as. */
export const FORMATS = ['csv', 'tsv', 'xlsx', 'ods', 'json', 'jsonl', 'txt'] as const;
export type Format = (typeof FORMATS)[number];

export async function toBase64(blob: Blob): Promise<string> {
  const bytes = new Uint8Array(await blob.arrayBuffer());
  // In pieces: one call with a million arguments fails.
  let text = '';
  for (let from = 0; from < bytes.length; from += 32_768) {
    text += String.fromCharCode(...bytes.subarray(from, from + 32_768));
  }
  return btoa(text);
}

/** Saves what the backend writes under a name of its own choosing. */
export async function save(
  kind: ResourceKind,
  id: string,
  options: ResourceOptions,
  name: string,
): Promise<void> {
  const answer = await fetch(platform().resourceUrl(kind, id, options));
  if (!answer.ok) {
    const text = await answer.text();
    let said: unknown = null;
    try {
      said = JSON.parse(text);
    } catch {
      // Not the backend's own words.
    }
    throw said ?? new Error(text || answer.statusText);
  }
  const url = URL.createObjectURL(await answer.blob());
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

/** A name that every file system takes. */
export const fileName = (name: string, format: string): string =>
  // eslint-disable-next-line no-control-regex
  `${name.replace(/[<>:"/\\|?*\u0000-\u001f]/g, '_').trim() || 'set'}.${format}`;
