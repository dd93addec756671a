import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

const root = join(import.meta.dirname, '../src');
const locales = join(root, 'lib/i18n/locales');
const languages = ['en', 'zh-Hans', 'zh-Hant'];

type Tree = { [key: string]: string | Tree };
const load = (language: string, file: string): Tree =>
  JSON.parse(readFileSync(join(locales, language, file), 'utf8')) as Tree;

function flat(tree: Tree, prefix = ''): Map<string, string> {
  const out = new Map<string, string>();
  for (const [key, value] of Object.entries(tree)) {
    if (typeof value === 'string') out.set(prefix + key, value);
    else flat(value, `${prefix}${key}.`).forEach((text, path) => out.set(path, text));
  }
  return out;
}

/** A language's plural forms differ from English's; what they have in common is the bare key. */
const bare = (key: string) => key.replace(/_(zero|one|two|few|many|other)$/, '');
const slots = (text: string) => [...text.matchAll(/{{\s*(\w+)/g)].map((m) => m[1]).sort();
const files = readdirSync(join(locales, 'en'));

describe.each(files)('%s', (file) => {
  const english = flat(load('en', file));

  test.each(languages.slice(1))('has every key in %s, and no other', (language) => {
    const keys = new Set([...flat(load(language, file)).keys()].map(bare));
    expect([...keys].sort()).toEqual([...new Set([...english.keys()].map(bare))].sort());
  });

  test.each(languages)('fills the same slots in %s, and leaves nothing empty', (language) => {
    const wanted = new Map([...english].map(([key, text]) => [bare(key), slots(text)]));
    for (const [key, text] of flat(load(language, file))) {
      expect(text.trim(), key).not.toBe('');
      expect(slots(text), key).toEqual(wanted.get(bare(key)));
    }
  });

  test.each(languages)('has every plural form that %s needs', (language) => {
    const keys = flat(load(language, file));
    const forms = new Intl.PluralRules(language).resolvedOptions().pluralCategories;
    for (const key of keys.keys()) {
      if (bare(key) === key) continue;
      for (const form of forms) expect([...keys.keys()]).toContain(`${bare(key)}_${form}`);
    }
  });
});

test('every text is used', () => {
  const sources = readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((path) => /\.(svelte|ts)$/.test(path) && !path.includes('generated'))
    .map((path) => readFileSync(join(root, path), 'utf8'))
    .join('\n');
  const literal = new Set([...sources.matchAll(/['"`](\w+:[\w.]+)['"`]/g)].map((m) => m[1]));
  // t(`errors:code.${code}`) uses everything that begins so.
  const begun = [...sources.matchAll(/`(\w+:[\w.]+)\$\{/g)].map((m) => m[1] ?? '');

  const unused = files.flatMap((file) => {
    const namespace = file.replace('.json', '');
    return [...flat(load('en', file)).keys()]
      .map((key) => `${namespace}:${bare(key)}`)
      .filter((key) => !literal.has(key) && !begun.some((prefix) => key.startsWith(prefix)));
  });
  expect(unused).toEqual([]);
});
