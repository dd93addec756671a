import type { Allowed, Hello, Queue } from '$lib/api';
import { notify } from '$lib/components';
import { onSignal } from './events.svelte';
import { adoptLook } from './preferences.svelte';
import { query, type Query } from './query.svelte';
import { describeProblem } from './showError';

let hello = $state.raw<Query<Hello>>();
let queue = $state.raw<Query<Queue>>();

/** What every view may want to know. */
export const studio = {
  /** Version, settings, library, problems; undefined until the backend has answered. */
  get hello(): Hello | undefined {
    return hello?.data;
  },
  get settings(): Hello['settings'] | undefined {
    return hello?.data?.settings;
  },
  /** What this door may do; nothing, until it has said so. */
  get allowed(): Allowed {
    return hello?.data?.allowed ?? { choose_folders: false, reveal: false };
  },
  get queue(): Queue | undefined {
    return queue?.data;
  },
  /** Pictures that wait or are being made. */
  get pending(): number {
    return queue?.data ? queue.data.waiting_total + queue.data.running.length : 0;
  },
};

/**
 * Every picture that is made or judged is news, and so is every turn of the queue; of `hello` they change no more than
 * the library's totals, and what holds the queue up.
 */
const TOTALS_PAUSE = 3000;

/** App.svelte calls this once, while it sets up. */
export function followStudio(): void {
  const asked = query('hello', () => ({}), ['settings', 'library', 'models'], {
    topics: ['pictures', 'queue'],
    pause: TOTALS_PAUSE,
  });
  hello = asked;
  queue = query('get_queue', () => ({}), ['queue']);
  $effect(() => {
    if (asked.data) adoptLook(asked.data.settings);
  });
  $effect(() =>
    onSignal((signal) => {
      if (signal.kind !== 'notice') return;
      notify({ tone: 'warning', ...describeProblem(signal), id: signal.code });
    }),
  );
}
