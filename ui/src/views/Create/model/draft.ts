import type { Derivation, Draft, Model, Parent, Submit } from '$lib/api';
import { effectiveTuning, type Form, type Tuning } from './form.svelte';
import { parseSeed } from './size';

/** The picture that is started from, as it goes into a request. */
export interface StartingPoint {
  sha256: string;
  kind: 'img2img' | 'inpaint' | 'outpaint';
  /** The mask's upload. */
  mask?: string;
  /** The canvas that outpainting made; else the form's size holds. */
  size?: { width: number; height: number };
  /** The picture of the library that it is. */
  picture?: string;
}

export interface Prompts {
  prompt: string;
  negative: string;
}

/** What the form asks for. `prompts` are the form's with the styles put in. */
export function buildSubmit(
  form: Form,
  model: Model | undefined,
  prompts: Prompts,
  start: StartingPoint | null,
): Submit {
  const tuning = effectiveTuning(form, model);
  const own = form.tuning[model?.id ?? ''] ?? {};
  const draft: Draft = {
    prompt: prompts.prompt,
    negative_prompt: prompts.negative,
    width: start?.size?.width ?? tuning.width,
    height: start?.size?.height ?? tuning.height,
    steps: tuning.steps,
    guidance_scale: tuning.guidance_scale,
    sampler: tuning.sampler,
    schedule: tuning.schedule,
  };
  // What is seldom touched stays open, so that the backend's own defaults hold.
  for (const key of ['clip_skip', 'guidance_rescale', 'eta'] as const) {
    if (own[key] !== undefined) draft[key] = own[key];
  }
  const seed = form.seedLocked ? parseSeed(form.seed) : null;
  if (seed !== null) draft.seed = seed;
  if (form.variationStrength > 0) {
    draft.variation_strength = form.variationStrength;
    const variation = parseSeed(form.variationSeed);
    if (variation !== null) draft.variation_seed = variation;
  }
  if (form.noiseSource) draft.noise_source = form.noiseSource;
  if (form.emphasis) draft.emphasis = form.emphasis;
  if (form.precision) draft.precision = form.precision;
  // An extended canvas has another size than the one that the steps were made for.
  if (form.postprocess.length > 0 && !start?.size) draft.postprocess = [...form.postprocess];
  if (start) addStart(draft, form, model, start);

  const submit: Submit = { draft, count: form.count, tags: [], priority: 0 };
  if (model) submit.model = model.id;
  if (start?.picture) submit.parent = { picture: start.picture, derivation: start.kind };
  return submit;
}

function addStart(draft: Draft, form: Form, model: Model | undefined, start: StartingPoint): void {
  draft.init_picture = start.sha256;
  draft.strength = form.strength;
  draft.resize_mode = form.resizeMode;
  if (model?.task === 'instruct_pix2pix') draft.image_guidance_scale = form.imageGuidance;
  if (!start.mask) return;
  draft.mask_picture = start.mask;
  draft.mask_blur = form.maskBlur;
  draft.mask_fill = form.maskFill;
  draft.mask_area =
    form.maskedOnly && start.kind === 'inpaint'
      ? { only_masked: { padding: form.maskPadding } }
      : 'whole_picture';
  // Outpainting's mask is the backend's own and right as it is.
  if (form.maskInvert && start.kind === 'inpaint') draft.mask_invert = true;
}

/** The same again, a little different: the noise of the picture's seed is mixed with other noise. */
export function buildVariations(
  of: Draft,
  picture: string,
  strength: number,
  count: number,
): Submit {
  const draft: Draft = { ...of, variation_strength: strength };
  delete draft.variation_seed;
  const parent: Parent = { picture, derivation: 'variation' satisfies Derivation };
  return { draft, count, tags: [], parent, priority: 0 };
}

export type Parts = 'all' | 'prompt' | 'settings' | 'seed';

/** The model a draft means: by its content where that is known, else by its name. */
export function modelOf(draft: Draft, models: readonly Model[]): Model | undefined {
  const wanted = draft.model;
  if (!wanted) return undefined;
  const hash = wanted.hash;
  return (
    (hash ? models.find((model) => model.hash?.startsWith(hash)) : undefined) ??
    models.find((model) => model.name === wanted.name)
  );
}

const text = (prompt: Draft['prompt']): string =>
  typeof prompt === 'string' ? prompt : (prompt?.template ?? prompt?.text ?? '');

/** The form with what a draft says put in; what the draft leaves open stays. */
export function applyDraft(form: Form, draft: Draft, parts: Parts, models: readonly Model[]): Form {
  const next: Form = { ...form, tuning: { ...form.tuning } };
  if (parts === 'all' || parts === 'prompt') {
    if (draft.prompt !== undefined) {
      next.prompt = text(draft.prompt);
      // Whatever styles there were are in the text now.
      next.styles = [];
    }
    if (draft.negative_prompt !== undefined) next.negative = text(draft.negative_prompt);
  }
  if ((parts === 'all' || parts === 'seed') && draft.seed !== undefined) {
    next.seed = draft.seed;
    next.seedLocked = true;
  }
  if (parts === 'all' || parts === 'settings') {
    applySettings(next, draft, models);
  }
  return next;
}

function applySettings(next: Form, draft: Draft, models: readonly Model[]): void {
  const model = modelOf(draft, models);
  if (model) next.model = model.id;
  const id = next.model ?? models.find((candidate) => candidate.is_default)?.id ?? '';
  const tuning: Tuning = {};
  const defaults = (models.find((candidate) => candidate.id === id)?.defaults ?? {}) as Draft;
  for (const key of TUNED) {
    const value = draft[key];
    if (value === undefined) continue;
    // What the model does anyway need not be held on to.
    Object.assign(tuning, { [key]: value === defaults[key] ? undefined : value });
  }
  next.tuning[id] = defined({ ...next.tuning[id], ...tuning });
  next.variationStrength = draft.variation_strength ?? 0;
  next.variationSeed = draft.variation_seed ?? '';
  next.postprocess = draft.postprocess ?? [];
  if (draft.noise_source) next.noiseSource = draft.noise_source;
  if (draft.emphasis) next.emphasis = draft.emphasis;
  if (draft.precision) next.precision = draft.precision;
  if (draft.strength !== undefined) next.strength = draft.strength;
  if (draft.resize_mode) next.resizeMode = draft.resize_mode;
  if (draft.image_guidance_scale !== undefined) next.imageGuidance = draft.image_guidance_scale;
  if (draft.mask_blur !== undefined) next.maskBlur = draft.mask_blur;
  if (draft.mask_fill) next.maskFill = draft.mask_fill;
  if (draft.mask_invert !== undefined) next.maskInvert = draft.mask_invert;
  if (draft.mask_area) {
    next.maskedOnly = draft.mask_area !== 'whole_picture';
    if (draft.mask_area !== 'whole_picture') {
      next.maskPadding = draft.mask_area.only_masked.padding;
    }
  }
}

const defined = (tuning: Tuning): Tuning =>
  Object.fromEntries(Object.entries(tuning).filter(([, value]) => value !== undefined));

const TUNED = [
  'width',
  'height',
  'steps',
  'guidance_scale',
  'sampler',
  'schedule',
  'clip_skip',
  'guidance_rescale',
  'eta',
] as const;
