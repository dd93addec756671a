// The whole UI on a library in memory, to be measured and looked at in a browser:
// stage.html?count=100000&theme=dark&language=zh-Hans#/gallery
import '@fontsource-variable/inter/wght.css';
import '$lib/design/tokens.css';
import '$lib/design/base.css';
import '$lib/design/controls.css';
import '$lib/design/overlays.css';
import { mount } from 'svelte';
import type { Language, Theme } from '$lib/api';
import { usePlatform } from '$lib/platform';
import { fakePlatform } from '$lib/platform/fake';
import App from '../../src/App.svelte';
import { hello, queue } from '../fixtures';
import { batchOf, makeSets } from '../sets/world';
import { makeWorld } from './world';

const wanted = new URLSearchParams(location.search);
const count = Number(wanted.get('count') ?? 400);
const settings = {
  ...hello.settings,
  theme: (wanted.get('theme') ?? 'dark') as Theme,
  language: (wanted.get('language') ?? 'en') as Language,
};
const world = makeWorld(count);

/** `sets=empty`, `busy`, `failing`, or none of these: a set with a mistake, planned and not run. */
function fillSets() {
  const made = makeSets();
  const which = wanted.get('sets');
  if (which === 'empty') return made;
  const bodies = ['a crown', 'sunglasses', 'an astronaut helmet', 'a beanie'];
  made.make({
    name: 'Desert avatars',
    columns: ['prompt', 'negative_prompt', 'steps', 'seed', 'count', 'tags', 'client'],
    rows: Array.from({ length: 240 }, (_, i) => [
      i % 7 === 2
        ? 'avatar of a {blue|golden} fox with {a crown|sunglasses}, smiling, teal background'
        : `avatar of a ${i % 2 ? 'pink bear' : 'silver robot'} with ${bodies[i % 4]}, ${i % 3 ? '山水，云海' : 'black hoodie'}`,
      i % 5 ? '' : 'blurry, text',
      i === 4 ? 'twenty' : '20',
      String(1000 + i),
      '1',
      'avatar',
      'A. Client',
    ]),
  });
  made.make({
    name: 'Guidance against steps',
    kind: 'grid',
    axes: [
      { field: 'guidance_scale', values: '4, 7, 10' },
      { field: 'steps', values: '10, 20' },
    ],
  });
  made.make({ name: '参赛变体', rows: [['赛博楼兰，沙漠', '', '']] });
  const states = {
    busy: { per_minute: 2.4, seconds_left: 500 },
    failing: {
      done: 36,
      failed: 4,
      waiting: 0,
      running: 0,
      state: 'finished' as const,
      started: 1,
      ended: 900_000,
    },
  };
  if (which === 'busy' || which === 'failing') {
    const error = {
      code: 'out_of_memory' as const,
      message: 'the picture needs 9.2 GB, and 6 GB are free',
      hint: 'make it smaller, or draw fewer at once',
    };
    made.batches.push({
      batch: batchOf({ name: 'Desert avatars', ...states[which] }),
      failures: which === 'busy' ? [] : [{ error, count: 4, rows: [3, 4, 9], job: 'job-1' }],
    });
    made.batches.push({
      batch: batchOf({
        id: 'batch-2',
        set: 'set-2',
        kind: 'grid',
        name: 'Guidance against steps',
        done: 5,
      }),
      failures: [],
    });
  }
  const { list_batches } = made.handlers;
  return {
    ...made,
    handlers: {
      ...made.handlers,
      list_batches: ({ set }: { set?: string }) => ({
        batches: (list_batches?.({} as never) as { batches: { set?: string }[] }).batches.filter(
          (batch) => set === undefined || batch.set === set,
        ),
      }),
    },
  };
}
const sets = fillSets();
const waiting = (request: object) => new Promise((done) => setTimeout(done, 4, request));

const fake = fakePlatform({
  hello: () => ({
    ...hello,
    settings,
    library: { folder: 'Pictures/Tarim', pictures: count, trashed: 0, requests: count },
  }),
  get_queue: () => queue,
  list_workers: () => ({ workers: [] }),
  change_settings: (change: object) => ({ ...settings, ...change }),
  ...world.handlers,
  ...sets.handlers,
  list_models: () => ({ models: [], folders: [], scanning: false }),
  get_choices: () => ({
    samplers: [{ name: 'DPM++ 2M', automatic_schedule: 'Karras' }],
    schedules: ['Automatic', 'Karras'],
    size_step: 8,
    size_min: 64,
    size_max: 2048,
    steps_max: 150,
  }),
});
const { rpc } = fake;
usePlatform({
  ...fake,
  // A backend answers neither at once nor with the objects one sent.
  rpc: async (name, request, options) => {
    await waiting({});
    options?.signal?.throwIfAborted();
    return structuredClone(await rpc(name, request, options));
  },
  // Nor does its line come up while one asks for it.
  subscribe(listener) {
    let stop = () => {};
    setTimeout(() => (stop = fake.subscribe(listener)));
    return () => stop();
  },
  resourceUrl: (kind, id) => `/pictures/${kind}/${id}.webp`,
});
Object.assign(window, { world, fake });
const target = document.getElementById('app');
if (target) mount(App, { target });
