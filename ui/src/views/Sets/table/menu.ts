import { ArrowDown, ArrowUp, CopyPlus, Eraser, PaintBucket, Trash2 } from '@lucide/svelte';
import type { MenuItem } from '$lib/components';
import { t } from '$lib/i18n';
import type { Deeds } from '../model/deeds.svelte';

/** What can be done to the chosen rows and cells. */
export function rowMenu(deeds: Deeds): MenuItem[] {
  const none = deeds.real === null;
  const run = (work: () => Promise<void>) => () => void work();
  return [
    { label: t('sets:row.above'), icon: ArrowUp, onselect: run(() => deeds.insert('above')) },
    {
      label: t('sets:row.below'),
      icon: ArrowDown,
      shortcut: 'Mod++',
      onselect: run(() => deeds.insert('below')),
    },
    {
      label: t('sets:row.duplicate'),
      icon: CopyPlus,
      shortcut: 'Mod+Shift+D',
      disabled: none,
      onselect: run(() => deeds.duplicate()),
    },
    {
      label: t('sets:row.fill'),
      icon: PaintBucket,
      shortcut: 'Mod+D',
      disabled: none,
      onselect: run(() => deeds.fillDown()),
    },
    {
      label: t('sets:row.clear'),
      icon: Eraser,
      shortcut: 'Delete',
      disabled: none,
      onselect: run(() => deeds.clear()),
    },
    'separator',
    {
      label: t('sets:row.delete'),
      icon: Trash2,
      shortcut: 'Mod+-',
      danger: true,
      disabled: none,
      onselect: run(() => deeds.remove()),
    },
  ];
}
