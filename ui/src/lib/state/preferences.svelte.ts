import type { Language as WireLanguage, Settings, Theme } from '$lib/api';
import { languages, setLanguage, systemLanguage } from '$lib/i18n';
import { command } from './query.svelte';
import { showError } from './showError';

// How the window looks. Theme and language are settings of the backend, mirrored here because the first paint must
// not wait for it; text size and the rail belong to this screen alone.

export const themes: readonly Theme[] = ['system', 'light', 'dark', 'grey'];

interface Preferences {
  theme: Theme;
  language: WireLanguage;
  /** 1 is normal; from 0.85 to 1.5. */
  textScale: number;
}

const KEY = 'tarim.preferences';

function read(): Preferences {
  let kept: Partial<Preferences> = {};
  try {
    kept = JSON.parse(localStorage.getItem(KEY) ?? '{}') as Partial<Preferences>;
  } catch {
    // Storage may be barred, or hold anything at all.
  }
  return {
    theme: kept.theme && themes.includes(kept.theme) ? kept.theme : 'system',
    language: kept.language && kept.language in languages ? kept.language : 'system',
    textScale: Math.min(1.5, Math.max(0.85, Number(kept.textScale) || 1)),
  };
}

/** Reactive. Change theme and language through setLook; write textScale at will. */
export const preferences = $state<Preferences>(read());

/** Changes theme or language, here at once and in the settings. */
export function setLook(look: Partial<Pick<Preferences, 'theme' | 'language'>>): void {
  Object.assign(preferences, look);
  command('change_settings', look).catch((thrown: unknown) => showError(thrown));
}

/** Takes over what the settings say: another window may have changed them. */
export function adoptLook({ theme, language }: Settings): void {
  Object.assign(preferences, { theme, language });
}

/** Keeps the page and the storage in step. App.svelte calls this once, while it sets up. */
export function applyPreferences(): void {
  $effect.pre(() => {
    const { theme, language, textScale } = preferences;
    const root = document.documentElement;
    root.dataset.theme = theme;
    root.style.setProperty('--text-scale', String(textScale));
    setLanguage(language === 'system' ? systemLanguage() : language);
    try {
      localStorage.setItem(KEY, JSON.stringify({ theme, language, textScale }));
    } catch {
      // Without storage the choice lasts as long as the page.
    }
  });
}
