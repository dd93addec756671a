import type { Area, Mask } from './mask';

/** A red that few pictures hold, and its opposite for those that do: seen on anything, by the colour-blind too. */
export const COLOURS = [
  [255, 64, 96],
  [64, 230, 255],
] as const;

/** Paints an area of the mask as an overlay. */
export function paintOverlay(
  context: CanvasRenderingContext2D,
  mask: Mask,
  area: Area,
  colour: readonly [number, number, number],
): void {
  const width = area.right - area.left;
  const height = area.bottom - area.top;
  const image = context.createImageData(width, height);
  for (let row = 0; row < height; row += 1) {
    for (let column = 0; column < width; column += 1) {
      const at = (row * width + column) * 4;
      const value = mask.data[(row + area.top) * mask.width + column + area.left] as number;
      image.data[at] = colour[0];
      image.data[at + 1] = colour[1];
      image.data[at + 2] = colour[2];
      image.data[at + 3] = value;
    }
  }
  context.putImageData(image, area.left, area.top);
}

/** The mask as a picture: white where it is to be drawn, black elsewhere, opaque. */
export function toPixels(mask: Mask): Uint8ClampedArray<ArrayBuffer> {
  const pixels = new Uint8ClampedArray(mask.data.length * 4);
  for (let at = 0; at < mask.data.length; at += 1) {
    pixels.fill(mask.data[at] as number, at * 4, at * 4 + 3);
    pixels[at * 4 + 3] = 255;
  }
  return pixels;
}

/** A mask read from a picture, as large as the picture that it belongs to: its brightness is what is to be drawn anew. */
export function fromPixels(pixels: ArrayLike<number>, width: number, height: number): Mask {
  const data = new Uint8ClampedArray(width * height);
  for (let at = 0; at < data.length; at += 1) {
    const [red, green, blue, alpha] = [0, 1, 2, 3].map((channel) => pixels[at * 4 + channel] ?? 0);
    const light = 0.299 * (red ?? 0) + 0.587 * (green ?? 0) + 0.114 * (blue ?? 0);
    data[at] = Math.round((light * (alpha ?? 255)) / 255);
  }
  return { width, height, data };
}

/** Loads a mask, stretched to a picture's size. */
export async function maskFrom(url: string, width: number, height: number): Promise<Mask> {
  const image = new Image();
  image.src = url;
  await image.decode();
  const canvas = document.createElement('canvas');
  Object.assign(canvas, { width, height });
  const context = canvas.getContext('2d', { willReadFrequently: true });
  if (!context) throw new Error('no canvas to read the mask with');
  context.drawImage(image, 0, 0, width, height);
  return fromPixels(context.getImageData(0, 0, width, height).data, width, height);
}

/** The mask as a PNG of the picture's own size. */
export async function toPng(mask: Mask): Promise<Blob> {
  const canvas = document.createElement('canvas');
  canvas.width = mask.width;
  canvas.height = mask.height;
  const context = canvas.getContext('2d');
  if (!context) throw new Error('no canvas to write the mask with');
  context.putImageData(new ImageData(toPixels(mask), mask.width, mask.height), 0, 0);
  const blob = await new Promise<Blob | null>((done) => canvas.toBlob(done, 'image/png'));
  if (!blob) throw new Error('the mask could not be written as PNG');
  return blob;
}
