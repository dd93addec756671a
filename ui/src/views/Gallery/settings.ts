import type { Draft } from '$lib/api';
import { number, t, type Key } from '$lib/i18n';
import { stepsText } from '$lib/postprocess';

export interface Row {
  label: Key;
  value: string;
  /** Copied as it is rather than as shown. */
  mono?: boolean;
}

const short = (hash: string): string => hash.slice(0, 10);

/** Every setting of a draft in the words of the trade, what matters most first; what is open is left out. */
export function settingsOf(draft: Draft): Row[] {
  const rows: Row[] = [];
  const add = (label: Key, value: string | number | undefined | null, mono = false) => {
    if (value === undefined || value === null || value === '') return;
    rows.push({ label, value: typeof value === 'number' ? number(value) : value, mono });
  };
  const { model, width, height, mask_area: area } = draft;

  add('gallery:recipe.model', model?.name);
  add('gallery:recipe.hash', model?.hash ? short(model.hash) : null, true);
  if (width && height) add('gallery:recipe.size', `${width} × ${height}`);
  add('gallery:recipe.sampler', draft.sampler);
  add('gallery:recipe.schedule', draft.schedule);
  add('gallery:recipe.steps', draft.steps);
  add('gallery:recipe.guidance', draft.guidance_scale);
  add('gallery:recipe.rescale', draft.guidance_rescale || null);
  add('gallery:recipe.seed', draft.seed, true);
  add('gallery:recipe.variationSeed', draft.variation_strength ? draft.variation_seed : null, true);
  add('gallery:recipe.variationStrength', draft.variation_strength || null);
  add('gallery:recipe.clipSkip', draft.clip_skip);
  add('gallery:recipe.eta', draft.eta || null);
  if (draft.init_picture) {
    add('gallery:recipe.init', short(draft.init_picture), true);
    add('gallery:recipe.strength', draft.strength);
    add('gallery:recipe.resize', draft.resize_mode && t(`gallery:resize.${draft.resize_mode}`));
    add('gallery:recipe.imageGuidance', draft.image_guidance_scale);
  }
  if (draft.mask_picture) {
    add('gallery:recipe.mask', short(draft.mask_picture), true);
    add('gallery:recipe.maskBlur', draft.mask_blur);
    add('gallery:recipe.maskFill', draft.mask_fill && t(`gallery:maskFill.${draft.mask_fill}`));
    if (area === 'whole_picture') add('gallery:recipe.maskArea', t('gallery:maskArea.whole'));
    else if (area) {
      const { padding } = area.only_masked;
      add('gallery:recipe.maskArea', t('gallery:maskArea.only', { padding }));
    }
    if (draft.mask_invert) add('gallery:recipe.maskInvert', t('gallery:recipe.yes'));
  }
  if (draft.postprocess?.length) {
    add('gallery:recipe.postprocess', stepsText(draft.postprocess));
  }
  add('gallery:recipe.noise', draft.noise_source?.toUpperCase());
  add('gallery:recipe.emphasis', draft.emphasis && t(`gallery:emphasis.${draft.emphasis}`));
  add('gallery:recipe.precision', draft.precision);
  return rows;
}

/** A prompt's text, and the template it came from where there was one. */
export function promptOf(prompt: Draft['prompt']): { text: string; template: string | null } {
  if (prompt === undefined) return { text: '', template: null };
  return typeof prompt === 'string' ? { text: prompt, template: null } : prompt;
}
