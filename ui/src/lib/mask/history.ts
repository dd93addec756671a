import { copy, restore, type Area, type Mask } from './mask';

interface Change {
  area: Area;
  before: Uint8ClampedArray;
  after: Uint8ClampedArray;
}

/** Together, changes may hold this many bytes; the oldest are forgotten first. */
const ROOM = 96 * 1024 * 1024;

/** Undo for a mask: what each change overwrote, nothing more. */
export class MaskHistory {
  #done: Change[] = [];
  #undone: Change[] = [];
  #before: Uint8ClampedArray | null = null;

  constructor(readonly mask: Mask) {}

  get canUndo(): boolean {
    return this.#done.length > 0;
  }

  get canRedo(): boolean {
    return this.#undone.length > 0;
  }

  /** Before the first pixel of a change. */
  begin(): void {
    this.#before = this.mask.data.slice();
  }

  /** After its last. */
  commit(area: Area | null): void {
    const before = this.#before;
    this.#before = null;
    if (!before || !area) return;
    const old: Mask = { ...this.mask, data: before };
    this.#done.push({ area, before: copy(old, area), after: copy(this.mask, area) });
    this.#undone = [];
    let held = this.#done.reduce((sum, change) => sum + 2 * change.before.length, 0);
    while (held > ROOM && this.#done.length > 1) {
      held -= 2 * (this.#done.shift() as Change).before.length;
    }
  }

  undo(): Area | null {
    const change = this.#done.pop();
    if (!change) return null;
    restore(this.mask, change.area, change.before);
    this.#undone.push(change);
    return change.area;
  }

  redo(): Area | null {
    const change = this.#undone.pop();
    if (!change) return null;
    restore(this.mask, change.area, change.after);
    this.#done.push(change);
    return change.area;
  }
}
