import type { Collection } from '$lib/api';
import { notify } from '$lib/components';
import { t } from '$lib/i18n';
import { announce, command, invalidate, showError } from '$lib/state';
import type { GalleryState } from './model/gallery.svelte';

/** Puts pictures into a collection; a notice offers to take them out again. */
export async function addToCollection(
  gallery: GalleryState,
  { id, name }: Pick<Collection, 'id' | 'name'>,
  keys: readonly number[],
): Promise<void> {
  try {
    const pictures = (await gallery.pictures.all(keys)).map((picture) => picture.id);
    if (pictures.length === 0) return;
    const { changed } = await command('add_to_collection', { id, pictures });
    const title =
      changed > 0
        ? t('gallery:collection.added', { count: changed, name })
        : t('gallery:collection.already', { name });
    const deed = {
      undone: () => t('gallery:collection.removed', { count: changed, name }),
      undo: async () => {
        await command('remove_from_collection', { id, pictures });
        invalidate('collections');
      },
    };
    if (changed > 0 && changed === pictures.length) gallery.undo.add(deed);
    announce(title);
    notify({ title, id: 'gallery-collection' });
    invalidate('collections');
  } catch (thrown) {
    showError(thrown);
  }
}

/** Takes pictures out of the collection that is shown. */
export async function removeFromCollection(
  gallery: GalleryState,
  id: string,
  keys: readonly number[],
): Promise<void> {
  const before = gallery.order.current;
  try {
    const pictures = (await gallery.pictures.all(keys)).map((picture) => picture.id);
    if (pictures.length === 0) return;
    gallery.order.assume(before.without(new Set(keys)));
    await command('remove_from_collection', { id, pictures });
    const said = t('gallery:collection.taken', { count: pictures.length });
    const deed = {
      undone: () => t('gallery:said.undone', { what: said }),
      undo: async () => {
        await command('add_to_collection', { id, pictures });
        invalidate('collections');
        await gallery.order.refetch();
      },
    };
    gallery.undo.add(deed);
    announce(said);
    notify({
      title: said,
      id: 'gallery-moved',
      action: { label: t('gallery:action.undo'), run: () => void gallery.undo.undo(deed) },
    });
    invalidate('collections');
  } catch (thrown) {
    gallery.order.assume(before);
    showError(thrown);
  }
}

/** Makes a collection, of these pictures if there are any. */
export async function createCollection(
  gallery: GalleryState,
  name: string,
  keys: readonly number[],
): Promise<void> {
  try {
    const made = await command('create_collection', { name });
    invalidate('collections');
    if (keys.length > 0) await addToCollection(gallery, made, keys);
  } catch (thrown) {
    showError(thrown);
  }
}

export async function renameCollection(id: string, name: string): Promise<void> {
  try {
    await command('rename_collection', { id, name });
    invalidate('collections');
  } catch (thrown) {
    showError(thrown);
  }
}

/** Deletes a collection; its pictures stay. True when it is gone. */
export async function deleteCollection({ id, name }: Collection): Promise<boolean> {
  try {
    await command('delete_collection', { id });
    invalidate('collections');
    notify({ title: t('gallery:collection.deleted', { name }) });
    return true;
  } catch (thrown) {
    showError(thrown);
    return false;
  }
}
