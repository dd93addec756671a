import type { Target } from './deeds';
import type { Size } from './rect';

export const FACTORS = [1.5, 2, 3, 4] as const;

/** The size that a picture gets. */
export function upscaled({ width, height }: Size, target: Target): Size {
  const factor = 'factor' in target ? target.factor : target.side / Math.max(width, height);
  const by = Math.max(1, factor);
  return { width: Math.round(width * by), height: Math.round(height * by) };
}

/** The longest side among the results. */
export const largestOf = (pictures: readonly Size[], target: Target): number =>
  Math.max(
    0,
    ...pictures.map((picture) => {
      const { width, height } = upscaled(picture, target);
      return Math.max(width, height);
    }),
  );
