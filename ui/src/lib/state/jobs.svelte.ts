import { SvelteMap } from 'svelte/reactivity';
import type { JobProgress, TaskProgress } from '$lib/api';
import type { Signal } from '$lib/platform';
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

/** A task is told by its members: its own `kind` stands where the event's tag would be. */
function asTask(signal: Signal): TaskProgress | null {
  return 'task' in signal ? (signal as unknown as TaskProgress) : null;
}

/** App.svelte calls this once. */
export function followJobs(): () => void {
  return onSignal((signal) => {
    const task = asTask(signal);
    if (task?.finished) tasks.delete(task.task);
    else if (task) tasks.set(task.task, task);
    switch (signal.kind) {
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
