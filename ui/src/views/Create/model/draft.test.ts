import { describe, expect, test } from 'vitest';
import type { Draft, Model } from '$lib/api';
import { applyDraft, buildSubmit, buildVariations, modelOf } from './draft';
import { adopt, effectiveTuning, initialForm } from './form.svelte';
import { parseSeed, shapeOf, sizeForPicture, sizeOfShape } from './size';

const model = (id: string, defaults: Draft, more: Partial<Model> = {}): Model => ({
  id,
  name: id,
  path: id,
  kind: '',
  family: 'sd1',
  task: 'text_to_image',
  layout: 'folder',
  bytes: 1,
  usable: true,
  defaults,
  is_default: false,
  pictures: 0,
  ...more,
});
const starter = model(
  'starter',
  {
    width: 256,
    height: 256,
    sampler: 'DDIM',
    schedule: 'Trailing',
    steps: 20,
    guidance_scale: 1.75,
  },
  { is_default: true },
);
const dream = model('dream', { width: 512, height: 512 }, { hash: 'abcdef0123', name: 'Dream' });
const words = { prompt: 'a fox', negative: 'blur' };
const limits = { step: 8, min: 64, max: 2048 };
const native = { width: 512, height: 512 };

describe('request', () => {
  test('says what the form shows, and leaves the rest open', () => {
    expect(buildSubmit(initialForm(), starter, words, null)).toEqual({
      draft: {
        prompt: 'a fox',
        negative_prompt: 'blur',
        width: 256,
        height: 256,
        steps: 20,
        guidance_scale: 1.75,
        sampler: 'DDIM',
        schedule: 'Trailing',
      },
      count: 1,
      model: 'starter',
      tags: [],
      priority: 0,
    });
  });

  test('carries seed, variation and what was changed under Advanced', () => {
    const form = {
      ...initialForm(),
      seed: ' 18446744073709551615 ',
      seedLocked: true,
      variationStrength: 0.2,
      variationSeed: '7',
      emphasis: 'comfy_ui' as const,
      noiseSource: 'nv' as const,
      precision: 'fp32' as const,
      tuning: { starter: { clip_skip: 2, eta: 0, steps: 31 } },
    };
    const { draft } = buildSubmit(form, starter, words, null);
    expect(draft).toMatchObject({
      seed: '18446744073709551615',
      variation_strength: 0.2,
      variation_seed: '7',
      emphasis: 'comfy_ui',
      noise_source: 'nv',
      precision: 'fp32',
      clip_skip: 2,
      eta: 0,
      steps: 31,
    });
    expect(draft).not.toHaveProperty('guidance_rescale');
  });

  test('keeps what a recipe does after drawing, until another is taken over', () => {
    const postprocess = [{ crop: { x: 8, y: 0, width: 120, height: 128 } }];
    const cropped = applyDraft(initialForm(), { width: 256, postprocess }, 'all', [starter]);
    expect(buildSubmit(cropped, starter, words, null).draft.postprocess).toEqual(postprocess);
    // An extended canvas is another picture.
    const start = {
      sha256: 'a',
      kind: 'outpaint' as const,
      mask: 'b',
      size: { width: 384, height: 256 },
    };
    expect(buildSubmit(cropped, starter, words, start).draft).not.toHaveProperty('postprocess');
    expect(applyDraft(cropped, { steps: 9 }, 'settings', [starter]).postprocess).toEqual([]);
    expect(applyDraft(cropped, { seed: '9' }, 'seed', [starter]).postprocess).toEqual(postprocess);
  });

  test('an unlocked or impossible seed is left to the backend', () => {
    const form = { ...initialForm(), seed: '5' };
    expect(buildSubmit(form, starter, words, null).draft).not.toHaveProperty('seed');
    const bad = { ...form, seed: 'five', seedLocked: true };
    expect(buildSubmit(bad, starter, words, null).draft).not.toHaveProperty('seed');
  });

  test('image to image names the picture and where it comes from', () => {
    const submit = buildSubmit(initialForm(), starter, words, {
      sha256: 'aa',
      kind: 'img2img',
      picture: 'p1',
    });
    expect(submit.draft).toMatchObject({ init_picture: 'aa', strength: 0.6, resize_mode: 'crop' });
    expect(submit.draft).not.toHaveProperty('mask_picture');
    expect(submit.parent).toEqual({ picture: 'p1', derivation: 'img2img' });
  });

  test('inpaint carries its mask and how it is used', () => {
    const form = { ...initialForm(), maskedOnly: true, maskPadding: 48, maskInvert: true };
    const { draft } = buildSubmit(form, starter, words, {
      sha256: 'aa',
      kind: 'inpaint',
      mask: 'mm',
    });
    expect(draft).toMatchObject({
      mask_picture: 'mm',
      mask_blur: 4,
      mask_fill: 'original',
      mask_area: { only_masked: { padding: 48 } },
      mask_invert: true,
    });
  });

  test('outpaint draws on the larger canvas, with its mask as it is', () => {
    const form = { ...initialForm(), maskedOnly: true, maskInvert: true };
    const { draft } = buildSubmit(form, starter, words, {
      sha256: 'aa',
      kind: 'outpaint',
      mask: 'mm',
      size: { width: 384, height: 256 },
    });
    expect(draft).toMatchObject({ width: 384, height: 256, mask_area: 'whole_picture' });
    expect(draft).not.toHaveProperty('mask_invert');
  });

  test('variations keep the seed and derive from the picture', () => {
    const submit = buildVariations({ seed: '9', variation_seed: '1' }, 'p1', 0.15, 4);
    expect(submit.draft).toEqual({ seed: '9', variation_strength: 0.15 });
    expect(submit.parent).toEqual({ picture: 'p1', derivation: 'variation' });
    expect(submit.count).toBe(4);
  });
});

describe('taking settings over', () => {
  const models = [starter, dream];
  const draft: Draft = {
    model: { name: 'Dream', hash: 'abcdef' },
    prompt: { text: 'resolved', template: '{a|b}' },
    negative_prompt: 'bad',
    width: 512,
    height: 768,
    steps: 30,
    seed: '42',
    mask_area: { only_masked: { padding: 8 } },
  };

  test('all of it', () => {
    const next = applyDraft({ ...initialForm(), styles: ['x'] }, draft, 'all', models);
    expect(next).toMatchObject({
      prompt: '{a|b}',
      negative: 'bad',
      styles: [],
      model: 'dream',
      seed: '42',
      seedLocked: true,
      maskedOnly: true,
      maskPadding: 8,
    });
    // 512 is what the model does by itself.
    expect(next.tuning.dream).toEqual({ height: 768, steps: 30 });
  });

  test('only a part', () => {
    const form = { ...initialForm(), prompt: 'mine', seed: '1', seedLocked: true };
    expect(applyDraft(form, draft, 'seed', models)).toEqual({ ...form, seed: '42' });
    expect(applyDraft(form, draft, 'prompt', models)).toMatchObject({ prompt: '{a|b}', seed: '1' });
    expect(applyDraft(form, draft, 'settings', models)).toMatchObject({
      prompt: 'mine',
      seed: '1',
    });
  });

  test('a model is known by its content before its name', () => {
    expect(modelOf({ model: { name: 'starter', hash: 'abcd' } }, models)).toBe(dream);
    expect(modelOf({ model: { name: 'starter', hash: 'ffff' } }, models)).toBe(starter);
    expect(modelOf({ model: { name: 'gone' } }, models)).toBeUndefined();
  });

  test('there and back gives the same request', () => {
    const form = {
      ...initialForm(),
      prompt: 'a fox',
      negative: 'blur',
      seed: '3',
      seedLocked: true,
    };
    const submit = buildSubmit({ ...form, model: 'dream' }, dream, words, null);
    const back = applyDraft(
      initialForm(),
      { ...submit.draft, model: { name: 'Dream' } },
      'all',
      models,
    );
    expect(buildSubmit(back, dream, words, null)).toEqual(submit);
  });
});

describe('form', () => {
  test('keeps each model’s own way', () => {
    const form = { ...initialForm(), tuning: { dream: { steps: 40 } } };
    expect(effectiveTuning(form, dream).steps).toBe(40);
    expect(effectiveTuning(form, starter).steps).toBe(20);
    expect(effectiveTuning(form, undefined)).toMatchObject({ width: 512, sampler: 'DPM++ 2M' });
  });

  test('a damaged store is taken where it fits', () => {
    const kept = { prompt: 5, negative: 'x', styles: 'no', count: 4, model: 'dream' };
    expect(adopt(initialForm(), kept)).toMatchObject({
      prompt: '',
      negative: 'x',
      styles: [],
      count: 4,
      model: 'dream',
    });
    expect(adopt(initialForm(), null)).toEqual(initialForm());
  });
});

describe('size', () => {
  test('shapes keep the native area, in whole steps', () => {
    for (const ratio of [1, 2 / 3, 3 / 2, 9 / 16, 16 / 9]) {
      const { width, height } = sizeOfShape(ratio, native, limits);
      expect(width % 8).toBe(0);
      expect(height % 8).toBe(0);
      expect((width * height) / (512 * 512)).toBeCloseTo(1, 1);
    }
    expect(shapeOf({ width: 512, height: 512 }, native, limits)).toBe('square');
    expect(shapeOf({ width: 512, height: 520 }, native, limits)).toBeNull();
  });

  test('a picture keeps its size if the model can take it, else its shape', () => {
    expect(sizeForPicture({ width: 513, height: 700 }, native, limits)).toEqual({
      width: 512,
      height: 704,
    });
    const large = sizeForPicture({ width: 4000, height: 3000 }, native, limits);
    expect(large).toEqual({ width: 592, height: 440 });
  });

  test.each([
    ['42', '42'],
    ['１ 000', '1000'],
    ['18446744073709551616', null],
    ['-1', null],
    ['', null],
  ])('seed %j is %j', (typed, seed) => expect(parseSeed(typed)).toBe(seed));
});
