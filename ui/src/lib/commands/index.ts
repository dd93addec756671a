export {
  activeCommands,
  commandTitle,
  registerCommand,
  shortcutsOf,
  useCommands,
  type Command,
} from './registry.svelte';
export { handleShortcut } from './shortcuts';
