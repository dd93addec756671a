/** A rectangle of whole pixels; `right` and `bottom` are outside. */
export interface Area {
  left: number;
  top: number;
  right: number;
  bottom: number;
}

export interface Brush {
  /** Radius in pixels of the picture. */
  radius: number;
  /** 0 is a soft edge all the way in, 1 a hard one. */
  hardness: number;
  /** Takes away instead of adding. */
  erase: boolean;
}

/** A mask: how much each pixel is to be drawn anew, 0 to 255. */
export interface Mask {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8ClampedArray;
}

export const emptyMask = (width: number, height: number): Mask => ({
  width,
  height,
  data: new Uint8ClampedArray(width * height),
});

/** What is under the brush at this distance from its middle, 0 to 1. */
export function coverage(distance: number, { radius, hardness }: Brush): number {
  if (radius <= 0.5) return distance <= 0.5 ? 1 : 0;
  const inner = radius * hardness;
  if (distance <= inner) return 1;
  // Half a pixel beyond the edge, so that a hard brush is not jagged.
  const outer = Math.max(radius, inner + 1);
  if (distance >= outer) return 0;
  const x = 1 - (distance - inner) / (outer - inner);
  return x * x * (3 - 2 * x);
}

export const union = (a: Area | null, b: Area | null): Area | null =>
  a && b
    ? {
        left: Math.min(a.left, b.left),
        top: Math.min(a.top, b.top),
        right: Math.max(a.right, b.right),
        bottom: Math.max(a.bottom, b.bottom),
      }
    : (a ?? b);

const clip = (
  mask: Mask,
  left: number,
  top: number,
  right: number,
  bottom: number,
): Area | null => {
  const area = {
    left: Math.max(0, Math.floor(left)),
    top: Math.max(0, Math.floor(top)),
    right: Math.min(mask.width, Math.ceil(right)),
    bottom: Math.min(mask.height, Math.ceil(bottom)),
  };
  return area.left < area.right && area.top < area.bottom ? area : null;
};

/**
 * Presses the brush once. The strongest touch counts, not their sum: going over a soft edge twice leaves it soft.
 */
export function dab(mask: Mask, x: number, y: number, brush: Brush): Area | null {
  const reach = Math.max(brush.radius, 0.5) + 1;
  const area = clip(mask, x - reach, y - reach, x + reach, y + reach);
  if (!area) return null;
  for (let row = area.top; row < area.bottom; row += 1) {
    for (let column = area.left; column < area.right; column += 1) {
      const distance = Math.hypot(column + 0.5 - x, row + 0.5 - y);
      const value = coverage(distance, brush) * 255;
      const at = row * mask.width + column;
      const old = mask.data[at] as number;
      mask.data[at] = brush.erase ? Math.min(old, 255 - value) : Math.max(old, value);
    }
  }
  return area;
}

export interface Point {
  x: number;
  y: number;
  /** Of a pen, 0 to 1; scales the radius. */
  pressure?: number;
}

/** Draws from one point to the next, close enough together that no dab shows. */
export function stroke(mask: Mask, from: Point, to: Point, brush: Brush): Area | null {
  const length = Math.hypot(to.x - from.x, to.y - from.y);
  const steps = Math.max(1, Math.ceil(length / Math.max(0.5, brush.radius / 4)));
  let touched: Area | null = null;
  for (let step = 0; step <= steps; step += 1) {
    const share = step / steps;
    const pressure = (from.pressure ?? 1) + ((to.pressure ?? 1) - (from.pressure ?? 1)) * share;
    const x = from.x + (to.x - from.x) * share;
    const y = from.y + (to.y - from.y) * share;
    const pressed = { ...brush, radius: brush.radius * pressure };
    touched = union(touched, dab(mask, x, y, pressed));
  }
  return touched;
}

export const whole = (mask: Mask): Area => ({
  left: 0,
  top: 0,
  right: mask.width,
  bottom: mask.height,
});

export function invert(mask: Mask): Area {
  for (let at = 0; at < mask.data.length; at += 1) mask.data[at] = 255 - (mask.data[at] as number);
  return whole(mask);
}

export function fill(mask: Mask, value: 0 | 255): Area {
  mask.data.fill(value);
  return whole(mask);
}

/** Whether nothing at all is to be drawn. */
export const isEmpty = (mask: Mask): boolean => mask.data.every((value) => value === 0);

/** The pixels of an area, to be put back by `restore`. */
export function copy(mask: Mask, area: Area): Uint8ClampedArray {
  const width = area.right - area.left;
  const pixels = new Uint8ClampedArray(width * (area.bottom - area.top));
  for (let row = area.top; row < area.bottom; row += 1) {
    const from = row * mask.width + area.left;
    pixels.set(mask.data.subarray(from, from + width), (row - area.top) * width);
  }
  return pixels;
}

export function restore(mask: Mask, area: Area, pixels: Uint8ClampedArray): void {
  const width = area.right - area.left;
  for (let row = area.top; row < area.bottom; row += 1) {
    const from = (row - area.top) * width;
    mask.data.set(pixels.subarray(from, from + width), row * mask.width + area.left);
  }
}
