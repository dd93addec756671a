import { platform } from '$lib/platform';
import { showError } from '$lib/state';
import { DRAGGED, fileName, original } from './address';
import type { GalleryState } from './model/gallery.svelte';

/** What the system drags for us, which a page is told nothing of but that it is files. */
let away: readonly number[] = [];

/** The pointer moves over the page again without a button: what was dragged has arrived, or was let go. */
function landed({ buttons }: PointerEvent) {
  if (buttons !== 0) return;
  away = [];
  window.removeEventListener('pointermove', landed);
}

/** Whether pictures of ours are over the page. */
export const holdsPictures = ({ dataTransfer }: DragEvent): boolean =>
  away.length > 0 || (dataTransfer?.types.includes(DRAGGED) ?? false);

/** The pictures that were dropped. */
export function dropped({ dataTransfer }: DragEvent): number[] {
  if (away.length > 0) return [...away];
  return JSON.parse(dataTransfer?.getData(DRAGGED) || '[]') as number[];
}

/**
 * Begins to drag a picture, with all that are chosen if it is one of them: onto a collection, or out as a file.
 * Only what is loaded can leave at once, for a drag waits for nobody; what is in sight is.
 */
export function beginDrag(event: DragEvent, key: number | null, gallery: GalleryState): void {
  if (key === null || !event.dataTransfer) return event.preventDefault();
  if (!gallery.selection.keys.has(key)) gallery.press(key, { range: false, toggle: false });
  const { targets } = gallery;
  const pictures = targets.flatMap((each) => gallery.pictures.get(each) ?? []);
  const held = pictures.find((picture) => picture.key === key);
  if (!held) return event.preventDefault();

  const { startDrag } = platform();
  if (startDrag) {
    event.preventDefault();
    startDrag(pictures.map(({ id }) => id)).then(
      () => {
        away = targets;
        window.addEventListener('pointermove', landed);
      },
      (thrown: unknown) => showError(thrown),
    );
    return;
  }
  const address = original(held);
  event.dataTransfer.effectAllowed = 'copyLink';
  event.dataTransfer.setData(DRAGGED, JSON.stringify(targets));
  event.dataTransfer.setData('text/uri-list', pictures.map(original).join('\r\n'));
  // Chromium turns this into a file when it is dropped on a desktop or a folder.
  event.dataTransfer.setData('DownloadURL', `image/png:${fileName(held)}:${address}`);
  const image = event.target instanceof Element && event.target.querySelector('img');
  if (image) event.dataTransfer.setDragImage(image, 24, 24);
}
