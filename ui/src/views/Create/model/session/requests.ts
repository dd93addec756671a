import type { Submit, WireError } from '$lib/api';
import { StudioError } from '$lib/platform';
import { command } from '$lib/state';
import { keepOrders, newOrder, orders } from './orders.svelte';
import { adoptJob, finish, reconcile } from './outcomes';
import type { Order, Shot } from './shot.svelte';

// What one asks the backend for: pictures, the same again, an end.

/** Asks for pictures; they are in the strip before the backend has answered. Throws nothing: failures are shown. */
export async function place(submit: Submit): Promise<Order> {
  const order = newOrder(submit);
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
    keepOrders();
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
