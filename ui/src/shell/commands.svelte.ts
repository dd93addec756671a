import { Command as CommandIcon, Keyboard, ListVideo, SunMoon } from '@lucide/svelte';
import { useCommands, type Command } from '$lib/commands';
import { navigate } from '$lib/router/index.svelte';
import { panels, setLook, themes } from '$lib/state';
import { views } from '../views';

/** What can be done in every view. */
export function useShellCommands(): void {
  const places = views
    .filter((view) => view.icon)
    .map((view): Command => ({
      id: `go.${view.id}`,
      title: 'common:command.go',
      values: { view: view.title },
      icon: view.icon,
      shortcut: view.shortcut,
      global: true,
      run: () => navigate(view.id),
    }));
  const looks = themes.map((theme): Command => ({
    id: `theme.${theme}`,
    title: `common:command.theme.${theme}`,
    icon: SunMoon,
    global: true,
    run: () => setLook({ theme }),
  }));
  useCommands([
    ...places,
    {
      id: 'queue.toggle',
      title: 'common:command.queue',
      icon: ListVideo,
      shortcut: 'Mod+J',
      global: true,
      run: () => (panels.queue = !panels.queue),
    },
    {
      id: 'palette.open',
      title: 'common:palette.open',
      icon: CommandIcon,
      shortcut: 'Mod+K',
      global: true,
      run: () => (panels.palette = !panels.palette),
    },
    {
      id: 'keys.open',
      title: 'common:keys.title',
      icon: Keyboard,
      shortcut: '?',
      global: true,
      run: () => (panels.keys = true),
    },
    ...looks,
  ]);
}
