import {
  Brush,
  Check,
  Dices,
  Expand,
  ImagePlus,
  ImageUp,
  PanelRight,
  RotateCcw,
  Shuffle,
  Sparkles,
  Square,
  SquareSplitHorizontal,
  Trash2,
  X,
} from '@lucide/svelte';
import type { Command } from '$lib/commands';
import type { Controller } from './model/controller.svelte';
import { form, layout, resetSettings } from './model/form.svelte';
import { flag, rate, startFromResult, trash, useSettings, vary } from './model/results';
import { allPending, cells, choose, session, stop, type Shot } from './model/session';
import { starting } from './model/source.svelte';

interface Deeds {
  focusPrompt: () => void;
  weigh: (by: number) => void;
  choosePicture: () => void;
  toggleSettings: () => void;
  toggleCompare: () => void;
}

/** What can be done in Create, for the palette, the keys and their sheet. */
export function createCommands(studio: Controller, deeds: Deeds): Command[] {
  const result = (): Shot | null =>
    !starting.editing && session.shown?.picture && !session.shown.picture.trashed
      ? session.shown
      : null;
  const withResult = (run: (shot: Shot) => void) => ({
    when: () => result() !== null,
    run: () => {
      const shot = result();
      if (shot) run(shot);
    },
  });
  const step = (by: number) => () => {
    const all = cells();
    const at = all.indexOf(session.shown as Shot);
    const next = all[Math.min(all.length - 1, Math.max(0, at + by))];
    if (next) choose(next);
  };
  const browsing = () => !starting.editing && cells().length > 1;

  return [
    {
      id: 'create.submit',
      title: 'create:command.submit',
      icon: Sparkles,
      shortcut: 'Mod+Enter',
      run: () => void studio.create(),
    },
    {
      id: 'create.stop',
      title: 'create:command.stop',
      icon: Square,
      shortcut: 'Mod+.',
      when: () => session.pending > 0,
      run: () => void stop(allPending()),
    },
    { id: 'create.prompt', title: 'create:command.prompt', shortcut: '/', run: deeds.focusPrompt },
    {
      id: 'create.heavier',
      title: 'create:command.heavier',
      shortcut: 'Mod+ArrowUp',
      run: () => deeds.weigh(0.1),
    },
    {
      id: 'create.lighter',
      title: 'create:command.lighter',
      shortcut: 'Mod+ArrowDown',
      run: () => deeds.weigh(-0.1),
    },
    {
      id: 'create.negative',
      title: 'create:command.negative',
      run: () => (layout.negative = !layout.negative),
    },
    {
      id: 'create.settings',
      title: 'create:command.settings',
      icon: PanelRight,
      shortcut: ['Mod+\\'],
      run: deeds.toggleSettings,
    },
    { id: 'create.reset', title: 'create:setting.reset', icon: RotateCcw, run: resetSettings },
    {
      id: 'create.dice',
      title: 'create:seed.dice',
      icon: Dices,
      run: () => (form.seedLocked = false),
    },
    {
      id: 'create.open',
      title: 'create:command.open',
      icon: ImagePlus,
      shortcut: 'Mod+o',
      run: deeds.choosePicture,
    },
    {
      id: 'create.edit',
      title: 'create:command.edit',
      icon: Brush,
      when: () => starting.source !== null && starting.tool !== 'img2img',
      run: () => (starting.editing = !starting.editing),
    },
    {
      id: 'create.previous',
      title: 'create:command.previous',
      shortcut: 'ArrowLeft',
      hidden: true,
      when: browsing,
      run: step(-1),
    },
    {
      id: 'create.next',
      title: 'create:command.next',
      shortcut: 'ArrowRight',
      hidden: true,
      when: browsing,
      run: step(1),
    },
    ...([1, 2, 3, 4, 5] as const).map((stars): Command => ({
      id: `create.rate.${stars}`,
      title: `create:command.rate.${stars}`,
      shortcut: String(stars),
      hidden: true,
      ...withResult((shot) => void rate(shot, stars)),
    })),
    {
      id: 'create.pick',
      title: 'create:result.pick',
      icon: Check,
      shortcut: 'p',
      ...withResult((shot) => void flag(shot, 'pick')),
    },
    {
      id: 'create.reject',
      title: 'create:result.reject',
      icon: X,
      shortcut: 'x',
      ...withResult((shot) => void flag(shot, 'reject')),
    },
    {
      id: 'create.vary',
      title: 'create:result.vary',
      icon: Shuffle,
      shortcut: 'v',
      ...withResult((shot) => void vary(shot)),
    },
    {
      id: 'create.use',
      title: 'create:result.use_all',
      icon: RotateCcw,
      ...withResult((shot) => void useSettings(studio, shot, 'all')),
    },
    {
      id: 'create.img2img',
      title: 'create:result.start',
      icon: ImageUp,
      ...withResult((shot) => void startFromResult(studio, shot, 'img2img')),
    },
    {
      id: 'create.inpaint',
      title: 'create:result.inpaint',
      icon: Brush,
      shortcut: 'b',
      ...withResult((shot) => void startFromResult(studio, shot, 'inpaint')),
    },
    {
      id: 'create.outpaint',
      title: 'create:result.outpaint',
      icon: Expand,
      shortcut: 'o',
      ...withResult((shot) => void startFromResult(studio, shot, 'outpaint')),
    },
    {
      id: 'create.compare',
      title: 'create:compare.toggle',
      icon: SquareSplitHorizontal,
      shortcut: 'c',
      when: () => result()?.order.submit.draft.init_picture !== undefined,
      run: deeds.toggleCompare,
    },
    {
      id: 'create.trash',
      title: 'create:result.trash',
      icon: Trash2,
      shortcut: 'Delete',
      ...withResult((shot) => void trash(shot)),
    },
  ];
}
