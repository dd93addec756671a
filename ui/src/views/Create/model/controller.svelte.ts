import { getContext, setContext } from 'svelte';
import type { Draft, FoundRecipe, Model, Parent, Preset, Submit } from '$lib/api';
import { notify } from '$lib/components';
import { t } from '$lib/i18n';
import { command, query, showError, studio, takeHandoff } from '$lib/state';
import { applyDraft, buildSubmit, modelOf, type Parts } from './draft';
import {
  effectiveTuning,
  form,
  layout,
  restoreForm,
  snapshotForm,
  tune,
  type Tuning,
} from './form.svelte';
import { place } from './session';
import { sizeForPicture, sizeOfShape, type Size, type SizeLimits } from './size';
import {
  maskOfDraft,
  sourceOfDraft,
  starting,
  upload,
  type Source,
  type Tool,
} from './source.svelte';

const KEY = Symbol('create');

/** A picture that came in and whose recipe can be restored: the user says what it is meant for. */
export interface Arrival {
  source: Source;
  found: FoundRecipe;
  url: string;
}

/** Joins the form, the backend's lists and what can be done. Made once by Create.svelte. */
export class Controller {
  readonly models = query('list_models', () => ({}), ['models']);
  readonly choices = query('get_choices', () => ({}), []);
  readonly styles = query('list_styles', () => ({}), ['settings']);
  readonly presets = query('list_presets', () => ({}), ['settings']);

  readonly usable = $derived((this.models.data?.models ?? []).filter((model) => model.usable));
  readonly model: Model | undefined = $derived(
    this.usable.find((model) => model.id === form.model) ??
      this.usable.find((model) => model.is_default) ??
      this.usable[0],
  );
  readonly tuning = $derived(effectiveTuning(form, this.model));
  readonly own: Tuning = $derived(form.tuning[this.model?.id ?? ''] ?? {});
  readonly native: Size = $derived({
    width: this.model?.defaults.width ?? 512,
    height: this.model?.defaults.height ?? 512,
  });
  readonly limits: SizeLimits = $derived({
    step: this.choices.data?.size_step ?? 8,
    min: this.choices.data?.size_min ?? 64,
    max: this.choices.data?.size_max ?? 2048,
  });

  /** From the press of the button until the request is in the strip. */
  preparing = $state(false);
  arrival = $state.raw<Arrival | null>(null);

  #asked = $state.raw({ prompt: form.prompt, negative: form.negative });
  readonly read = query('describe_prompt', () => this.#describe(this.#asked.prompt, false), [
    'models',
  ]);
  readonly readNegative = query(
    'describe_prompt',
    () => (this.#asked.negative ? this.#describe(this.#asked.negative, true) : null),
    ['models'],
  );
  /** What the next request derives from, as another view said. */
  #parent: Parent | null = null;
  #estimated = $state.raw<Submit | null>(null);
  readonly estimate = query(
    'estimate',
    () => (this.#estimated ? { submit: this.#estimated } : null),
    [],
  );

  constructor() {
    setContext(KEY, this);
    $effect(() => {
      const next = { prompt: form.prompt, negative: form.negative };
      const timer = setTimeout(() => (this.#asked = next), 200);
      return () => clearTimeout(timer);
    });
    $effect(() => {
      const submit = form.count > 1 ? this.#plain() : null;
      const timer = setTimeout(() => (this.#estimated = submit), 300);
      return () => clearTimeout(timer);
    });
    $effect(() => {
      const handed = takeHandoff();
      if (!handed) return;
      this.apply(handed.draft, handed.parts, { quiet: true });
      this.#parent = handed.draft.init_picture ? null : (handed.parent ?? null);
      if (handed.parts === 'prompt' || handed.parts === 'seed') return;
      this.startAsDraft(handed.draft, handed.parts, handed.tool, handed.parent?.picture).catch(
        (thrown: unknown) => showError(thrown),
      );
    });
  }

  #describe(text: string, negative: boolean) {
    const { emphasis = 'original' } = form;
    const model = this.model ? { model: this.model.id } : {};
    return { text, negative, steps: this.tuning.steps, emphasis, ...model };
  }

  /** The request without what would have to be uploaded first: enough to be estimated. */
  #plain(): Submit {
    return buildSubmit(form, this.model, { prompt: form.prompt, negative: form.negative }, null);
  }

  /** What the model does anyway is not held on to. */
  tune(change: Tuning): void {
    const { model } = this;
    if (!model) return;
    // Steps that follow were made for the size that was drawn.
    if (change.width !== undefined || change.height !== undefined) form.postprocess = [];
    const defaults = model.defaults as Tuning;
    const kept = Object.entries(change).map(([key, value]) => [
      key,
      value === defaults[key as keyof Tuning] ? undefined : value,
    ]);
    tune(model.id, Object.fromEntries(kept) as Tuning);
  }

  /** Asks for pictures. */
  async create(): Promise<void> {
    if (this.preparing) return;
    this.preparing = true;
    try {
      const { prompt, negative } = form;
      const styled = form.styles.length
        ? await command('apply_styles', {
            prompt,
            negative_prompt: negative,
            styles: [...form.styles],
          })
        : { prompt, negative_prompt: negative };
      const start = await starting.startingPoint();
      const words = { prompt: styled.prompt, negative: styled.negative_prompt };
      const submit = buildSubmit(form, this.model, words, start);
      if (!submit.parent && this.#parent) submit.parent = this.#parent;
      this.#parent = null;
      starting.editing = false;
      void place(submit);
    } catch (thrown) {
      showError(thrown, () => void this.create());
    } finally {
      this.preparing = false;
    }
  }

  /** Takes over settings, and offers the way back. */
  apply(draft: Draft, parts: Parts, { quiet = false } = {}): void {
    const before = snapshotForm();
    const models = this.models.data?.models ?? [];
    restoreForm(applyDraft(before, draft, parts, models));
    // What acts on the picture must not be out of sight.
    if (form.negative && (parts === 'all' || parts === 'prompt')) layout.negative = true;
    if (quiet) return;
    const missing = parts !== 'prompt' && draft.model && !modelOf(draft, models);
    notify({
      id: 'create:applied',
      title: t(`create:applied.${parts}`),
      text: missing
        ? t('create:applied.model_missing', { model: draft.model?.name ?? '' })
        : undefined,
      tone: missing ? 'warning' : 'info',
      action: { label: t('create:action.undo'), run: () => restoreForm(before) },
    });
  }

  /** A preset sets what it names. Built-in sizes keep their shape and take the model's own area. */
  usePreset(preset: Preset): void {
    const draft = { ...preset.draft };
    if (preset.built_in && draft.width && draft.height) {
      Object.assign(draft, sizeOfShape(draft.width / draft.height, this.native, this.limits));
    }
    this.apply(draft, 'all');
  }

  /** Puts the chosen styles into the text, for good (or until undo). */
  async mergeStyles(): Promise<void> {
    const before = snapshotForm();
    try {
      const merged = await command('apply_styles', {
        prompt: before.prompt,
        negative_prompt: before.negative,
        styles: before.styles,
      });
      form.prompt = merged.prompt;
      form.negative = merged.negative_prompt;
      form.styles = [];
    } catch (thrown) {
      showError(thrown);
    }
  }

  startFrom(source: Source, tool: Tool, parts: Parts | 'none' = 'none'): void {
    starting.begin(source, tool);
    if (parts === 'all' || parts === 'settings') return;
    // A new beginning takes the picture's shape; restored settings have brought their own.
    this.tune(sizeForPicture(source, this.native, this.limits));
    if (tool !== 'img2img' && form.strength < 0.7) form.strength = 0.8;
  }

  /** Starts from what a draft started from, with its mask if it had one. */
  async startAsDraft(draft: Draft, parts: Parts, tool?: Tool, picture?: string): Promise<void> {
    const source = await sourceOfDraft(draft, picture);
    if (!source) return;
    const mask = draft.mask_picture;
    if (!mask) return this.startFrom(source, tool ?? 'img2img', parts);
    starting.beginWithMask(source, await maskOfDraft(mask, source), mask);
  }

  /** A file that was dropped, pasted or chosen. */
  async receive(file: Blob, name: string): Promise<void> {
    try {
      const source = await upload(file, name);
      const found = await command('read_input', { sha256: source.sha256 });
      if (found.draft) {
        this.arrival = { source, found, url: URL.createObjectURL(file) };
      } else {
        this.startFrom(source, 'img2img');
        // Such as a recipe that was there and could not be read.
        for (const warning of found.warnings) notify({ title: warning, tone: 'warning' });
      }
    } catch (thrown) {
      showError(thrown);
    }
  }

  /** Text that was pasted: true when it is an infotext and was taken as such. */
  receiveText(text: string): boolean {
    if (!/\bSteps: \d+/.test(text) && !/^\s*\{[^]*"prompt"/.test(text)) return false;
    command('read_infotext', { text })
      .then((found) => {
        if (found.draft) this.apply(found.draft, 'all');
        else form.prompt += text;
        for (const warning of found.warnings) notify({ title: warning, tone: 'warning' });
      })
      .catch((thrown: unknown) => showError(thrown));
    return true;
  }

  get previews(): boolean {
    return (studio.settings?.preview_every ?? 1) > 0;
  }
}

export const useController = (): Controller => getContext(KEY);
