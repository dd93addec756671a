import { untrack } from 'svelte';
import { SvelteMap } from 'svelte/reactivity';
import type { IconType } from '$lib/components';
import { t, type Key } from '$lib/i18n';

/** Something a user can do. It shows in the palette, and on the cheat sheet if it has a key. */
export interface Command {
  /** `gallery.pick`: the view, then the deed. */
  id: string;
  title: Key;
  /** Fills `{{name}}` in the title. */
  values?: Record<string, Key>;
  icon?: IconType;
  /** `Mod+Enter`, `Shift+?`, `ArrowLeft`, `1`; Mod is Ctrl, or Command on a Mac. The first is shown. */
  shortcut?: string | string[];
  /** Works in every view. Leave it out for a view's own commands. */
  global?: boolean;
  /** Also while a text field has the focus. Shortcuts with Mod do so anyway. */
  inText?: boolean;
  /** Out of the palette: arrows and other keys that mean nothing by name. */
  hidden?: boolean;
  /** Reactive; false hides the command and frees its key. */
  when?: () => boolean;
  run: () => void;
}

const commands = new SvelteMap<string, Command>();

/** Adds a command until the returned function is called. A later one with the same id replaces it. */
export function registerCommand(command: Command): () => void {
  commands.set(command.id, command);
  return () => {
    if (commands.get(command.id) === command) commands.delete(command.id);
  };
}

/** Registers commands for as long as the calling component lives. */
export function useCommands(list: Command[]): void {
  $effect(() => {
    const gone = untrack(() => list.map(registerCommand));
    return () => gone.forEach((drop) => drop());
  });
}

/** What can be done right now. */
export const activeCommands = (): Command[] =>
  [...commands.values()].filter((command) => command.when?.() ?? true);

export function commandTitle(command: Command): string {
  const values = Object.entries(command.values ?? {}).map(([name, key]) => [name, t(key)]);
  return t(command.title, Object.fromEntries(values) as Record<string, string>);
}

export function shortcutsOf(command: Command): string[] {
  if (!command.shortcut) return [];
  return Array.isArray(command.shortcut) ? command.shortcut : [command.shortcut];
}
