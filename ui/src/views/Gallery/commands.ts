import {
  Columns2,
  Crop,
  Expand,
  Flag,
  FlagOff,
  FolderPlus,
  Info,
  Maximize2,
  PanelLeft,
  RotateCcw,
  Search,
  SkipForward,
  SquareCheck,
  Star,
  Tag,
  Trash2,
  Undo2,
} from '@lucide/svelte';
import { useCommands, type Command } from '$lib/commands';
import type { Move } from '$lib/justified';
import type { GalleryState } from './model/gallery.svelte';
import { DENSEST, LARGEST, preferences } from './model/preferences.svelte';
import { cleared, everything, toggled } from './model/selection';

const MOVES: [string, Exclude<Move, 'rowStart' | 'rowEnd'>][] = [
  ['ArrowLeft', 'left'],
  ['ArrowRight', 'right'],
  ['ArrowUp', 'up'],
  ['ArrowDown', 'down'],
  ['PageUp', 'pageUp'],
  ['PageDown', 'pageDown'],
  ['Home', 'first'],
  ['End', 'last'],
];

/** Rows a step taller or lower. */
export function resize(factor: number): void {
  const height = Math.round(preferences.rowHeight * factor);
  preferences.rowHeight = Math.min(LARGEST, Math.max(DENSEST, height));
}

/** Everything the gallery does by key and by name. */
export function useGalleryCommands(gallery: GalleryState, search: () => void): void {
  const { culling } = gallery;
  const onWall = () => gallery.full === null && gallery.compared.length === 0 && !gallery.covered;
  const some = () => gallery.targets.length > 0 && !gallery.covered;
  const live = () => some() && !gallery.trashed;

  const moves = MOVES.flatMap(([key, move]): Command[] => [
    {
      id: `gallery.${move}`,
      title: `gallery:move.${move}`,
      shortcut: key,
      hidden: true,
      when: onWall,
      run: () => gallery.move(move),
    },
    {
      id: `gallery.${move}.extend`,
      title: `gallery:move.${move}`,
      shortcut: `Shift+${key}`,
      hidden: true,
      when: onWall,
      run: () => gallery.move(move, 'extend'),
    },
    {
      id: `gallery.${move}.keep`,
      title: `gallery:move.${move}`,
      shortcut: `Mod+${key}`,
      hidden: true,
      when: onWall,
      run: () => gallery.move(move, 'keep'),
    },
  ]);
  const ratings = [0, 1, 2, 3, 4, 5].map((rating): Command => ({
    id: `gallery.rate.${rating}`,
    title: `gallery:command.rate.${rating as 0 | 1 | 2 | 3 | 4 | 5}`,
    icon: Star,
    shortcut: String(rating),
    when: live,
    run: () => void gallery.judge((keys) => culling.rate(keys, rating)),
  }));
  const flag = (which: 'pick' | 'reject' | 'none') => () =>
    void gallery.judge((keys) => culling.flag(keys, which));

  useCommands([
    ...moves,
    {
      id: 'gallery.all',
      title: 'gallery:command.all',
      icon: SquareCheck,
      shortcut: 'Mod+a',
      when: onWall,
      run: () => gallery.select(everything(gallery.selection, gallery.order.current)),
    },
    {
      id: 'gallery.clear',
      title: 'gallery:command.clear',
      shortcut: ['Escape', 'Mod+d'],
      when: () => onWall() && gallery.selection.keys.size > 0,
      run: () => gallery.select(cleared(gallery.selection)),
    },
    {
      id: 'gallery.toggle',
      title: 'gallery:command.toggle',
      shortcut: 'Mod+Space',
      when: () => onWall() && gallery.selection.cursor !== null,
      run: () => gallery.select(toggled(gallery.selection, gallery.selection.cursor ?? -1)),
    },
    {
      id: 'gallery.full',
      title: 'gallery:command.full',
      icon: Expand,
      shortcut: 'Space',
      when: () => onWall() && gallery.selection.cursor !== null,
      run: () => void gallery.showFull(gallery.selection.cursor ?? -1),
    },
    {
      id: 'gallery.compare',
      title: 'gallery:command.compare',
      icon: Columns2,
      shortcut: 'c',
      when: () => gallery.compared.length === 0 && some(),
      run: () => gallery.compare(),
    },
    {
      id: 'gallery.details',
      title: 'gallery:command.details',
      icon: Info,
      shortcut: ['Enter', 'i'],
      run: () => (preferences.details = !preferences.details),
    },
    ...ratings,
    {
      id: 'gallery.pick',
      title: 'gallery:command.pick',
      icon: Flag,
      shortcut: 'p',
      when: live,
      run: flag('pick'),
    },
    {
      id: 'gallery.reject',
      title: 'gallery:command.reject',
      icon: FlagOff,
      shortcut: 'x',
      when: live,
      run: flag('reject'),
    },
    {
      id: 'gallery.unflag',
      title: 'gallery:command.unflag',
      shortcut: 'u',
      when: live,
      run: flag('none'),
    },
    {
      id: 'gallery.tag',
      title: 'gallery:command.tag',
      icon: Tag,
      shortcut: 't',
      when: live,
      run: () => (gallery.tagging = true),
    },
    {
      id: 'gallery.collect',
      title: 'gallery:command.collect',
      icon: FolderPlus,
      shortcut: 'g',
      when: live,
      run: () => (gallery.collecting = true),
    },
    {
      id: 'gallery.crop',
      title: 'gallery:command.crop',
      icon: Crop,
      shortcut: 'r',
      when: live,
      run: () => void gallery.crop(),
    },
    {
      id: 'gallery.upscale',
      title: 'gallery:command.upscale',
      icon: Maximize2,
      shortcut: 'e',
      when: live,
      run: () => void gallery.upscale(),
    },
    {
      id: 'gallery.trash',
      title: 'gallery:command.trash',
      icon: Trash2,
      shortcut: ['Delete', 'Backspace'],
      when: live,
      run: gallery.trash,
    },
    {
      id: 'gallery.restore',
      title: 'gallery:command.restore',
      icon: RotateCcw,
      shortcut: 'r',
      when: () => some() && gallery.trashed,
      run: gallery.restore,
    },
    {
      id: 'gallery.erase',
      title: 'gallery:command.erase',
      icon: Trash2,
      shortcut: 'Delete',
      when: () => some() && gallery.trashed,
      run: () => (gallery.erasing = gallery.targets),
    },
    {
      id: 'gallery.undo',
      title: 'gallery:command.undo',
      icon: Undo2,
      shortcut: 'Mod+z',
      when: () => gallery.undo.possible && !gallery.covered,
      run: () => void gallery.takeBack(),
    },
    {
      id: 'gallery.advance',
      title: 'gallery:command.advance',
      icon: SkipForward,
      run: () => (preferences.advance = !preferences.advance),
    },
    {
      id: 'gallery.search',
      title: 'gallery:command.search',
      icon: Search,
      shortcut: ['/', 'Mod+f'],
      when: onWall,
      run: search,
    },
    {
      id: 'gallery.sidebar',
      title: 'gallery:command.sidebar',
      icon: PanelLeft,
      shortcut: '\\',
      when: onWall,
      run: () => (preferences.sidebar = !preferences.sidebar),
    },
    {
      id: 'gallery.larger',
      title: 'gallery:command.larger',
      shortcut: ['+', '='],
      when: onWall,
      run: () => resize(1.2),
    },
    {
      id: 'gallery.smaller',
      title: 'gallery:command.smaller',
      shortcut: '-',
      when: onWall,
      run: () => resize(1 / 1.2),
    },
  ]);
}
