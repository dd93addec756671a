import type { Sort } from '$lib/api';

/** Grounds to judge a picture on. */
export const grounds = ['stage', 'black', 'grey', 'white'] as const;
export type Ground = (typeof grounds)[number];

interface Preferences {
  /** Height that rows would like to have, in pixels. */
  rowHeight: number;
  sort: Sort;
  /** The order within collections. */
  collectionSort: Sort;
  /** On to the next picture after a judgement. */
  advance: boolean;
  sidebar: boolean;
  details: boolean;
  ground: Ground;
}

export const DENSEST = 72;
export const LARGEST = 420;
const KEY = 'tarim.gallery';
/** Orders to choose from; a collection has its own besides. */
export const sorts: readonly Sort[] = ['newest', 'oldest', 'rating', 'name'];
export const collectionSorts: readonly Sort[] = ['collection', ...sorts];

function read(): Preferences {
  let kept: Partial<Preferences> = {};
  try {
    kept = JSON.parse(localStorage.getItem(KEY) ?? '{}') as Partial<Preferences>;
  } catch {
    // Storage may be barred, or hold anything at all.
  }
  const narrow = typeof innerWidth === 'number' && innerWidth < 640;
  const height = Number(kept.rowHeight) || (narrow ? 132 : 208);
  return {
    rowHeight: Math.min(LARGEST, Math.max(DENSEST, height)),
    sort: kept.sort && sorts.includes(kept.sort) ? kept.sort : 'newest',
    collectionSort:
      kept.collectionSort && collectionSorts.includes(kept.collectionSort)
        ? kept.collectionSort
        : 'collection',
    advance: kept.advance === true,
    sidebar: kept.sidebar !== false,
    details: kept.details === true,
    ground: kept.ground && grounds.includes(kept.ground) ? kept.ground : 'stage',
  };
}

/** How this screen likes its gallery. Reactive; write at will. */
export const preferences = $state<Preferences>(read());

/** Keeps them for the next time, while the component lives. */
export function keepPreferences(): void {
  $effect(() => {
    const text = JSON.stringify(preferences);
    try {
      localStorage.setItem(KEY, text);
    } catch {
      // Without storage the choice lasts as long as the page.
    }
  });
}
