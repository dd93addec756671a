import { onSignal } from '$lib/state';
import { byJob, early, newOrder, orders } from './orders.svelte';
import { read } from './kept';
import { adoptJob, finish, reconcile, refreshPictures, tellEnds } from './outcomes';
import type { Shot } from './shot.svelte';

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
  tellEnds(onend);
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

/** Takes up again what was asked for before the page was loaded anew. */
function recall(): void {
  orders.list = read().map(({ request, submit, jobs: ids }) => {
    const order = newOrder({ ...submit, count: ids.length });
    order.request = request;
    order.shots.forEach((shot, index) => adoptJob(shot, ids[index] ?? ''));
    return order;
  });
  if (orders.list.length) reconcile().catch((thrown: unknown) => console.error(thrown));
}
