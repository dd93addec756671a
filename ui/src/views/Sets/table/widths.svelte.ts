import { SvelteMap } from 'svelte/reactivity';
import type { SetColumn } from '$lib/api';
import { usualWidth } from '../model/fields';

const KEY = 'tarim.sets.widths';
const NARROWEST = 3;

/** Columns' widths in rem, by their meaning or name: whoever widens prompts once has them wide in every set. */
class Widths {
  private readonly own = new SvelteMap<string, number>();

  constructor() {
    try {
      const kept = JSON.parse(localStorage.getItem(KEY) ?? '{}') as Record<string, number>;
      for (const [name, width] of Object.entries(kept)) this.own.set(name, Number(width));
    } catch {
      // Widths are worth no error.
    }
  }

  of(column: SetColumn): number {
    return this.own.get(column.field ?? column.name) ?? usualWidth(column.field);
  }

  set(column: SetColumn, width: number): void {
    this.own.set(column.field ?? column.name, Math.max(NARROWEST, Math.round(width * 10) / 10));
    localStorage.setItem(KEY, JSON.stringify(Object.fromEntries(this.own)));
  }
}

export const widths = new Widths();
