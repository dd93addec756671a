// Rectangles to crop by, in whole pixels of a picture. Pure.

export interface Size {
  width: number;
  height: number;
}
export interface Rect extends Size {
  x: number;
  y: number;
}

/** No side becomes shorter than this. */
export const SMALLEST = 16;

/** A side or corner that is dragged: -1 is the left or upper one, 1 the right or lower one, 0 neither. */
export interface Grip {
  x: -1 | 0 | 1;
  y: -1 | 0 | 1;
}
export const GRIPS: readonly Grip[] = [
  { x: -1, y: -1 },
  { x: 0, y: -1 },
  { x: 1, y: -1 },
  { x: 1, y: 0 },
  { x: 1, y: 1 },
  { x: 0, y: 1 },
  { x: -1, y: 1 },
  { x: -1, y: 0 },
];

const clamp = (value: number, least: number, most: number): number =>
  Math.min(Math.max(value, least), Math.max(least, most));

export const whole = ({ width, height }: Size): Rect => ({ x: 0, y: 0, width, height });

/** The largest size of a shape that a picture holds. */
function largest(picture: Size, ratio: number): Size {
  const width = Math.min(picture.width, picture.height * ratio);
  return { width, height: width / ratio };
}

/** Whole pixels inside the picture. */
export function settled(rect: Rect, picture: Size): Rect {
  const width = Math.round(clamp(rect.width, Math.min(SMALLEST, picture.width), picture.width));
  const height = Math.round(clamp(rect.height, Math.min(SMALLEST, picture.height), picture.height));
  return {
    x: Math.round(clamp(rect.x, 0, picture.width - width)),
    y: Math.round(clamp(rect.y, 0, picture.height - height)),
    width,
    height,
  };
}

/** The same place in another shape: as much of it as was shown, around the same middle. */
export function shaped(rect: Rect, ratio: number | null, picture: Size): Rect {
  if (ratio === null) return settled(rect, picture);
  const most = largest(picture, ratio);
  const area = Math.sqrt(rect.width * rect.height * ratio);
  const covering = rect.width >= picture.width && rect.height >= picture.height;
  const width = covering ? most.width : Math.min(most.width, area);
  const height = width / ratio;
  const [cx, cy] = [rect.x + rect.width / 2, rect.y + rect.height / 2];
  return settled({ x: cx - width / 2, y: cy - height / 2, width, height }, picture);
}

/** Moves it by so many pixels, as far as the picture reaches. */
export const moved = (rect: Rect, dx: number, dy: number, picture: Size): Rect =>
  settled({ ...rect, x: rect.x + dx, y: rect.y + dy }, picture);

/** Drags a side or a corner; the opposite one stays, and the shape where there is one. */
export function resized(
  rect: Rect,
  grip: Grip,
  dx: number,
  dy: number,
  picture: Size,
  ratio: number | null,
): Rect {
  const [right, bottom] = [rect.x + rect.width, rect.y + rect.height];
  // How far it may grow, from what stays in place.
  const room = {
    width: grip.x < 0 ? right : grip.x > 0 ? picture.width - rect.x : picture.width,
    height: grip.y < 0 ? bottom : grip.y > 0 ? picture.height - rect.y : picture.height,
  };
  let width = clamp(rect.width + grip.x * dx, SMALLEST, room.width);
  let height = clamp(rect.height + grip.y * dy, SMALLEST, room.height);
  if (ratio !== null) {
    // A side leads alone; of a corner, the direction that was dragged further.
    const byWidth =
      grip.y === 0 ||
      (grip.x !== 0 && Math.abs(width - rect.width) >= Math.abs(height - rect.height) * ratio);
    if (!byWidth) width = height * ratio;
    width = clamp(
      width,
      Math.max(SMALLEST, SMALLEST * ratio),
      Math.min(room.width, room.height * ratio),
    );
    height = width / ratio;
  }
  const x = grip.x < 0 ? right - width : grip.x > 0 ? rect.x : rect.x + (rect.width - width) / 2;
  const y =
    grip.y < 0 ? bottom - height : grip.y > 0 ? rect.y : rect.y + (rect.height - height) / 2;
  const free = ratio === null;
  return settled(
    {
      x: free && grip.x === 0 ? rect.x : x,
      y: free && grip.y === 0 ? rect.y : y,
      width,
      height,
    },
    picture,
  );
}

/** Typed numbers: the place is kept where it can be, the shape always. */
export function typed(
  rect: Rect,
  change: Partial<Rect>,
  picture: Size,
  ratio: number | null,
): Rect {
  const next = { ...rect, ...change };
  if (ratio !== null && change.width !== undefined) next.height = next.width / ratio;
  if (ratio !== null && change.height !== undefined) next.width = next.height * ratio;
  if (ratio !== null && (next.width > picture.width || next.height > picture.height)) {
    Object.assign(next, largest(picture, ratio));
  }
  return settled(next, picture);
}

/** The rectangle that says the same of another picture: the same share of it, and the same shape where there is one. */
export function carried(rect: Rect, from: Size, to: Size, ratio: number | null): Rect {
  if (from.width === to.width && from.height === to.height) return rect;
  const [cx, cy] = [
    ((rect.x + rect.width / 2) / from.width) * to.width,
    ((rect.y + rect.height / 2) / from.height) * to.height,
  ];
  let width = (rect.width / from.width) * to.width;
  let height = (rect.height / from.height) * to.height;
  if (ratio !== null) {
    width = largest(to, ratio).width * (rect.width / largest(from, ratio).width);
    height = width / ratio;
  }
  return settled({ x: cx - width / 2, y: cy - height / 2, width, height }, to);
}

/** Whether it leaves anything out. */
export const cuts = (rect: Rect, picture: Size): boolean =>
  rect.width < picture.width || rect.height < picture.height;

/** A shape in small whole numbers, such as 3:2, where it has one. */
export function ratioName(ratio: number): string {
  for (let below = 1; below <= 21; below += 1) {
    const above = Math.round(ratio * below);
    if (above > 0 && above <= 21 && Math.abs(above / below - ratio) < 0.002) {
      return `${above}:${below}`;
    }
  }
  return ratio.toFixed(2);
}
