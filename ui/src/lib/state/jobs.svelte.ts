import { SvelteMap } from 'svelte/reactivity';
import type { JobProgress, TaskProgress } from '$lib/api';
import { onSignal } from './events.svelte';

const running = new SvelteMap<string, JobProgress>();
const tasks = new SvelteMap<string, TaskProgress>();

/** What is under way, as the events tell it. For what waits and what failed, see `studio.queue`. */
export const jobs = {
  /** Progress by job id. Put `preview` into the preview's address, so that each new one is loaded. */
  running: running as ReadonlyMap<string, JobProgress>,
  /** Long work that is not a render, by task id; ended tasks leave. */
  tasks: tasks as ReadonlyMap<string, TaskProgress>,
};

/** App.svelte calls this once. */
export function followJobs(): () => void {
  return onSignal((signal) => {
    switch (signal.kind) {
      case 'task':
        if (signal.finished) tasks.delete(signal.task);
        else tasks.set(signal.task, signal);
        break;
      case 'progress':
        running.set(signal.job, signal);
        break;
      case 'job_ended':
        running.delete(signal.job);
        break;
      case 'connected':
      case 'disconnected':
        // Progress from before a break may belong to a picture that is long done.
        running.clear();
        tasks.clear();
        break;
    }
  });
}
