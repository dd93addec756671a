import type { Draft, Flag } from '$lib/api';
import { notify } from '$lib/components';
import { t } from '$lib/i18n';
import { navigate } from '$lib/router/index.svelte';
import { announce, command, showError } from '$lib/state';
import { buildVariations, type Parts } from './draft';
import { form } from './form.svelte';
import { place, refreshPictures, seedOf, type Shot } from './session';
import { sourceOfPicture, type Tool } from './source.svelte';
import type { Controller } from './controller.svelte';

// What can be done with a result. Each fails into the user's eye.

const attempt = async (deed: () => Promise<void>): Promise<void> => {
  try {
    await deed();
  } catch (thrown) {
    showError(thrown);
  }
};

/** Everything that made it: from the library where the picture is there, else what was asked for. */
async function draftOf(shot: Shot): Promise<Draft> {
  if (shot.picture) {
    const { draft } = await command('get_picture', { id: shot.id });
    if (draft) return draft;
  }
  const seed = seedOf(shot);
  return { ...shot.order.submit.draft, ...(seed === undefined ? {} : { seed }) };
}

export const useSettings = (studio: Controller, shot: Shot, parts: Parts) =>
  attempt(async () => {
    const draft = await draftOf(shot);
    studio.apply(draft, parts);
    if (parts === 'all') await studio.startAsDraft(draft, parts);
  });

/** Four more like this one. */
export const vary = (shot: Shot, count = 4) =>
  attempt(async () => {
    const strength = form.variationStrength || 0.15;
    const submit = buildVariations(await draftOf(shot), shot.id, strength, count);
    const { model } = shot.order.submit;
    void place(model ? { ...submit, model } : submit);
  });

export const startFromResult = (studio: Controller, shot: Shot, tool: Tool) =>
  attempt(async () => {
    if (shot.picture) studio.startFrom(await sourceOfPicture(shot.picture), tool);
  });

export const rate = (shot: Shot, rating: number) =>
  attempt(async () => {
    if (!shot.picture) return;
    // The same star again takes the rating away.
    const next = shot.picture.rating === rating ? 0 : rating;
    shot.picture = { ...shot.picture, rating: next };
    announce(t('create:result.rated', { count: next }));
    await change(shot, { rating: next });
  });

export const flag = (shot: Shot, wanted: Flag) =>
  attempt(async () => {
    if (!shot.picture) return;
    const next = shot.picture.flag === wanted ? 'none' : wanted;
    shot.picture = { ...shot.picture, flag: next };
    announce(t(`create:result.flagged.${next}`));
    await change(shot, { flag: next });
  });

async function change(shot: Shot, what: { rating?: number; flag?: Flag }): Promise<void> {
  try {
    await command('update_pictures', { ids: [shot.id], add_tags: [], remove_tags: [], ...what });
  } catch (thrown) {
    await refreshPictures([shot.id]);
    throw thrown;
  }
}

export const trash = (shot: Shot) =>
  attempt(async () => {
    const { picture } = shot;
    if (!picture) return;
    await command('trash_pictures', { ids: [shot.id] });
    shot.picture = { ...picture, trashed: true };
    notify({
      title: t('create:result.trashed'),
      action: {
        label: t('create:action.undo'),
        run: () =>
          void attempt(async () => {
            await command('restore_pictures', { ids: [shot.id] });
            shot.picture = { ...picture, trashed: false };
          }),
      },
    });
  });

export const copyInfotext = (shot: Shot) =>
  attempt(async () => {
    const { infotext } = await command('get_picture', { id: shot.id });
    await navigator.clipboard.writeText(infotext);
    notify({ title: t('create:result.copied'), tone: 'success' });
  });

export const openInGallery = (shot: Shot) => navigate('gallery', { path: [shot.id] });
