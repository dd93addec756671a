import type { Platform } from './types';

export { isAbort, StudioError, type StudioErrorCode } from './error';
export type * from './types';

let current: Platform | undefined;

/** The door this page came through. */
export function platform(): Platform {
  if (!current) throw new Error('usePlatform() has not run yet');
  return current;
}

export function usePlatform(chosen: Platform): void {
  current = chosen;
}

/** Picks the door by where the page runs; the other one's code is never loaded. */
export async function detectPlatform(): Promise<Platform> {
  return '__TAURI_INTERNALS__' in window
    ? (await import('./tauri')).tauriPlatform()
    : (await import('./web')).webPlatform();
}
