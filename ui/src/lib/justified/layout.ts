// Justified rows: every row as wide as the wall, every picture uncropped, heights close to what was asked for.
// The geometry of 100,000 pictures is a few typed arrays, made in one pass; where a picture stands is looked up in them.

/** A run of pictures under one heading. */
export interface Run {
  /** What the heading is about: a day. */
  name: string;
  count: number;
}

export interface Wall {
  /** Inner width in pixels. */
  width: number;
  /** The height rows would like to have. */
  rowHeight: number;
  gap: number;
  /** Space for a heading above each run; 0 draws none. */
  headingHeight: number;
}

/** A run with its place on the wall. */
export interface Section extends Run {
  /** Its first picture. */
  first: number;
  /** Its first row, and the row after its last. */
  firstRow: number;
  endRow: number;
  /** Where its heading begins; rows follow below it. */
  top: number;
  height: number;
}

/** A picture's place within its row. */
export interface Cell {
  index: number;
  left: number;
  width: number;
}

/** Wider or narrower pictures are shown cropped: one panorama must not flatten a row to a line. */
export const NARROWEST = 0.4;
export const WIDEST = 3.6;
/** Rows are never taller than this times the height asked for. */
export const TALLEST = 1.6;

export class Justified {
  readonly count: number;
  readonly rows: number;
  readonly height: number;
  readonly sections: readonly Section[];
  readonly wall: Wall;
  /** Row r holds the pictures from rowStart[r] up to rowStart[r + 1]. */
  private readonly rowStart: Int32Array;
  private readonly rowTop: Float64Array;
  private readonly rowHeight: Float32Array;
  /** Rows that end a run keep their height and leave room at their end. */
  private readonly ragged: Uint8Array;
  private readonly aspects: ArrayLike<number>;

  /** `aspects` are width over height in thousandths. Runs must add up to them; without runs it is one wall. */
  constructor(aspects: ArrayLike<number>, runs: readonly Run[], wall: Wall) {
    this.aspects = aspects;
    this.wall = wall;
    this.count = aspects.length;
    const width = Math.max(1, wall.width);
    const start = new Int32Array(this.count + 1);
    const tops = new Float64Array(this.count);
    const heights = new Float32Array(this.count);
    const ragged = new Uint8Array(this.count);
    const sections: Section[] = [];
    let row = 0;
    let top = 0;

    const close = (from: number, to: number, sum: number, last: boolean) => {
      const room = width - wall.gap * (to - from - 1);
      const fitting = room / sum;
      const limit = wall.rowHeight * TALLEST;
      // A last row that would have to grow much stays at the usual height instead.
      const loose = last && fitting > wall.rowHeight * 1.15;
      start[row] = from;
      tops[row] = top;
      heights[row] = loose ? wall.rowHeight : Math.min(limit, Math.max(1, fitting));
      ragged[row] = loose ? 1 : 0;
      top += (heights[row] ?? 0) + wall.gap;
      row += 1;
    };

    let first = 0;
    for (const run of runs.length ? runs : [{ name: '', count: this.count }]) {
      const end = Math.min(this.count, first + run.count);
      if (end <= first) continue;
      const heading = runs.length ? wall.headingHeight : 0;
      const section = { ...run, count: end - first, first, firstRow: row, top };
      top += heading;
      let from = first;
      let sum = 0;
      for (let index = first; index < end; index += 1) {
        const aspect = this.aspect(index);
        const with_ = sum + aspect;
        const height = (width - wall.gap * (index - from)) / with_;
        if (height > wall.rowHeight) {
          sum = with_;
          continue;
        }
        // The row is full. Is it closer to the wanted height with this picture, or without?
        const without = sum > 0 ? (width - wall.gap * (index - from - 1)) / sum : Infinity;
        if (
          without / wall.rowHeight < wall.rowHeight / height &&
          without <= wall.rowHeight * TALLEST
        ) {
          close(from, index, sum, false);
          from = index;
          sum = aspect;
          if (width / aspect <= wall.rowHeight) {
            close(from, index + 1, sum, false);
            from = index + 1;
            sum = 0;
          }
        } else {
          close(from, index + 1, with_, false);
          from = index + 1;
          sum = 0;
        }
      }
      if (from < end) close(from, end, sum, true);
      sections.push({ ...section, endRow: row, height: top - section.top });
      first = end;
    }

    this.rows = row;
    start[row] = first;
    this.rowStart = start.slice(0, row + 1);
    this.rowTop = tops.slice(0, row);
    this.rowHeight = heights.slice(0, row);
    this.ragged = ragged.slice(0, row);
    this.height = Math.max(0, top - wall.gap);
    this.sections = sections;
  }

  private aspect(index: number): number {
    return Math.min(WIDEST, Math.max(NARROWEST, (this.aspects[index] ?? 1000) / 1000));
  }

  top = (row: number): number => this.rowTop[row] ?? 0;
  heightOf = (row: number): number => this.rowHeight[row] ?? 0;
  start = (row: number): number => this.rowStart[row] ?? this.count;

  /** The row that a picture is in. */
  rowOf(index: number): number {
    return Math.max(0, lastAtMost(this.rowStart, index, this.rows));
  }

  /** The row at a height: the last one that begins at or above it. */
  rowAt(y: number): number {
    return Math.max(0, lastAtMost(this.rowTop, y, this.rows));
  }

  /** The section at a height. */
  sectionAt(y: number): number {
    let [low, high] = [0, this.sections.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.sections[middle]?.top ?? 0) <= y) low = middle + 1;
      else high = middle;
    }
    return Math.max(0, low - 1);
  }

  /** The places of a row's pictures, filling the wall to the pixel. */
  cells(row: number): Cell[] {
    const [from, to] = [this.start(row), this.start(row + 1)];
    const { width, gap } = this.wall;
    let sum = 0;
    for (let index = from; index < to; index += 1) sum += this.aspect(index);
    const room = Math.max(1, width - gap * (to - from - 1));
    const unit = this.ragged[row] ? Math.min(this.heightOf(row), room / sum) : room / sum;
    const cells: Cell[] = [];
    let left = 0;
    for (let index = from; index < to; index += 1) {
      const right = left + this.aspect(index) * unit;
      // Edges are rounded, not widths, so that neither gaps nor the row's end drift.
      cells.push({ index, left: Math.round(left), width: Math.round(right) - Math.round(left) });
      left = right + gap;
    }
    return cells;
  }

  /** The picture in a row whose middle is nearest to x. */
  nearest(row: number, x: number): number {
    let best = this.start(row);
    let distance = Infinity;
    for (const cell of this.cells(row)) {
      const away = Math.abs(cell.left + cell.width / 2 - x);
      if (away < distance) [best, distance] = [cell.index, away];
    }
    return best;
  }

  /** The middle of a picture, from the wall's start. */
  middle(index: number): number {
    const cell = this.cells(this.rowOf(index)).find((candidate) => candidate.index === index);
    return cell ? cell.left + cell.width / 2 : 0;
  }
}

/** The last of the first `count` ascending values that is not above `value`; -1 when there is none. */
function lastAtMost(values: Int32Array | Float64Array, value: number, count: number): number {
  let [low, high] = [0, count];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((values[middle] ?? Infinity) <= value) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
