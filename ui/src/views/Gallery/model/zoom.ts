// Looking closely. Pure: a look at a picture is a magnification and the point of the picture in the middle of the pane,
// in shares of the picture, so that pictures of different sizes can be looked at alike.

export interface Look {
  /** 1 fits the picture into its pane; more magnifies. Less shows the pixels of a small one as they are. */
  scale: number;
  x: number;
  y: number;
}

export interface Size {
  width: number;
  height: number;
}

export const whole: Look = { scale: 1, x: 0.5, y: 0.5 };

const CLOSEST_PIXELS = 8;
/** A thumbnail-sized picture is not blown up to a blur. */
const LARGEST_FIT = 4;

/** Screen pixels per picture pixel when the picture is as large as the pane lets it be. */
export const fit = (picture: Size, pane: Size): number =>
  Math.min(LARGEST_FIT, pane.width / picture.width, pane.height / picture.height) || 1;

/** The magnification at which a pixel of the picture is a pixel of the screen. */
export const actual = (picture: Size, pane: Size, ratio = 1): number =>
  1 / (fit(picture, pane) * ratio);

/** Keeps the pane filled as far as the picture reaches. */
export function settled(look: Look, picture: Size, pane: Size): Look {
  const unit = fit(picture, pane);
  const least = Math.min(1, 1 / (unit * 2));
  const scale = Math.min(Math.max(least, look.scale), Math.max(1, CLOSEST_PIXELS / unit));
  const half = (shown: number, room: number) => (shown <= room ? 0.5 : room / shown / 2);
  const [hx, hy] = [
    half(picture.width * unit * scale, pane.width),
    half(picture.height * unit * scale, pane.height),
  ];
  return {
    scale,
    x: Math.min(1 - hx, Math.max(hx, look.x)),
    y: Math.min(1 - hy, Math.max(hy, look.y)),
  };
}

/** Magnifies so that the point under the pointer (from the pane's middle) stays where it is. */
export function zoomed(
  look: Look,
  scale: number,
  at: { x: number; y: number },
  picture: Size,
  pane: Size,
): Look {
  const unit = fit(picture, pane);
  const next = settled({ ...look, scale }, picture, pane).scale;
  const shift = (offset: number, side: number) =>
    (offset / (side * unit)) * (1 / look.scale - 1 / next);
  return settled(
    {
      scale: next,
      x: look.x + shift(at.x, picture.width),
      y: look.y + shift(at.y, picture.height),
    },
    picture,
    pane,
  );
}

/** Moves the picture by so many screen pixels. */
export function panned(look: Look, dx: number, dy: number, picture: Size, pane: Size): Look {
  const shown = fit(picture, pane) * look.scale;
  const next = {
    ...look,
    x: look.x - dx / (picture.width * shown),
    y: look.y - dy / (picture.height * shown),
  };
  return settled(next, picture, pane);
}

/** The CSS transform, from a picture laid out whole in the middle of its pane. */
export function transform(look: Look, picture: Size, pane: Size): string {
  const unit = fit(picture, pane) * look.scale;
  const x = (0.5 - look.x) * picture.width * unit;
  const y = (0.5 - look.y) * picture.height * unit;
  return `translate(${x}px, ${y}px) scale(${look.scale})`;
}
