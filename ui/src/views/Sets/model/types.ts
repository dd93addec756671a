import type { RowsCheck, RunOptions, SetEdit } from '$lib/api';

/** What is wrong in a set, with row and column. */
export type RowProblem = RowsCheck['problems'][number];

/** How a set is run, as far as it is not the usual way. */
export type Options = Partial<RunOptions>;

/** What the backend calls an absent row is left out: in front of all, behind all. */
export type Edit = SetEdit;
