export { bytes, date, dateTime, duration, number, percent, relative } from './format';
export { hasText, language, languages, setLanguage, systemLanguage, t } from './i18n.svelte';
export type { Key, Language } from './i18n.svelte';
