import type { Job } from '$lib/api';

/** Waiting jobs of one request that stand together. */
export interface Group {
  /** The first job's id: two groups may be of one request, with others between them. */
  id: string;
  request: string;
  jobs: Job[];
}

/** Puts neighbours of one request and one priority together, in order. */
export function groups(jobs: readonly Job[]): Group[] {
  const found: Group[] = [];
  for (const job of jobs) {
    const last = found.at(-1);
    if (last?.request === job.request && last.jobs[0]?.priority === job.priority) {
      last.jobs.push(job);
    } else {
      found.push({ id: job.id, request: job.request, jobs: [job] });
    }
  }
  return found;
}

/**
 * The job before which `moved` has to be put to stand one place further up (-1) or down (1): `undefined` at the end,
 * `null` when it stands there already.
 */
export function neighbour(
  all: readonly Group[],
  moved: string,
  by: -1 | 1,
): string | undefined | null {
  const at = all.findIndex((group) => group.id === moved);
  if (at < 0) return null;
  if (by < 0) return all[at - 1]?.id ?? null;
  if (at + 1 >= all.length) return null;
  return all[at + 2]?.id;
}
