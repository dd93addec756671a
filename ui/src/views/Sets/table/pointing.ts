import type { Deeds } from '../model/deeds.svelte';
import { at, contains, wholeRows } from '../model/selection';

interface Hands {
  rowHeight: number;
  deeds: () => Deeds;
  scroller: () => HTMLElement | undefined;
  /** Before anything is chosen: what is being written is kept. */
  onpress: () => void;
  onedit: () => void;
  /** In front of which row the dragged ones would land; null when nothing is dragged. */
  ondrop: (row: number | null) => void;
}

interface Hit {
  row: number;
  /** Absent on a row's number. */
  column?: number;
}

function hitOf(target: EventTarget | null): Hit | null {
  const node = target instanceof Element ? target.closest<HTMLElement>('[data-row]') : null;
  if (!node) return null;
  const row = Number(node.dataset['row']);
  return node.dataset['column'] === undefined
    ? { row }
    : { row, column: Number(node.dataset['column']) };
}

/** Choosing by pointer: cells and rows by pressing and dragging; chosen rows move when dragged by their numbers. */
export function pointing(hands: Hands) {
  return (grid: HTMLElement) => {
    let drag: 'cells' | 'rows' | 'move' | null = null;
    let target: number | null = null;

    function press(event: PointerEvent): void {
      const hit = hitOf(event.target);
      if (!hit || event.pointerType === 'touch') return;
      const deeds = hands.deeds();
      const { block } = deeds;
      event.preventDefault(); // The text field keeps the focus.
      hands.onpress();
      const within =
        hit.column === undefined
          ? hit.row >= block.top && hit.row <= block.bottom && isWhole(deeds)
          : contains(block, hit.row, hit.column);
      if (event.button === 2 && within) return;
      if (hit.column === undefined) {
        if (within && event.button === 0 && !event.shiftKey && hit.row < deeds.sheet.total)
          drag = 'move';
        else {
          const from = event.shiftKey ? deeds.selection.anchor.row : hit.row;
          deeds.selection = wholeRows(from, hit.row, deeds.extent);
          drag = 'rows';
        }
      } else {
        const place = { row: hit.row, column: hit.column };
        deeds.selection = event.shiftKey
          ? { anchor: deeds.selection.anchor, focus: place }
          : at(place.row, place.column);
        drag = 'cells';
      }
      if (event.button !== 0) drag = null;
      if (!drag) return;
      window.addEventListener('pointermove', moved);
      window.addEventListener('pointerup', released, { once: true });
      window.addEventListener('pointercancel', stop, { once: true });
    }

    function moved(event: PointerEvent): void {
      const scroller = hands.scroller();
      if (!scroller) return;
      const box = scroller.getBoundingClientRect();
      if (event.clientY > box.bottom - 12) scroller.scrollTop += 16;
      else if (event.clientY < box.top + hands.rowHeight) scroller.scrollTop -= 16;
      const deeds = hands.deeds();
      const y = event.clientY - box.top + scroller.scrollTop - hands.rowHeight;
      if (drag === 'move') {
        target = Math.max(0, Math.min(deeds.sheet.total, Math.round(y / hands.rowHeight)));
        hands.ondrop(target);
        return;
      }
      const row = Math.max(0, Math.min(deeds.sheet.total, Math.floor(y / hands.rowHeight)));
      if (drag === 'rows') {
        deeds.selection = wholeRows(deeds.selection.anchor.row, row, deeds.extent);
        return;
      }
      const under = hitOf(document.elementFromPoint(event.clientX, event.clientY));
      const column = under?.column ?? deeds.selection.focus.column;
      deeds.selection = { anchor: deeds.selection.anchor, focus: { row, column } };
    }

    function released(event: PointerEvent): void {
      const deeds = hands.deeds();
      if (drag === 'move') {
        const hit = hitOf(event.target);
        if (target !== null) void deeds.moveTo(target);
        else if (hit) deeds.selection = wholeRows(hit.row, hit.row, deeds.extent);
      }
      stop();
    }

    function stop(): void {
      drag = null;
      target = null;
      hands.ondrop(null);
      window.removeEventListener('pointermove', moved);
      window.removeEventListener('pointerup', released);
      window.removeEventListener('pointercancel', stop);
    }

    /** A finger scrolls; a tap chooses, and a second one on the same cell writes in it. */
    function tapped(event: MouseEvent): void {
      const hit = hitOf(event.target);
      if (!hit || (event as PointerEvent).pointerType !== 'touch') return;
      const deeds = hands.deeds();
      const { focus } = deeds.selection;
      hands.onpress();
      if (hit.column === undefined) deeds.selection = wholeRows(hit.row, hit.row, deeds.extent);
      else if (focus.row === hit.row && focus.column === hit.column) hands.onedit();
      else deeds.selection = at(hit.row, hit.column);
    }

    function doubled(event: MouseEvent): void {
      if (hitOf(event.target)?.column !== undefined) hands.onedit();
    }

    grid.addEventListener('pointerdown', press);
    grid.addEventListener('click', tapped);
    grid.addEventListener('dblclick', doubled);
    return () => {
      stop();
      grid.removeEventListener('pointerdown', press);
      grid.removeEventListener('click', tapped);
      grid.removeEventListener('dblclick', doubled);
    };
  };
}

function isWhole(deeds: Deeds): boolean {
  return deeds.block.left === 0 && deeds.block.right === deeds.extent.columns - 1;
}
