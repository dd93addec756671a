import type { Draft, Parent } from '$lib/api';
import { navigate } from '$lib/router/index.svelte';

/** Settings on their way from another view to Create. */
export interface Handoff {
  draft: Draft;
  /** What of the draft is meant; the rest of Create stays as it is. */
  parts: 'all' | 'prompt' | 'settings' | 'seed';
  /** The picture that what is made next derives from. */
  parent?: Parent;
  /** What to open: the initial picture is in the draft. */
  tool?: 'img2img' | 'inpaint';
}

let waiting = $state.raw<Handoff | null>(null);

/** Hands settings to Create and goes there. */
export function handOver(handoff: Handoff): void {
  waiting = handoff;
  navigate('create');
}

/** What has been handed over, once; reading it in an effect follows later ones. */
export function takeHandoff(): Handoff | null {
  const taken = waiting;
  if (taken) waiting = null;
  return taken;
}
