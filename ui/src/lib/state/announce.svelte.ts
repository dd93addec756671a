import { untrack } from 'svelte';

const live = $state({ text: '' });

/** Says something to screen readers only: "3 pictures picked". */
export function announce(text: string): void {
  // The same words twice are silent unless the text changes in between.
  live.text = untrack(() => live.text) === text ? `${text}\u00a0` : text;
}

/** What the live region of App.svelte holds. */
export const announced = (): string => live.text;
