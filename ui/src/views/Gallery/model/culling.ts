import type { Flag, PictureSummary, UpdatePictures } from '$lib/api';
import { notify } from '$lib/components';
import { t } from '$lib/i18n';
import { announce, command, showError } from '$lib/state';
import type { Order, OrderQuery } from './order.svelte';
import type { Judgement, Pictures } from './pictures.svelte';
import type { Deed, Undo } from './undo.svelte';

/** The backend takes no more in one command. */
const BATCH = 1000;

type Change =
  { rating: number } | { flag: Flag } | { addTags: string[] } | { removeTags: string[] };

/** What a change makes of a picture; null when it changes nothing. */
function made(picture: PictureSummary, change: Change): Partial<Judgement> | null {
  if ('rating' in change) {
    return picture.rating === change.rating ? null : { rating: change.rating };
  }
  if ('flag' in change) return picture.flag === change.flag ? null : { flag: change.flag };
  if ('addTags' in change) {
    const added = change.addTags.filter((tag) => !picture.tags.includes(tag));
    return added.length ? { tags: [...picture.tags, ...added] } : null;
  }
  const left = picture.tags.filter((tag) => !change.removeTags.includes(tag));
  return left.length === picture.tags.length ? null : { tags: left };
}

function request(ids: string[], change: Change): UpdatePictures {
  return {
    ids,
    ...('rating' in change && { rating: change.rating }),
    ...('flag' in change && { flag: change.flag }),
    add_tags: 'addTags' in change ? change.addTags : [],
    remove_tags: 'removeTags' in change ? change.removeTags : [],
  };
}

/** Ratings, flags, tags, trash: seen at once, taken back when the backend refuses, undone on request. */
export class Culling {
  /** Commands go out one after the other: of two ratings the later one must win. */
  private tail: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly pictures: Pictures,
    private readonly order: OrderQuery,
    private readonly undo: Undo,
  ) {}

  private inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.tail.then(work);
    this.tail = turn.catch(() => undefined);
    return turn;
  }

  /** When everything begun so far is done. */
  idle = (): Promise<unknown> => this.tail;

  rate = (keys: readonly number[], rating: number): Promise<void> =>
    this.change(keys, { rating }, (count) =>
      rating ? t('gallery:said.rated', { count, rating }) : t('gallery:said.unrated', { count }),
    );

  flag = (keys: readonly number[], flag: Flag): Promise<void> =>
    this.change(keys, { flag }, (count) => t(`gallery:said.flag.${flag}`, { count }));

  addTags = (keys: readonly number[], tags: string[]): Promise<void> =>
    this.change(keys, { addTags: tags }, (count) =>
      t('gallery:said.tagged', { count, tag: tags.join(', ') }),
    );

  removeTags = (keys: readonly number[], tags: string[]): Promise<void> =>
    this.change(keys, { removeTags: tags }, (count) =>
      t('gallery:said.untagged', { count, tag: tags.join(', ') }),
    );

  private async change(
    keys: readonly number[],
    change: Change,
    say: (count: number) => string,
  ): Promise<void> {
    const known = keys.map((key) => this.pictures.get(key));
    let whole: PictureSummary[];
    try {
      whole = known.every((picture) => picture !== undefined)
        ? known
        : await this.pictures.all(keys);
    } catch (thrown) {
      return showError(thrown);
    }
    const changes = new Map<number, { made: Partial<Judgement>; was: Partial<Judgement> }>();
    const ids: string[] = [];
    for (const picture of whole) {
      const patch = made(picture, change);
      if (!patch) continue;
      const was = Object.keys(patch).map((name) => [name, picture[name as keyof Judgement]]);
      changes.set(picture.key, { made: patch, was: Object.fromEntries(was) as Partial<Judgement> });
      ids.push(picture.id);
    }
    announce(say(whole.length));
    if (ids.length === 0) return;

    const deed: Deed = {
      undone: () => t('gallery:said.undone', { what: say(ids.length) }),
      undo: () => this.restoreWords(whole, changes, change),
    };
    this.undo.add(deed);
    this.pictures.advance(new Map([...changes].map(([key, each]) => [key, each.made])));
    try {
      await this.inTurn(async () => {
        for (let from = 0; from < ids.length; from += BATCH) {
          await command('update_pictures', request(ids.slice(from, from + BATCH), change));
        }
      });
    } catch (thrown) {
      this.undo.drop(deed);
      this.pictures.retreat(changes);
      showError(thrown, () => void this.change(keys, change, say));
    } finally {
      this.pictures.settled(changes.keys());
    }
  }

  /** Puts back what a change overwrote; pictures that had the same before go together. */
  private async restoreWords(
    whole: readonly PictureSummary[],
    changes: ReadonlyMap<number, { made: Partial<Judgement>; was: Partial<Judgement> }>,
    change: Change,
  ): Promise<void> {
    const back = new Map([...changes].map(([key, each]) => [key, each.was]));
    const groups = new Map<string, { ids: string[]; change: Change }>();
    for (const picture of whole) {
      const each = changes.get(picture.key);
      if (!each) continue;
      let inverse: Change;
      if ('rating' in change) inverse = { rating: each.was.rating ?? 0 };
      else if ('flag' in change) inverse = { flag: each.was.flag ?? 'none' };
      else {
        const [was, is] = [each.was.tags ?? [], each.made.tags ?? []];
        inverse =
          'addTags' in change
            ? { removeTags: is.filter((tag) => !was.includes(tag)) }
            : { addTags: was.filter((tag) => !is.includes(tag)) };
      }
      const name = JSON.stringify(inverse);
      const group = groups.get(name) ?? { ids: [], change: inverse };
      group.ids.push(picture.id);
      groups.set(name, group);
    }
    const reversed = new Map(
      [...changes].map(([key, each]) => [key, { made: each.was, was: each.made }]),
    );
    this.pictures.advance(back);
    try {
      await this.inTurn(async () => {
        for (const group of groups.values()) {
          for (let from = 0; from < group.ids.length; from += BATCH) {
            const ids = group.ids.slice(from, from + BATCH);
            await command('update_pictures', request(ids, group.change));
          }
        }
      });
    } catch (thrown) {
      this.pictures.retreat(reversed);
      throw thrown;
    } finally {
      this.pictures.settled(back.keys());
    }
  }

  /** To the trash; a notice offers the way back. */
  trash = (keys: readonly number[]): Promise<void> => this.move(keys, 'trash_pictures');
  /** Out of the trash again. */
  restore = (keys: readonly number[]): Promise<void> => this.move(keys, 'restore_pictures');

  private async move(
    keys: readonly number[],
    name: 'trash_pictures' | 'restore_pictures',
  ): Promise<void> {
    if (keys.length === 0) return;
    let whole: PictureSummary[];
    try {
      whole = await this.pictures.all(keys);
    } catch (thrown) {
      return showError(thrown);
    }
    const ids = whole.map((picture) => picture.id);
    const count = ids.length;
    const before: Order = this.order.current;
    this.order.assume(before.without(new Set(keys)));
    const said = t(name === 'trash_pictures' ? 'gallery:said.trashed' : 'gallery:said.restored', {
      count,
    });
    const back = name === 'trash_pictures' ? 'restore_pictures' : 'trash_pictures';
    const deed: Deed = {
      undone: () => t('gallery:said.undone', { what: said }),
      undo: async () => {
        await this.inTurn(() => this.send(back, ids));
        await this.order.refetch();
      },
    };
    this.undo.add(deed);
    announce(said);
    notify({
      title: said,
      id: 'gallery-moved',
      action: { label: t('gallery:action.undo'), run: () => void this.undo.undo(deed) },
    });
    try {
      await this.inTurn(() => this.send(name, ids));
    } catch (thrown) {
      this.undo.drop(deed);
      this.order.assume(before);
      showError(thrown, () => void this.move(keys, name));
      return;
    }
    await this.order.refetch();
  }

  /** Deletes for good what is in the trash: these, or all of it. Nothing brings them back. */
  async erase(keys: readonly number[] | 'all'): Promise<void> {
    try {
      const ids = keys === 'all' ? [] : (await this.pictures.all(keys)).map(({ id }) => id);
      if (keys !== 'all' && ids.length === 0) return; // No ids would mean all of them.
      const count = await this.inTurn(() => this.send('empty_trash', ids));
      const said = t('gallery:said.erased', { count });
      announce(said);
      notify({ title: said });
    } catch (thrown) {
      showError(thrown);
    }
    await this.order.refetch();
  }

  private async send(
    name: 'trash_pictures' | 'restore_pictures' | 'empty_trash',
    ids: readonly string[],
  ): Promise<number> {
    if (ids.length === 0) return (await command(name, { ids: [] })).changed;
    let changed = 0;
    for (let from = 0; from < ids.length; from += BATCH) {
      changed += (await command(name, { ids: ids.slice(from, from + BATCH) })).changed;
    }
    return changed;
  }
}
