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
import { makeWorld } from './world';

const wanted = new URLSearchParams(location.search);
const count = Number(wanted.get('count') ?? 400);
const settings = {
  ...hello.settings,
  theme: (wanted.get('theme') ?? 'dark') as Theme,
  language: (wanted.get('language') ?? 'en') as Language,
};
const world = makeWorld(count);
const waiting = (request: object) => new Promise((done) => setTimeout(done, 4, request));

const fake = fakePlatform({
  hello: () => ({
    ...hello,
    settings,
    library: { folder: 'Pictures/Tarim', pictures: count, trashed: 0, requests: count },
  }),
  get_queue: () => queue,
  change_settings: (change: object) => ({ ...settings, ...change }),
  ...world.handlers,
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
