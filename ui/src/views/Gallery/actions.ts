import type { Draft, PictureDetail, PictureSummary } from '$lib/api';
import { notify } from '$lib/components';
import { t } from '$lib/i18n';
import { platform } from '$lib/platform';
import { command, handOver, panels, showError, studio, type Handoff } from '$lib/state';

/** Puts text on the clipboard and says so. */
export async function copyText(text: string, said: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    notify({ title: said, tone: 'success', id: 'gallery-copied' });
  } catch (thrown) {
    showError(thrown);
  }
}

/** Takes settings to Create. */
export function use(draft: Draft, parts: Handoff['parts']): void {
  handOver({ draft, parts });
}

/** Takes the picture itself to Create, to be worked on there. */
export async function startFrom(
  picture: PictureSummary,
  draft: Draft,
  tool: 'img2img' | 'inpaint',
): Promise<void> {
  try {
    const input = await command('input_from_picture', { id: picture.id });
    handOver({
      // The seed and the mask belong to the old picture; the rest is a good beginning.
      draft: {
        ...draft,
        seed: undefined,
        mask_picture: undefined,
        init_picture: input.sha256,
        width: input.width,
        height: input.height,
      },
      parts: 'all',
      parent: { picture: picture.id, derivation: tool },
      tool,
    });
  } catch (thrown) {
    showError(thrown);
  }
}

const VARIATIONS = 4;
/** Enough to see a difference, and still the same picture. */
const VARIATION_STRENGTH = 0.2;

async function submit(
  picture: PictureDetail,
  draft: Draft,
  count: number,
  derivation: 'variation' | 'rerun',
): Promise<void> {
  try {
    await command('submit', {
      draft,
      count,
      tags: [],
      project: picture.project,
      parent: { picture: picture.summary.id, derivation },
      priority: 0,
    });
    notify({
      title: t('gallery:said.queued', { count }),
      tone: 'success',
      action: { label: t('gallery:action.showQueue'), run: () => (panels.queue = true) },
    });
  } catch (thrown) {
    showError(thrown);
  }
}

/** The same recipe once more: the same picture, unless something about the program has changed. */
export async function runAgain(picture: PictureDetail): Promise<void> {
  if (picture.draft) await submit(picture, picture.draft, 1, 'rerun');
}

/** The same seed, each time with a little of another one's noise. */
export async function makeVariations(picture: PictureDetail): Promise<void> {
  if (!picture.draft) return;
  const draft: Draft = {
    ...picture.draft,
    variation_strength: picture.draft.variation_strength || VARIATION_STRENGTH,
  };
  // Left open, it is drawn anew, and each picture of the request gets the next.
  delete draft.variation_seed;
  await submit(picture, draft, VARIATIONS, 'variation');
}

/** Whether this door can show files in the file manager. */
export const canReveal = (): boolean =>
  studio.allowed.reveal && platform().revealPicture !== undefined;

export async function reveal(id: string): Promise<void> {
  try {
    await platform().revealPicture?.(id);
  } catch (thrown) {
    showError(thrown);
  }
}
