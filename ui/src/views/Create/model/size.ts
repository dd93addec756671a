/** Shapes to choose from, by width over height. */
export const SHAPES = [
  { id: 'square', ratio: 1 },
  { id: 'portrait', ratio: 2 / 3 },
  { id: 'landscape', ratio: 3 / 2 },
  { id: 'tall', ratio: 9 / 16 },
  { id: 'wide', ratio: 16 / 9 },
] as const;
export type Shape = (typeof SHAPES)[number]['id'];

export interface Size {
  width: number;
  height: number;
}
export interface SizeLimits {
  step: number;
  min: number;
  max: number;
}

const snap = (value: number, { step, min, max }: SizeLimits) =>
  Math.min(max, Math.max(min, Math.round(value / step) * step));

/** A size of this shape with about the area that the model was trained on. */
export function sizeOfShape(ratio: number, native: Size, limits: SizeLimits): Size {
  const area = native.width * native.height;
  return {
    width: snap(Math.sqrt(area * ratio), limits),
    height: snap(Math.sqrt(area / ratio), limits),
  };
}

/** The shape that a size has, if it is one of ours. */
export function shapeOf(size: Size, native: Size, limits: SizeLimits): Shape | null {
  const found = SHAPES.find(({ ratio }) => {
    const shaped = sizeOfShape(ratio, native, limits);
    return shaped.width === size.width && shaped.height === size.height;
  });
  return found?.id ?? null;
}

/** Where to start from a picture of this size: its own where the model can take it, else its shape in the model's area. */
export function sizeForPicture(picture: Size, native: Size, limits: SizeLimits): Size {
  const area = picture.width * picture.height;
  const own = native.width * native.height;
  if (area >= own * 0.5 && area <= own * 2.25) {
    return { width: snap(picture.width, limits), height: snap(picture.height, limits) };
  }
  return sizeOfShape(picture.width / picture.height, native, limits);
}

const MOST = (1n << 64n) - 1n;

/** A seed as it may be typed: a whole number that 64 bits hold. */
export function parseSeed(text: string): string | null {
  const plain = text.normalize('NFKC').replace(/[\s_,]/g, '');
  if (!/^\d{1,20}$/.test(plain)) return null;
  const seed = BigInt(plain);
  return seed <= MOST ? String(seed) : null;
}

/** A seed drawn by lot, short enough to be read out. */
export const randomSeed = (): string => String(crypto.getRandomValues(new Uint32Array(1))[0] ?? 0);
