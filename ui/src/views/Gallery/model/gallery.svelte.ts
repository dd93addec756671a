import { untrack } from 'svelte';
import type { GalleryQuery, PictureSummary } from '$lib/api';
import { Justified, moved, type Move } from '$lib/justified';
import { t } from '$lib/i18n';
import { navigate, route, type Params } from '$lib/router/index.svelte';
import { platform } from '$lib/platform';
import { announce, command, showError, studio } from '$lib/state';
import { Culling } from './culling';
import { forgetOrder, type Order, OrderQuery } from './order.svelte';
import { Pictures } from './pictures.svelte';
import { preferences } from './preferences.svelte';
import * as chosen from './selection';
import { Undo } from './undo.svelte';

/** What the wall on screen offers to those who do not draw it. */
export interface WallHandle {
  /** Height of what is seen at once. */
  view(): number;
  /** Brings a picture into view, moving as little as possible. */
  reveal(index: number): void;
  focus(): void;
}

// Undo and what was looked at outlive the view: one goes to Create and comes back.
const undo = new Undo();
const memory: { asked: string; selection: chosen.Selection; params: Params; library: string } = {
  asked: '',
  selection: chosen.nothing,
  params: {},
  library: '',
};

/** Forgets where one was and what could be taken back: between tests, and when another library is opened. */
export function forgetGallery(): void {
  Object.assign(memory, { asked: '', selection: chosen.nothing, params: {} });
  forgetOrder();
  undo.clear();
}

/** The gallery's state and deeds. Made once, at the top of Gallery.svelte. */
export class GalleryState {
  readonly pictures = new Pictures();
  readonly undo = undo;
  readonly order: OrderQuery;
  readonly culling: Culling;

  selection = $state.raw<chosen.Selection>(chosen.nothing);
  /** Inner width of the wall, pixels; 0 until it is on screen. */
  width = $state(0);
  /** Set by the wall while it is on screen. */
  wall: WallHandle | null = null;
  /** Keys of the pictures that are compared. */
  compared = $state.raw<readonly number[]>([]);
  /** Whether the tag box is open. */
  tagging = $state(false);
  /** Whether the box that puts pictures into a collection is open. */
  collecting = $state(false);
  /** What is to be deleted for good, once it is confirmed. */
  erasing = $state.raw<readonly number[] | 'all' | null>(null);
  /** What is being cropped, the first in sight. */
  cropping = $state.raw<readonly PictureSummary[] | null>(null);
  /** What is to be upscaled. */
  upscaling = $state.raw<readonly PictureSummary[] | null>(null);
  /** A picture that the details show though the cursor is elsewhere: a relative, perhaps outside this gallery. */
  inspected = $state.raw<PictureSummary | null>(null);
  /** The picture that the address names: it is in full view. */
  full = $state.raw<PictureSummary | null>(null);

  private column: number | null = null;
  private openedHere = false;

  readonly request = $derived.by((): GalleryQuery => {
    const { params } = route();
    const collection = params.get('collection');
    return {
      query: params.get('q') ?? '',
      sort: collection ? preferences.collectionSort : preferences.sort,
      trashed: params.get('trash') === '1',
      ...(collection && { collection }),
    };
  });

  readonly layout = $derived.by(() => {
    const { aspects, days } = this.order.current;
    const narrow = this.width < 640;
    const runs = days.map(({ day, count }) => ({ name: day, count }));
    return new Justified(aspects, runs, {
      width: this.width,
      rowHeight: preferences.rowHeight,
      gap: narrow ? 2 : 4,
      headingHeight: days.length > 0 ? 44 : 0,
    });
  });

  constructor() {
    // The rail leads to the bare gallery; one comes back to the filters one left.
    if (route().path.length === 0 && route().params.size === 0) {
      navigate('gallery', { params: memory.params, replace: true });
    }
    this.order = new OrderQuery(
      () => this.request,
      () => this.pictures.expire(),
      (before, after, other) => this.reordered(before, after, other),
    );
    this.culling = new Culling(this.pictures, this.order, undo);
    $effect(() => {
      const [id] = route().path;
      untrack(() => void this.openFull(id ?? null));
    });
    $effect(() => {
      const folder = studio.hello?.library?.folder;
      if (folder !== undefined) untrack(() => this.inLibrary(folder));
    });
    $effect(() => {
      memory.asked = JSON.stringify(this.request);
      memory.selection = this.selection;
      memory.params = Object.fromEntries(route().params);
    });
  }

  /** Keys and ids belong to one library: in another, nothing that was known or done holds. */
  private inLibrary(folder: string): void {
    const other = memory.library !== '' && memory.library !== folder;
    memory.library = folder;
    if (!other) return;
    forgetGallery();
    this.pictures.clear();
    this.select(chosen.nothing);
    this.compared = [];
    this.cropping = this.upscaling = null;
    void this.order.refetch();
  }

  private reordered(before: Order, after: Order, other: boolean): void {
    if (!other) this.selection = chosen.carried(this.selection, before, after);
    else if (memory.asked === JSON.stringify(this.request)) this.selection = memory.selection;
    else this.selection = chosen.nothing;
    this.column = null;
    // The picture in full view has left the gallery: on to the one that took its place.
    if (this.full && !other && before.indexOf(this.full.key) >= 0) {
      if (after.indexOf(this.full.key) >= 0) return;
      const next = this.selection.cursor;
      if (next === null) this.closeFull();
      else void this.showFull(next, true);
    }
  }

  /** Where the cursor is in the order; -1 when it is nowhere. */
  get index(): number {
    const { cursor } = this.selection;
    return cursor === null ? -1 : this.order.current.indexOf(cursor);
  }

  /** What commands act on. */
  get targets(): number[] {
    if (this.full) return [this.full.key];
    return chosen.targets(this.selection, this.order.current);
  }

  /** The picture that details are about: a relative that was clicked, the one in full view, or the cursor's. */
  get subject(): PictureSummary | null {
    if (this.inspected) return this.inspected;
    const key = this.full?.key ?? this.selection.cursor;
    return (key === null ? null : this.pictures.get(key)) ?? this.full;
  }

  /** A small picture for a collection, of which only the id is known. */
  coverOf = (id: string): string => platform().resourceUrl('thumbnail', id, { size: 480 });

  get trashed(): boolean {
    return this.request.trashed;
  }

  /** Gives the keys back to what is looked at. */
  focus(): void {
    const close = document.querySelector<HTMLElement>('.full, .compare');
    if (close) close.focus();
    else this.wall?.focus();
  }

  select(selection: chosen.Selection): void {
    this.selection = selection;
    this.inspected = null;
    this.column = null;
  }

  /** Moves the cursor by a key: alone, stretching the range (`extend`), or leaving what is chosen (`keep`). */
  move(move: Move, how: 'alone' | 'extend' | 'keep' = 'alone'): void {
    const { current } = this.order;
    const from = this.index;
    const view = this.wall?.view() ?? 0;
    const to =
      from < 0
        ? { index: this.layout.count > 0 ? 0 : -1, column: null }
        : moved(this.layout, from, move, view, this.column);
    const key = current.keys[to.index];
    if (key === undefined) return;
    if (how === 'extend') this.select(chosen.extended(this.selection, key, current));
    else if (how === 'keep') this.select(chosen.visited(this.selection, key));
    else this.select(chosen.only(key));
    this.column = to.column;
    this.wall?.reveal(to.index);
  }

  /** A press on a picture, with the modifiers that were held. */
  press(key: number, { range, toggle }: { range: boolean; toggle: boolean }): void {
    const { current } = this.order;
    if (range) this.select(chosen.extended(this.selection, key, current, toggle));
    else if (toggle) this.select(chosen.toggled(this.selection, key));
    else this.select(chosen.only(key));
  }

  /** Judges, and goes on to the next picture where that is wanted. */
  async judge(deed: (keys: number[]) => Promise<void>): Promise<void> {
    const { targets } = this;
    if (targets.length === 0 || this.trashed) return;
    const done = deed(targets);
    if (preferences.advance && targets.length === 1) this.step(1);
    await done;
  }

  /** The next or the previous picture, in full view or on the wall. */
  step(by: 1 | -1): void {
    if (!this.full) return this.move(by > 0 ? 'right' : 'left');
    const { current } = this.order;
    const at = current.indexOf(this.full.key);
    const key = at < 0 ? undefined : current.keys[at + by];
    if (key !== undefined) void this.showFull(key, true);
  }

  /** Whether a tool covers the gallery, and keys are its own. */
  get covered(): boolean {
    return this.cropping !== null || this.upscaling !== null;
  }

  crop = async (): Promise<void> => {
    this.cropping = await this.workable();
  };

  upscale = async (): Promise<void> => {
    this.upscaling = await this.workable();
  };

  /** What a tool can work on: pictures whose files are there. */
  private async workable(): Promise<PictureSummary[] | null> {
    try {
      const found = await this.pictures.all(this.targets);
      const there = found.filter(({ missing, trashed }) => !missing && !trashed);
      if (there.length > 0) return there;
      announce(t('gallery:derive.none'));
    } catch (thrown) {
      showError(thrown);
    }
    return null;
  }

  trash = (): void => void this.culling.trash(this.targets);
  restore = (): void => void this.culling.restore(this.targets);

  async takeBack(): Promise<void> {
    const said = await undo.undo();
    if (said) announce(said);
  }

  /** Two or four pictures side by side; of one, it and its neighbour. */
  compare(): void {
    let keys = this.targets;
    if (keys.length === 1) {
      const { current } = this.order;
      const at = current.indexOf(keys[0] ?? -1);
      const from = at + 1 < current.keys.length ? at : at - 1;
      keys = current.keys.slice(Math.max(0, from), from + 2);
    }
    if (keys.length < 2) return announce(t('gallery:compare.few'));
    this.pictures.want(keys);
    this.compared = keys.slice(0, 4);
  }

  /** Puts filters, a collection or the trash into the address. */
  go(change: Params, replace = false): void {
    const params: Params = { ...Object.fromEntries(route().params), ...change };
    navigate('gallery', { params, replace });
  }

  setQuery(q: string, replace = true): void {
    this.go({ q }, replace);
  }

  async showFull(key: number, replace = false): Promise<void> {
    try {
      const [picture] = await this.pictures.all([key]);
      if (!picture) return;
      if (!replace) this.openedHere = true;
      const params = Object.fromEntries(route().params);
      navigate('gallery', { path: [picture.id], params, replace });
    } catch (thrown) {
      showError(thrown);
    }
  }

  closeFull(): void {
    if (!this.full) return;
    if (this.openedHere) history.back();
    else navigate('gallery', { params: Object.fromEntries(route().params), replace: true });
    this.openedHere = false;
  }

  private async openFull(id: string | null): Promise<void> {
    if (id === null) {
      if (!this.full) return;
      this.full = null;
      this.inspected = null;
      if (this.index >= 0) this.wall?.reveal(this.index);
      return this.wall?.focus();
    }
    if (this.full?.id === id) return;
    let picture = this.order.current.keys
      .slice(Math.max(0, this.index - 2), this.index + 3)
      .map((key) => this.pictures.get(key))
      .find((near) => near?.id === id);
    try {
      picture ??= (await command('find_pictures', { ids: [id] })).pictures[0];
    } catch (thrown) {
      showError(thrown);
    }
    if (route().path[0] !== id) return;
    if (!picture) {
      announce(t('gallery:full.gone'));
      return navigate('gallery', { replace: true });
    }
    this.pictures.keep([picture]);
    this.full = picture;
    this.select(chosen.only(picture.key));
  }
}
