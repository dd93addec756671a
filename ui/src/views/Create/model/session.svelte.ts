import { SvelteMap } from 'svelte/reactivity';
import type { JobEnd, Submit, WireError } from '$lib/api';
import { StudioError } from '$lib/platform';
import { command, jobs, onSignal } from '$lib/state';
import { Order, type Shot } from './shot.svelte';

export {
  inputUrl,
  pictureUrl,
  previewUrl,
  seedOf,
  thumbnailUrl,
  type Order,
  type Shot,
} from './shot.svelte';

class Orders {
  list = $state.raw<Order[]>([]);
  chosen = $state.raw<Shot | null>(null);
}
const orders = new Orders();
const byJob = new SvelteMap<string, Shot>();
/** Ends of jobs that we do not know yet: they can come before the answer to the request does. */
const early = new Map<string, JobEnd>();
let count = 0;
let ends: ((shot: Shot) => void) | undefined;

export const session = {
  /** Latest first. */
  get orders(): readonly Order[] {
    return orders.list;
  },
  /** What the stage shows: what was chosen, else what is in work, else the latest there is. */
  get shown(): Shot | null {
    if (orders.chosen) return orders.chosen;
    const latest = orders.list[0];
    if (!latest) return null;
    const all = orders.list.flatMap((order) => order.shots);
    return (
      all.find((shot) => shot.state === 'running') ??
      latest.shots.findLast((shot) => shot.picture && !shot.picture.trashed) ??
      cells().find((shot) => shot.order === latest) ??
      latest.shots[0] ??
      null
    );
  },
  get chosen(): Shot | null {
    return orders.chosen;
  },
  get pending(): number {
    let pending = 0;
    for (const order of orders.list) for (const shot of order.shots) if (shot.pending) pending += 1;
    return pending;
  },
};

/** Keeps this shot on the stage; null follows what is in work. */
export function choose(shot: Shot | null): void {
  orders.chosen = shot;
}

const waits = (shot: Shot) => shot.state === 'queued' || shot.state === 'sending';

/** What the strip shows one by one, latest first. A hundred that were stopped together are told by one of them. */
export const cells = (): Shot[] =>
  orders.list.flatMap((order) => {
    const stopped = order.shots.find((shot) => shot.state === 'cancelled');
    return order.shots
      .filter((shot) => !waits(shot) && !shot.picture?.trashed)
      .filter((shot) => shot.state !== 'cancelled' || shot === stopped)
      .reverse();
  });

/** What still waits its turn. */
export const waitingShots = (): Shot[] => orders.list.flatMap((order) => order.shots.filter(waits));

/** Asks for pictures; they are in the strip before the backend has answered. Throws nothing: failures are shown. */
export async function place(submit: Submit): Promise<Order> {
  count += 1;
  const order = new Order(count, submit);
  orders.list = [order, ...orders.list];
  orders.chosen = null;
  await send(order);
  return order;
}

async function send(order: Order): Promise<void> {
  try {
    const answer = await command('submit', order.submit);
    order.request = answer.request;
    order.seed = answer.seed;
    answer.jobs.forEach((id, index) => {
      const shot = order.shots[index];
      if (shot) adoptJob(shot, id);
    });
    keep();
    if (answer.warnings.length) notices.forEach((hear) => hear(answer.warnings));
  } catch (thrown) {
    const { code, message, hint } = StudioError.from(thrown);
    for (const shot of order.shots) {
      shot.state = 'failed';
      shot.error = { code: code as WireError['code'], message, ...(hint ? { hint } : {}) };
    }
  }
}

const notices = new Set<(warnings: string[]) => void>();
/** Hears what the backend remarks on a request: "what may not have been meant". */
export function onWarnings(hear: (warnings: string[]) => void): () => void {
  notices.add(hear);
  return () => notices.delete(hear);
}

function adoptJob(shot: Shot, id: string): void {
  shot.id = id;
  shot.state = jobs.running.has(id) ? 'running' : 'queued';
  byJob.set(id, shot);
  const end = early.get(id);
  early.delete(id);
  if (end) finish(shot, end);
}

/** Asks again for what failed: the same job, or the same request where it never became one. */
export async function retry(shot: Shot): Promise<void> {
  if (!shot.id) {
    for (const other of shot.order.shots) {
      other.state = 'sending';
      other.error = null;
    }
    return send(shot.order);
  }
  if (shot.state === 'cancelled') {
    await place({ ...shot.order.submit, count: 1 });
    return;
  }
  shot.state = 'queued';
  shot.error = null;
  try {
    await command('retry_jobs', { which: { jobs: [shot.id] } });
  } catch (thrown) {
    const { code, message, hint } = StudioError.from(thrown);
    finish(shot, {
      outcome: 'failed',
      error: { code: code as WireError['code'], message, ...(hint ? { hint } : {}) },
    });
  }
}

/** Stops these; what the backend says of them comes as events. */
export async function stop(shots: readonly Shot[]): Promise<void> {
  const ids = shots.filter((shot) => shot.pending && shot.id).map((shot) => shot.id);
  if (!ids.length) return;
  shots.forEach((shot) => (shot.stopping = shot.pending));
  try {
    await command('cancel_jobs', { which: { jobs: ids } });
    await reconcile();
  } catch (thrown) {
    shots.forEach((shot) => (shot.stopping = false));
    throw thrown;
  }
}

export const allPending = (): Shot[] =>
  orders.list.flatMap((order) => order.shots.filter((shot) => shot.pending));

function finish(shot: Shot, end: JobEnd): void {
  shot.stopping = false;
  if (end.outcome === 'requeued') {
    shot.state = 'queued';
    return;
  }
  if (end.outcome === 'failed') shot.error = end.error;
  if (end.outcome === 'done') void fetchPictures([shot]);
  else {
    shot.state = end.outcome;
    ends?.(shot);
  }
}

/** Takes the pictures of jobs that are said to be done. */
async function fetchPictures(shots: Shot[]): Promise<void> {
  try {
    const found = await command('find_pictures', { ids: shots.map((shot) => shot.id) });
    const pictures = new Map(found.pictures.map((picture) => [picture.id, picture]));
    for (const shot of shots) {
      const picture = pictures.get(shot.id);
      if (!picture) continue;
      shot.picture = picture;
      if (shot.state !== 'done') {
        shot.state = 'done';
        ends?.(shot);
      }
    }
  } catch (thrown) {
    console.error(thrown);
  }
}

/**
 * What became of what we wait for: after a break of the line, and when the queue was changed without a word about
 * its jobs, as those that are cancelled while they wait end without an event.
 */
export async function reconcile(): Promise<void> {
  const waiting = allPending().filter((shot) => shot.id);
  if (!waiting.length) return;
  // The queue first: what ends while we ask is among the pictures then.
  const queue = await command('get_queue', {});
  const running = new Set(queue.running.map((job) => job.id));
  const queued = new Set(queue.waiting.map((job) => job.id));
  const failed = new Map(queue.failed.map((job) => [job.id, job.error]));
  for (const shot of waiting) {
    const error = failed.get(shot.id);
    if (running.has(shot.id)) shot.state = 'running';
    else if (queued.has(shot.id)) shot.state = 'queued';
    else if (error) finish(shot, { outcome: 'failed', error });
  }
  const gone = waiting.filter(
    (shot) => shot.pending && !running.has(shot.id) && !queued.has(shot.id),
  );
  for (let from = 0; from < gone.length; from += 500) {
    await fetchPictures(gone.slice(from, from + 500));
  }
  const open = gone.filter((shot) => shot.pending);
  const listed = queue.waiting_total <= queue.waiting.length;
  for (const request of new Set(open.map((shot) => shot.order.request))) {
    const mine = open.filter((shot) => shot.order.request === request);
    try {
      const { outcome } = await command('get_request', { id: request });
      const over = outcome.queued + outcome.running === 0;
      if (!listed && !over) continue;
      mine.filter((shot) => shot.pending).forEach((shot) => finish(shot, { outcome: 'cancelled' }));
    } catch (thrown) {
      // Another library, or an index made anew: nobody knows of it any more.
      if (StudioError.from(thrown).code !== 'not_found') throw thrown;
      mine.forEach(dismiss);
    }
  }
}

/** Marks pictures that were changed here or elsewhere. */
export async function refreshPictures(ids?: readonly string[]): Promise<void> {
  const known = [...byJob.values()].filter(
    (shot) => shot.picture && (!ids || ids.includes(shot.id)),
  );
  for (let from = 0; from < known.length; from += 500) {
    await fetchPictures(known.slice(from, from + 500));
  }
}

/** Takes a shot out of the strip, such as one whose picture went to the trash. */
export function dismiss(shot: Shot): void {
  const { order } = shot;
  if (orders.chosen === shot) orders.chosen = null;
  byJob.delete(shot.id);
  order.shots = order.shots.filter((other) => other !== shot);
  orders.list = orders.list.filter((other) => other.shots.length > 0);
  keep();
}

/** News come in bursts; one look answers them all. */
function soon(deed: () => Promise<void>): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  return () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      deed().catch((thrown: unknown) => console.error(thrown));
    }, 400);
  };
}
const refreshSoon = soon(() => refreshPictures());
const reconcileSoon = soon(reconcile);

let following = false;

/** Hears events for as long as the page lives: pictures come while one looks at the gallery, too. */
export function followSession(onend: (shot: Shot) => void): void {
  ends = onend;
  if (following) return;
  following = true;
  recall();
  let lost = false;
  onSignal((signal) => {
    if (signal.kind === 'progress') {
      const shot = byJob.get(signal.job);
      if (!shot) return;
      if (shot.state === 'queued' || shot.state === 'sending') shot.state = 'running';
      if (signal.preview) shot.preview = signal.preview;
    } else if (signal.kind === 'job_ended') {
      const shot = byJob.get(signal.job);
      if (shot) finish(shot, signal.end);
      else {
        early.set(signal.job, signal.end);
        if (early.size > 500) early.delete(early.keys().next().value ?? '');
      }
    } else if (signal.kind === 'disconnected') {
      lost = true;
    } else if (signal.kind === 'connected' && lost) {
      lost = false;
      reconcile().catch((thrown: unknown) => console.error(thrown));
    } else if (signal.kind === 'changed') {
      if (signal.topics.includes('pictures')) refreshSoon();
      if (signal.topics.includes('queue')) reconcileSoon();
    }
  });
}

/** For tests: a session with nothing in it. */
export function forgetSession(): void {
  orders.list = [];
  orders.chosen = null;
  byJob.clear();
  early.clear();
}

const KEY = 'tarim.create.session';
/** More than this many pictures are not looked for again after a reload; the gallery has them all. */
const KEPT = 400;

interface KeptOrder {
  request: string;
  submit: Submit;
  jobs: string[];
}

/** Writes down what was asked for, so that a reload of the page loses nothing. */
function keep(): void {
  let room = KEPT;
  const list: KeptOrder[] = [];
  for (const { request, submit, shots } of orders.list) {
    const jobs = shots.map((shot) => shot.id).filter(Boolean);
    if (!jobs.length || jobs.length > room) continue;
    room -= jobs.length;
    list.push({ request, submit, jobs });
  }
  try {
    sessionStorage.setItem(KEY, JSON.stringify(list));
  } catch {
    // Without storage the strip lasts as long as the page.
  }
}

function recall(): void {
  let list: KeptOrder[] = [];
  try {
    list = JSON.parse(sessionStorage.getItem(KEY) ?? '[]') as KeptOrder[];
    orders.list = list.map(({ request, submit, jobs: ids }) => {
      count += 1;
      const order = new Order(count, { ...submit, count: ids.length });
      order.request = request;
      order.shots.forEach((shot, index) => adoptJob(shot, ids[index] ?? ''));
      return order;
    });
  } catch {
    // Whatever else is in there is not ours.
    orders.list = [];
  }
  if (list.length) reconcile().catch((thrown: unknown) => console.error(thrown));
}
