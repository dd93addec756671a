// Where a picture lies on the screen, and how large: zoom about a point, pan, fit.

export interface Size {
  width: number;
  height: number;
}

/** Screen = picture * scale + offset. */
export interface Viewport {
  scale: number;
  x: number;
  y: number;
}

const LARGEST = 32;

/** The whole picture, as large as fits, in the middle. */
export function fit(picture: Size, frame: Size, margin = 0): Viewport {
  const scale = Math.max(
    0.01,
    Math.min(
      (frame.width - 2 * margin) / picture.width,
      (frame.height - 2 * margin) / picture.height,
    ),
  );
  return {
    scale,
    x: (frame.width - picture.width * scale) / 2,
    y: (frame.height - picture.height * scale) / 2,
  };
}

export const toPicture = (view: Viewport, x: number, y: number) => ({
  x: (x - view.x) / view.scale,
  y: (y - view.y) / view.scale,
});

/** Grows or shrinks so that what is under the pointer stays there. */
export function zoomAt(
  view: Viewport,
  factor: number,
  x: number,
  y: number,
  smallest: number,
): Viewport {
  const scale = Math.min(LARGEST, Math.max(smallest, view.scale * factor));
  const by = scale / view.scale;
  return { scale, x: x - (x - view.x) * by, y: y - (y - view.y) * by };
}

/** Keeps at least a corner of the picture in sight. */
export function keepInSight(view: Viewport, picture: Size, frame: Size): Viewport {
  const rest = 48;
  const within = (value: number, size: number, room: number) =>
    Math.min(room - rest, Math.max(rest - size, value));
  return {
    scale: view.scale,
    x: within(view.x, picture.width * view.scale, frame.width),
    y: within(view.y, picture.height * view.scale, frame.height),
  };
}
