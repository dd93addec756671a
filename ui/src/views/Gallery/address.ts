import type { PictureSummary } from '$lib/api';
import { platform } from '$lib/platform';

/** Longest sides that thumbnails come in: for grids, and for looking at one. */
const SMALL = 480;
const LARGE = 1440;

type Addressed = Pick<PictureSummary, 'id' | 'version'>;

/** The address of a thumbnail for a place whose longer side has so many CSS pixels. */
export function thumbnail({ id, version }: Addressed, side: number): string {
  const ratio = typeof devicePixelRatio === 'number' ? Math.min(2, devicePixelRatio) : 1;
  const size = side * ratio > SMALL * 1.25 ? LARGE : SMALL;
  return platform().resourceUrl('thumbnail', id, { size, v: version });
}

/** The address of the picture itself. */
export const original = ({ id, version }: Addressed): string =>
  platform().resourceUrl('picture', id, { v: version });

/** A name for a picture that leaves the gallery as a file. */
export function fileName(picture: PictureSummary): string {
  const words = picture.prompt
    .replace(/[^\p{L}\p{N}]+/gu, ' ')
    .trim()
    .split(' ')
    .slice(0, 6)
    .join('-');
  return `${words || 'tarim'}-${picture.id.slice(-6)}.png`;
}

/** The kind of what is dragged within the gallery: keys of pictures. */
export const DRAGGED = 'application/x-tarim-pictures';
