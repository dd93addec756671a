import i18next, { type Resource } from 'i18next';
import type common from './locales/en/common.json';
import type create from './locales/en/create.json';
import type errors from './locales/en/errors.json';
import type gallery from './locales/en/gallery.json';
import type history from './locales/en/history.json';
import type models from './locales/en/models.json';
import type queue from './locales/en/queue.json';
import type sets from './locales/en/sets.json';
import type settings from './locales/en/settings.json';
import type welcome from './locales/en/welcome.json';

/** English is the source: its files give the keys their types. */
interface Catalogue {
  common: typeof common;
  create: typeof create;
  errors: typeof errors;
  gallery: typeof gallery;
  history: typeof history;
  models: typeof models;
  queue: typeof queue;
  sets: typeof sets;
  settings: typeof settings;
  welcome: typeof welcome;
}

type Plural<K extends string> = K extends `${infer Base}_${'one' | 'other'}` ? Base : K;
type Paths<T> = {
  [K in keyof T & string]: T[K] extends string ? Plural<K> : `${K}.${Paths<T[K]>}`;
}[keyof T & string];

/** `namespace:path.to.text`. */
export type Key = { [N in keyof Catalogue]: `${N}:${Paths<Catalogue[N]>}` }[keyof Catalogue];

/** Each language under its own name. */
export const languages = {
  en: 'English',
  'zh-Hans': '简体中文',
  'zh-Hant': '繁體中文',
} as const;
export type Language = keyof typeof languages;

const files = import.meta.glob<Record<string, unknown>>('./locales/*/*.json', {
  eager: true,
  import: 'default',
});
const resources: Record<string, Record<string, Record<string, unknown>>> = {};
for (const [path, texts] of Object.entries(files)) {
  const [, lang, namespace] = /locales\/([^/]+)\/([^/]+)\.json$/.exec(path) ?? [];
  if (lang && namespace) (resources[lang] ??= {})[namespace] = texts;
}

/** A window in the POSIX locale reports the language "C", which is no language tag. */
function readLocale(tag: string): Intl.Locale | null {
  try {
    return new Intl.Locale(tag).maximize();
  } catch {
    return null;
  }
}

/** The best of our languages for what the system asks for. */
export function systemLanguage(wanted: readonly string[] = navigator.languages): Language {
  for (const tag of wanted) {
    const locale = readLocale(tag);
    if (locale?.language === 'zh') return locale.script === 'Hant' ? 'zh-Hant' : 'zh-Hans';
    if (locale?.language === 'en') return 'en';
  }
  return 'en';
}

const current = $state<{ language: Language }>({ language: 'en' });

void i18next.init({
  lng: 'en',
  fallbackLng: 'en',
  resources: resources as Resource,
  initAsync: false,
  interpolation: { escapeValue: false }, // Svelte escapes what it renders.
});

/** The language in use; reading it in a component follows changes. */
export const language = (): Language => current.language;

export function setLanguage(next: Language): void {
  void i18next.changeLanguage(next);
  current.language = next;
  if (typeof document !== 'undefined') {
    document.documentElement.lang = next;
    document.documentElement.dir = i18next.dir(next);
  }
}

/** The text for a key, with `{{name}}` filled in; `count` picks the plural. Reactive. */
export function t(key: Key, values: Record<string, string | number> = {}): string {
  return i18next.t(key, { ...values, lng: current.language }) as string;
}

/** Whether there are words for a key that is made of a code: a newer backend may send codes that we do not know. */
export const hasText = (key: string): key is Key => i18next.exists(key, { lng: current.language });
