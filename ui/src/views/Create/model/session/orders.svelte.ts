import { SvelteMap } from 'svelte/reactivity';
import type { JobEnd, Submit } from '$lib/api';
import { write } from './kept';
import { Order, type Shot } from './shot.svelte';

// What was asked for on this page, latest first; and what of it is told where.

class Orders {
  list = $state.raw<Order[]>([]);
  chosen = $state.raw<Shot | null>(null);
}
export const orders = new Orders();
export const byJob = new SvelteMap<string, Shot>();
/** Ends of jobs that we do not know yet: they can come before the answer to the request does. */
export const early = new Map<string, JobEnd>();
let count = 0;

/** An order that the list does not hold yet. */
export function newOrder(submit: Submit): Order {
  count += 1;
  return new Order(count, submit);
}

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

export const allPending = (): Shot[] =>
  orders.list.flatMap((order) => order.shots.filter((shot) => shot.pending));

/** Takes a shot out of the strip, such as one whose picture went to the trash. */
export function dismiss(shot: Shot): void {
  const { order } = shot;
  if (orders.chosen === shot) orders.chosen = null;
  byJob.delete(shot.id);
  order.shots = order.shots.filter((other) => other !== shot);
  orders.list = orders.list.filter((other) => other.shots.length > 0);
  keepOrders();
}

/** Writes down what was asked for, so that a reload of the page loses nothing. */
export const keepOrders = (): void => write(orders.list);

/** For tests: a session with nothing in it. */
export function forgetSession(): void {
  orders.list = [];
  orders.chosen = null;
  byJob.clear();
  early.clear();
}
