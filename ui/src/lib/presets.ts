import type { Preset } from '$lib/api';
import { hasText, t } from '$lib/i18n';

/** Built-in presets carry a key; one that is too new to be translated shows it as it is. */
export function presetName({ name, built_in }: Preset): string {
  if (!built_in) return name;
  const key = `create:preset.name.${name}`;
  return hasText(key) ? t(key) : name.replaceAll('_', ' ');
}
