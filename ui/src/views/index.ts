import { Boxes, History, Images, Settings, Sparkles, Table2 } from '@lucide/svelte';
import type { Component } from 'svelte';
import type { IconType } from '$lib/components';
import type { Key } from '$lib/i18n';

export interface View {
  id: string;
  title: Key;
  /** Views without one are reached from elsewhere and are not on the rail. */
  icon?: IconType;
  shortcut?: string;
  /** What it lies on: `stage` around pictures, otherwise the chrome's own ground, where text reads best. */
  ground?: 'stage';
  /** Without rail and drawers. */
  bare?: boolean;
  load: () => Promise<{ default: Component }>;
}

/** Every view, in the rail's order; each is loaded when it is first opened. */
export const views: View[] = [
  {
    id: 'create',
    title: 'common:nav.create',
    ground: 'stage',
    icon: Sparkles,
    shortcut: 'Mod+1',
    load: () => import('./Create/Create.svelte'),
  },
  {
    id: 'gallery',
    title: 'common:nav.gallery',
    ground: 'stage',
    icon: Images,
    shortcut: 'Mod+2',
    load: () => import('./Gallery/Gallery.svelte'),
  },
  {
    id: 'history',
    title: 'common:nav.history',
    icon: History,
    shortcut: 'Mod+3',
    load: () => import('./History/History.svelte'),
  },
  {
    id: 'sets',
    title: 'common:nav.sets',
    icon: Table2,
    shortcut: 'Mod+4',
    load: () => import('./Sets/Sets.svelte'),
  },
  {
    id: 'models',
    title: 'common:nav.models',
    icon: Boxes,
    shortcut: 'Mod+5',
    load: () => import('./Models/Models.svelte'),
  },
  {
    id: 'settings',
    title: 'common:nav.settings',
    icon: Settings,
    shortcut: 'Mod+,',
    load: () => import('./Settings/Settings.svelte'),
  },
  {
    id: 'welcome',
    title: 'welcome:title',
    bare: true,
    load: () => import('./Welcome/Welcome.svelte'),
  },
];

/** The queue lives in the shell's drawer. */
export const loadQueue = (): Promise<{ default: Component }> => import('./Queue/Queue.svelte');
