import type { Justified } from './layout';

/** Browsers lose count beyond some 17 million pixels (Firefox), or 33 (Chromium). */
export const TALLEST_PAGE = 15_000_000;

/**
 * Lets a page of limited height scroll a wall of any height. Small moves are one to one; a jump with the scrollbar goes
 * to the same share of the wall. `shift` is what lies between a place on the wall and its place on the page.
 */
export class ScrollMap {
  shift = 0;
  private last = 0;
  private wall = 0;
  private view = 0;

  /** The height that the page gets. */
  get page(): number {
    return Math.min(this.wall, TALLEST_PAGE);
  }

  resize(wall: number, view: number): void {
    this.wall = wall;
    this.view = view;
  }

  /** The place on the wall for a position of the scrollbar. */
  scrolled(position: number): number {
    const end = Math.max(0, this.page - this.view);
    const far = Math.abs(position - this.last) > 4 * this.view;
    this.last = position;
    if (this.wall <= TALLEST_PAGE) this.shift = 0;
    else if (position <= 0) this.shift = 0;
    else if (position >= end - 1) this.shift = this.wall - this.page;
    else if (far) this.shift = (position / end) * (this.wall - this.page);
    return position + this.shift;
  }

  /** The position of the scrollbar that shows a place on the wall at the top of the view. */
  position(place: number): number {
    const wallEnd = Math.max(0, this.wall - this.view);
    const pageEnd = Math.max(0, this.page - this.view);
    const wanted = Math.min(wallEnd, Math.max(0, place));
    if (this.wall <= TALLEST_PAGE) this.shift = 0;
    else this.shift = (wanted / wallEnd) * (this.wall - this.page);
    this.last = Math.min(pageEnd, wanted - this.shift);
    return this.last;
  }
}

/** The rows to have in the document: those in view and some beyond on either side. */
export function rowsAround(
  layout: Justified,
  place: number,
  view: number,
  beyond: number,
): { first: number; end: number } {
  if (layout.rows === 0) return { first: 0, end: 0 };
  const first = layout.rowAt(place - beyond);
  const end = layout.rowAt(place + view + beyond) + 1;
  return { first, end: Math.max(end, first + 1) };
}

/** A picture and how far its row is from the top of the view: where one was, whatever the wall turns into. */
export interface Anchor {
  index: number;
  offset: number;
}

/** The first picture in view. */
export function anchorAt(layout: Justified, place: number): Anchor | null {
  if (layout.count === 0 || place <= 0) return null;
  let row = layout.rowAt(place);
  // What is more than half out of sight is not what one looks at.
  if (row + 1 < layout.rows && place - layout.top(row) > layout.heightOf(row) / 2) row += 1;
  return { index: layout.start(row), offset: layout.top(row) - place };
}

/** The place that brings an anchor back to where it was; its picture may have another index by now. */
export const placeOf = (layout: Justified, { index, offset }: Anchor): number =>
  Math.max(0, layout.top(layout.rowOf(index)) - offset);

/** The place nearest to the present one at which a picture is wholly in view, below any sticky heading. */
export function placeToReveal(
  layout: Justified,
  index: number,
  place: number,
  view: number,
  headroom: number,
): number {
  const row = layout.rowOf(index);
  const [top, bottom] = [layout.top(row), layout.top(row) + layout.heightOf(row)];
  if (top < place + headroom) return Math.max(0, top - headroom);
  if (bottom > place + view) return Math.min(top - headroom, bottom - view + layout.wall.gap);
  return place;
}
