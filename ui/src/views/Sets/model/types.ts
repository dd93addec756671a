import type { RunOptions, SetEdit } from '$lib/api';

export type { RowProblem } from '$lib/api';

/** How a set is run, as far as it is not the usual way. */
export type Options = Partial<RunOptions>;

/** What the backend calls an absent row is left out: in front of all, behind all. */
export type Edit = SetEdit;
