export { announce, announced } from './announce.svelte';
export { connection, invalidate, listenToStudio, onSignal, onStale } from './events.svelte';
export { handOver, takeHandoff, type Handoff } from './handoff.svelte';
export { followJobs, jobs } from './jobs.svelte';
export { panels } from './panels.svelte';
export { applyPreferences, preferences, setLook, themes } from './preferences.svelte';
export { clearCache, command, query, type Query } from './query.svelte';
export { describeError, showError } from './showError';
export { followStudio, studio } from './studio.svelte';
