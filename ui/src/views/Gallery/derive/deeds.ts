import type { PictureSummary, Submit, WireError } from '$lib/api';
import { notify } from '$lib/components';
import { t } from '$lib/i18n';
import { StudioError } from '$lib/platform';
import { announce, command, describeError, panels, showError } from '$lib/state';
import type { GalleryState } from '../model/gallery.svelte';
import { only } from '../model/selection';
import { carried, cuts, type Rect } from './rect';

// Pictures made of pictures: the old ones stay as they are, so undo is to throw the new ones away.

/** As many as one command takes for a crop, and few enough for upscaling to tell how far it is. */
const CROPS = 100;
const ENLARGEMENTS = 4;

/** How pictures are upscaled: by a factor, or until the longer side has so many pixels. */
export type Target = { factor: number } | { side: number };

interface Made {
  pictures: string[];
  failed: { id: string; error: WireError }[];
}

/** How far it is, from 0 to 1. Returns false to stop. */
export type Report = (share: number) => boolean;

/** Crops each picture as the first one is cropped. True when something came of it. */
export async function crop(
  gallery: GalleryState,
  pictures: readonly PictureSummary[],
  rect: Rect,
  ratio: number | null,
): Promise<boolean> {
  const [first] = pictures;
  if (!first) return false;
  const groups = new Map<string, { rect: Rect; ids: string[] }>();
  for (const picture of pictures) {
    const own = carried(rect, first, picture, ratio);
    if (!cuts(own, picture)) continue;
    const name = JSON.stringify(own);
    const group = groups.get(name) ?? { rect: own, ids: [] };
    group.ids.push(picture.id);
    groups.set(name, group);
  }
  const calls = [...groups.values()].flatMap(({ rect: own, ids }) =>
    chunks(ids, CROPS).map((some) => () => command('crop_pictures', { ids: some, ...own })),
  );
  return finish(gallery, await each(calls), 'cropped');
}

/** Makes larger copies by interpolation. */
export async function upscale(
  gallery: GalleryState,
  pictures: readonly PictureSummary[],
  target: Target,
  report: Report,
): Promise<boolean> {
  const calls = pictureCalls(pictures, target);
  return finish(gallery, await each(calls, report), 'upscaled');
}

function pictureCalls(pictures: readonly PictureSummary[], target: Target) {
  if ('factor' in target) {
    return chunks(
      pictures.map(({ id }) => id),
      ENLARGEMENTS,
    ).map((ids) => () => command('upscale_pictures', { ids, factor: target.factor }));
  }
  // The longer side is the width of some and the height of others.
  const wide = pictures.filter(({ width, height }) => width >= height).map(({ id }) => id);
  const tall = pictures.filter(({ width, height }) => width < height).map(({ id }) => id);
  return [
    ...chunks(wide, ENLARGEMENTS).map(
      (ids) => () => command('upscale_pictures', { ids, width: target.side }),
    ),
    ...chunks(tall, ENLARGEMENTS).map(
      (ids) => () => command('upscale_pictures', { ids, height: target.side }),
    ),
  ];
}

/** Has pictures drawn anew at a larger size, from themselves: the queue's work. */
export async function redraw(
  pictures: readonly PictureSummary[],
  target: Target,
  strength: number,
  report: Report,
): Promise<boolean> {
  let queued = 0;
  let trouble: unknown = null;
  for (const [at, picture] of pictures.entries()) {
    if (!report(at / pictures.length)) break;
    try {
      await command('submit', await redrawOf(picture, target, strength));
      queued += 1;
    } catch (thrown) {
      trouble ??= thrown;
    }
  }
  if (trouble) showError(trouble);
  if (queued === 0) return false;
  const title = t('gallery:said.queued', { count: queued });
  announce(title);
  notify({
    title,
    tone: 'success',
    action: { label: t('gallery:action.showQueue'), run: () => (panels.queue = true) },
  });
  return true;
}

/** The request that draws a picture anew, larger. */
export function redrawOf(
  picture: PictureSummary,
  target: Target,
  strength: number,
): Promise<Submit> {
  const size =
    'factor' in target
      ? { factor: target.factor }
      : picture.width >= picture.height
        ? { width: target.side }
        : { height: target.side };
  return command('prepare_redraw', { picture: picture.id, strength, ...size });
}

function chunks<T>(list: readonly T[], size: number): T[][] {
  const out: T[][] = [];
  for (let from = 0; from < list.length; from += size) out.push(list.slice(from, from + size));
  return out;
}

/** One call after the other; what is made stays made when a later one fails. */
async function each(calls: (() => Promise<Made>)[], report: Report = () => true): Promise<Made> {
  const made: Made = { pictures: [], failed: [] };
  for (const [at, call] of calls.entries()) {
    if (!report(at / calls.length)) break;
    try {
      const { pictures, failed } = await call();
      made.pictures.push(...pictures);
      made.failed.push(...failed);
    } catch (thrown) {
      showError(thrown);
      break;
    }
  }
  return made;
}

/** Says what came of it, shows it, and offers the way back. */
async function finish(
  gallery: GalleryState,
  { pictures, failed }: Made,
  what: 'cropped' | 'upscaled',
): Promise<boolean> {
  const [first] = failed;
  if (first) {
    const said = describeError(new StudioError(first.error));
    notify({
      title: t('gallery:derive.failed', { count: failed.length }),
      text: `${said.title}\n${said.text}`,
      tone: 'error',
    });
  }
  const count = pictures.length;
  if (count === 0) return false;
  const said = t(`gallery:said.${what}`, { count });
  const deed = {
    undone: () => t('gallery:said.undone', { what: said }),
    undo: async () => {
      await command('trash_pictures', { ids: pictures });
      await gallery.order.refetch();
    },
  };
  gallery.undo.add(deed);
  announce(said);
  notify({
    title: said,
    tone: 'success',
    id: 'gallery-derived',
    action: { label: t('gallery:action.undo'), run: () => void gallery.undo.undo(deed) },
  });
  await show(gallery, pictures);
  return true;
}

/** Goes to what was made, where this gallery holds it. */
async function show(gallery: GalleryState, ids: string[]): Promise<void> {
  try {
    await gallery.order.refetch();
    const found = (await command('find_pictures', { ids: ids.slice(0, 500) })).pictures;
    gallery.pictures.keep(found);
    const keys = found.map(({ key }) => key);
    const first = keys.find((key) => gallery.order.current.indexOf(key) >= 0);
    if (first === undefined) return;
    if (gallery.full && keys.length === 1) return await gallery.showFull(first, true);
    gallery.select({ ...only(first), keys: new Set(keys) });
    gallery.wall?.reveal(gallery.order.current.indexOf(first));
  } catch (thrown) {
    showError(thrown);
  }
}
