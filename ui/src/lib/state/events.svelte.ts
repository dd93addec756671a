import { untrack } from 'svelte';
import type { StudioEvent, Topic } from '$lib/api';
import { platform } from '$lib/platform';
import type { Signal } from '$lib/platform';

const listeners = new Set<(signal: Signal) => void>();
const invalidators = new Map<Topic, Set<() => void>>();
const line = $state({ connected: true, everConnected: false });

/** The state of the line to the backend. */
export const connection = {
  get lost(): boolean {
    return !line.connected;
  },
};

/** The one place that knows which answers an event makes stale. */
function topicsOf(event: StudioEvent): Topic[] {
  // The backend names the topics; its other events carry their news with them.
  return event.kind === 'changed' ? event.topics : [];
}

/** Marks everything that depends on these topics as stale; without topics, everything. */
export function invalidate(...topics: Topic[]): void {
  const hit = new Set<() => void>();
  for (const topic of topics.length ? topics : invalidators.keys()) {
    invalidators.get(topic)?.forEach((run) => hit.add(run));
  }
  hit.forEach((run) => run());
}

/** Calls `run` whenever one of the topics goes stale, until the returned function is called. */
export function onStale(topics: readonly Topic[], run: () => void): () => void {
  for (const topic of topics) {
    const set = invalidators.get(topic) ?? new Set();
    invalidators.set(topic, set.add(run));
  }
  return () => topics.forEach((topic) => invalidators.get(topic)?.delete(run));
}

/** Hears every event and every break of the line, for stores such as jobs. */
export function onSignal(listener: (signal: Signal) => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function hear(signal: Signal): void {
  listeners.forEach((listener) => listener(signal));
  if (signal.kind === 'disconnected') {
    line.connected = false;
  } else if (signal.kind === 'connected') {
    // Events were missed while the line was down: what we hold may be wrong, so ask for all of it again.
    const again = line.everConnected;
    line.connected = line.everConnected = true;
    if (again) invalidate();
  } else {
    const topics = topicsOf(signal);
    if (topics.length) invalidate(...topics);
  }
}

/** App.svelte calls this once. */
export function listenToStudio(): () => void {
  // Some doors say `connected` at once: what is read while hearing must not become this effect's business.
  return untrack(() => platform().subscribe((signal) => untrack(() => hear(signal))));
}
