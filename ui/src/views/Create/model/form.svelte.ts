import type {
  Draft,
  Emphasis,
  MaskFill,
  Model,
  NoiseSource,
  Postprocess,
  Precision,
  ResizeMode,
  SamplerChoice,
} from '$lib/api';

/** What belongs to a model: each keeps how one likes it. What is absent follows the model's own defaults. */
export interface Tuning {
  width?: number;
  height?: number;
  steps?: number;
  guidance_scale?: number;
  sampler?: string;
  schedule?: string;
  clip_skip?: number;
  guidance_rescale?: number;
  eta?: number;
}

/** Everything that one can set in Create, as it is typed and kept between sessions. */
export interface Form {
  prompt: string;
  negative: string;
  /** Names of styles; they stay separate until the pictures are asked for. */
  styles: string[];
  /** A model's id; the default model when absent. */
  model?: string;
  tuning: Record<string, Tuning>;
  seed: string;
  /** Whether `seed` holds; else every request draws its own. */
  seedLocked: boolean;
  count: number;
  variationSeed: string;
  variationStrength: number;
  noiseSource?: NoiseSource;
  emphasis?: Emphasis;
  precision?: Precision;
  strength: number;
  resizeMode: ResizeMode;
  imageGuidance: number;
  maskBlur: number;
  maskFill: MaskFill;
  maskedOnly: boolean;
  maskPadding: number;
  maskInvert: boolean;
  /** What is done to the drawn picture: the crops and sizes of a recipe that was taken over. */
  postprocess: Postprocess[];
}

export const initialForm = (): Form => ({
  prompt: '',
  negative: '',
  styles: [],
  tuning: {},
  seed: '',
  seedLocked: false,
  count: 1,
  variationSeed: '',
  variationStrength: 0,
  strength: 0.6,
  resizeMode: 'crop',
  imageGuidance: 1.5,
  maskBlur: 4,
  maskFill: 'original',
  maskedOnly: false,
  maskPadding: 32,
  maskInvert: false,
  postprocess: [],
});

/** How the view is laid out; kept like the form, and no part of a recipe. */
export interface Layout {
  column: boolean;
  negative: boolean;
  advanced: boolean;
}

const KEY = 'tarim.create';

/** Takes from kept values what is of the right kind; an older or damaged store must not break the view. */
export function adopt<T extends object>(base: T, kept: unknown): T {
  if (typeof kept !== 'object' || kept === null) return base;
  const out = { ...base } as Record<string, unknown>;
  for (const [key, value] of Object.entries(kept)) {
    const now = out[key];
    if (
      now === undefined ||
      (typeof now === typeof value && Array.isArray(now) === Array.isArray(value))
    ) {
      out[key] = value;
    }
  }
  return out as T;
}

function read(): { form: Form; layout: Layout } {
  let kept: { form?: unknown; layout?: unknown } = {};
  try {
    kept = (JSON.parse(localStorage.getItem(KEY) ?? '{}') ?? {}) as typeof kept;
  } catch {
    // Storage may be barred, or hold anything at all.
  }
  return {
    form: adopt(initialForm(), kept.form),
    layout: adopt({ column: true, negative: false, advanced: false }, kept.layout),
  };
}

const kept = read();
export const form = $state<Form>(kept.form);
export const layout = $state<Layout>(kept.layout);

/** Keeps the form in the storage while the view lives. Call it while a component sets up. */
export function keepForm(): void {
  $effect(() => {
    const text = JSON.stringify({ form, layout });
    const timer = setTimeout(() => write(text), 250);
    return () => {
      clearTimeout(timer);
      write(text);
    };
  });
}

function write(text: string): void {
  try {
    localStorage.setItem(KEY, text);
  } catch {
    // Without storage the values last as long as the page.
  }
}

/** A copy to go back to. */
export const snapshotForm = (): Form => $state.snapshot(form) as Form;

export function restoreForm(to: Form): void {
  const gone = Object.keys(form).filter((key) => !(key in to));
  Object.assign(form, Object.fromEntries(gone.map((key) => [key, undefined])), to);
}

/** Everything back to how a model comes, except the words and the model itself. */
export function resetSettings(): void {
  const { prompt, negative, model } = form;
  restoreForm({ ...initialForm(), prompt, negative, ...(model ? { model } : {}) });
}

/** What holds where neither the user nor the model says anything. */
const FALLBACK = {
  width: 512,
  height: 512,
  steps: 20,
  guidance_scale: 7,
  sampler: 'DPM++ 2M',
  schedule: 'Automatic',
  clip_skip: 1,
  guidance_rescale: 0,
  eta: 0,
} as const satisfies Required<Tuning>;

/** What holds for a model now: the user's values over the model's own. */
export function effectiveTuning(of: Form, model: Model | undefined): Required<Tuning> {
  const defaults = pick(model?.defaults ?? {});
  return { ...FALLBACK, ...defaults, ...pick(of.tuning[model?.id ?? ''] ?? {}) };
}

function pick(from: Draft | Tuning): Tuning {
  const out: Record<string, unknown> = {};
  for (const key of Object.keys(FALLBACK) as (keyof Tuning)[]) {
    if (from[key] !== undefined && from[key] !== null) out[key] = from[key];
  }
  return out as Tuning;
}

/** Sets what belongs to the model; a value of undefined goes back to the model's own. */
export function tune(modelId: string, change: Tuning): void {
  form.tuning[modelId] = pick({ ...form.tuning[modelId], ...change });
}

/** The schedule that `Automatic` stands for, to be told beside it. */
export const automaticSchedule = (samplers: SamplerChoice[], sampler: string): string | undefined =>
  samplers.find((choice) => choice.name === sampler)?.automatic_schedule;
