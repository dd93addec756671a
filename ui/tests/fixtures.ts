import type { Hello, Queue } from '$lib/api';
import { fakePlatform } from '$lib/platform/fake';
import { usePlatform, type Capabilities } from '$lib/platform';

export const hello: Hello = {
  version: '0.1.0',
  settings: {
    language: 'en',
    theme: 'dark',
    library_folder: 'Pictures/Tarim',
    name_template: '[date]/[counter]-[prompt_words]',
    model_folders: [],
    device: 'auto',
    more_devices: [],
    pictures_at_once: 0,
    release_after_minutes: 10,
    preview_every: 1,
    on_close: 'ask',
    welcomed: true,
  },
  library: { folder: 'Pictures/Tarim', pictures: 0, trashed: 0, requests: 0 },
  first_run: false,
  problems: [],
  allowed: { choose_folders: false, reveal: false },
};

export const queue: Queue = {
  paused: false,
  stop_after_current: false,
  running: [],
  waiting: [],
  waiting_total: 0,
  failed: [],
  failed_total: 0,
};

/** A backend for a component test: these answers, and what the test adds. */
export function useFake(
  handlers: Record<string, (request: never) => unknown> = {},
  capabilities?: Partial<Capabilities>,
) {
  const fake = fakePlatform(
    {
      hello: () => hello,
      get_queue: () => queue,
      layout_pictures: () => ({ keys: [], aspects: [], days: [], remarks: [] }),
      list_collections: () => ({ collections: [] }),
      change_settings: (change: object) => ({ ...hello.settings, ...change }),
      ...handlers,
    },
    capabilities,
  );
  usePlatform(fake);
  return fake;
}
