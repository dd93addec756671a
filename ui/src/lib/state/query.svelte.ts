import { untrack } from 'svelte';
import type { Topic } from '$lib/api';
import { isAbort, platform, StudioError } from '$lib/platform';
import type { CommandName, Request, Response } from '$lib/platform';
import { onStale } from './events.svelte';

/** An answer of the backend, kept fresh. */
export interface Query<T> {
  /** The last good answer; stays while a newer one is fetched, and after an error. */
  readonly data: T | undefined;
  readonly error: StudioError | null;
  /** True until the first answer: time for a skeleton. */
  readonly loading: boolean;
  /** True whenever a request is under way. */
  readonly fetching: boolean;
  refetch(): Promise<void>;
}

const cache = new Map<string, unknown>();
const CACHE_SIZE = 200;

function remember(key: string, value: unknown): void {
  cache.delete(key);
  cache.set(key, value);
  const oldest = cache.keys().next();
  if (cache.size > CACHE_SIZE && !oldest.done) cache.delete(oldest.value);
}

/** Forgets all answers: between tests, and when another library is opened. */
export const clearCache = (): void => cache.clear();

/**
 * Asks a command while the component lives. Call it at the top of a component or a controller made
 * there: `const page = query('pictures', () => ({ filter }), ['library'])`.
 *
 * `request` is a function so that it is asked again when what it reads changes; return null to hold back.
 * An event about one of `topics` asks again too; one about a topic of `seldom`, whose news are many, does so at most
 * once in its `pause`. The last answer to the same request shows at once.
 */
export function query<K extends CommandName>(
  name: K,
  request: () => Request<K> | null,
  topics: readonly Topic[],
  seldom?: { topics: readonly Topic[]; pause: number },
): Query<Response<K>> {
  let now = $state.raw<{ data?: Response<K>; error: StudioError | null; fetching: boolean }>({
    error: null,
    fetching: false,
  });
  let running: AbortController | null = null;

  async function fetch(asked: Request<K>): Promise<void> {
    running?.abort();
    const mine = (running = new AbortController());
    const key = `${name} ${JSON.stringify(asked)}`;
    const kept = cache.get(key) as Response<K> | undefined;
    now = { data: kept ?? now.data, error: null, fetching: true };
    try {
      const data = await platform().rpc(name, asked, { signal: mine.signal });
      if (mine.signal.aborted) return;
      remember(key, data);
      now = { data, error: null, fetching: false };
    } catch (thrown) {
      if (mine.signal.aborted || isAbort(thrown)) return;
      now = { data: now.data, error: StudioError.from(thrown), fetching: false };
    }
  }

  async function refetch(): Promise<void> {
    const asked = untrack(request);
    if (asked !== null) await fetch(asked);
  }

  $effect(() => {
    const asked = request();
    if (asked !== null) untrack(() => void fetch(asked));
    return () => running?.abort();
  });
  $effect(() => onStale(topics, () => void refetch()));
  $effect(() => {
    if (!seldom) return;
    const paced = pace(refetch, seldom.pause);
    const stop = onStale(seldom.topics, paced.call);
    return () => {
      stop();
      paced.cancel();
    };
  });

  return {
    get data() {
      return now.data;
    },
    get error() {
      return now.error;
    },
    get loading() {
      return now.data === undefined && now.error === null;
    },
    get fetching() {
      return now.fetching;
    },
    refetch,
  };
}

/** The first call does its work at once; those within the pause that follows share one at its end. */
function pace(work: () => Promise<void>, pause: number) {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let last = -Infinity;
  const run = () => {
    timer = undefined;
    last = performance.now();
    void work();
  };
  return {
    call: () => {
      const wait = last + pause - performance.now();
      if (wait <= 0) run();
      else timer ??= setTimeout(run, wait);
    },
    cancel: () => clearTimeout(timer),
  };
}

/** Runs a command that changes something; fails with StudioError (hand it to showError). */
export const command = <K extends CommandName>(
  name: K,
  request: Request<K>,
): Promise<Response<K>> => platform().rpc(name, request);
