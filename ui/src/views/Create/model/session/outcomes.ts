import type { JobEnd } from '$lib/api';
import { StudioError } from '$lib/platform';
import { command, jobs } from '$lib/state';
import { allPending, byJob, dismiss, early } from './orders.svelte';
import type { Shot } from './shot.svelte';

// What becomes of what was asked for.

let heard: ((shot: Shot) => void) | undefined;
/** Who is told of each shot that has come to its end. */
export function tellEnds(hear: (shot: Shot) => void): void {
  heard = hear;
}

/** Joins a shot to its job, which may have ended already. */
export function adoptJob(shot: Shot, id: string): void {
  shot.id = id;
  shot.state = jobs.running.has(id) ? 'running' : 'queued';
  byJob.set(id, shot);
  const end = early.get(id);
  early.delete(id);
  if (end) finish(shot, end);
}

/** A job has ended in this way. */
export function finish(shot: Shot, end: JobEnd): void {
  shot.stopping = false;
  if (end.outcome === 'requeued') {
    shot.state = 'queued';
    return;
  }
  if (end.outcome === 'failed') shot.error = end.error;
  if (end.outcome === 'done') void fetchPictures([shot]);
  else {
    shot.state = end.outcome;
    heard?.(shot);
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
        heard?.(shot);
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
