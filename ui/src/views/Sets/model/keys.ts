/** What a key means in the table while no cell is being written. */
export type Deed =
  | { do: 'move'; rows?: number; columns?: number; extend: boolean }
  | { do: 'step'; back: boolean }
  | { do: 'edit' }
  | { do: 'clear' }
  | { do: 'undo' }
  | { do: 'redo' }
  | { do: 'fill' }
  | { do: 'all' }
  | { do: 'row' }
  | { do: 'column' }
  | { do: 'insert' }
  | { do: 'delete' }
  | { do: 'duplicate' }
  | { do: 'shift'; by: number }
  | { do: 'leave' }
  | { do: 'menu' };

export interface Press {
  key: string;
  mod: boolean;
  shift: boolean;
  alt: boolean;
  /** An input method has the key. */
  composing: boolean;
}

/** Further than any table reaches; places are brought back into it. */
const FAR = 10_000_000;

const ARROWS: Record<string, { rows?: number; columns?: number }> = {
  ArrowUp: { rows: -1 },
  ArrowDown: { rows: 1 },
  ArrowLeft: { columns: -1 },
  ArrowRight: { columns: 1 },
};

export const pressOf = (event: KeyboardEvent): Press => ({
  key: event.key,
  mod: event.ctrlKey || event.metaKey,
  shift: event.shiftKey,
  alt: event.altKey,
  composing: event.isComposing || event.key === 'Process' || event.keyCode === 229,
});

/** What a key does; null for keys that are text, or somebody else's. `page` is how many rows are in sight. */
export function deedOf({ key, mod, shift, alt, composing }: Press, page: number): Deed | null {
  if (composing) return null;
  const arrow = ARROWS[key];
  if (arrow) {
    if (alt) return arrow.rows && !mod ? { do: 'shift', by: arrow.rows } : null;
    const reach = mod ? FAR : 1;
    const by: { rows?: number; columns?: number } = {};
    if (arrow.rows) by.rows = arrow.rows * reach;
    if (arrow.columns) by.columns = arrow.columns * reach;
    return { do: 'move', ...by, extend: shift };
  }
  if (mod) return withMod(key.toLowerCase(), shift, alt);
  if (alt) return null;
  switch (key) {
    case 'Enter':
      return shift ? { do: 'move', rows: -1, extend: false } : { do: 'edit' };
    case 'F2':
      return { do: 'edit' };
    case 'Tab':
      return { do: 'step', back: shift };
    case 'Delete':
    case 'Backspace':
      return { do: 'clear' };
    case 'Home':
      return { do: 'move', columns: -FAR, extend: shift };
    case 'End':
      return { do: 'move', columns: FAR, extend: shift };
    case 'PageUp':
      return { do: 'move', rows: -page, extend: shift };
    case 'PageDown':
      return { do: 'move', rows: page, extend: shift };
    case 'Escape':
      return { do: 'leave' };
    case 'ContextMenu':
      return { do: 'menu' };
    case 'F10':
      return shift ? { do: 'menu' } : null;
    case ' ':
      return shift ? { do: 'row' } : null;
    default:
      return null;
  }
}

function withMod(key: string, shift: boolean, alt: boolean): Deed | null {
  if (alt) return null;
  switch (key) {
    case 'z':
      return shift ? { do: 'redo' } : { do: 'undo' };
    case 'y':
      return { do: 'redo' };
    case 'd':
      return shift ? { do: 'duplicate' } : { do: 'fill' };
    case 'a':
      return { do: 'all' };
    case ' ':
      return { do: 'column' };
    case 'home':
      return { do: 'move', rows: -FAR, columns: -FAR, extend: shift };
    case 'end':
      return { do: 'move', rows: FAR, columns: FAR, extend: shift };
    case '+':
    case '=':
      return { do: 'insert' };
    case '-':
      return { do: 'delete' };
    default:
      return null;
  }
}
