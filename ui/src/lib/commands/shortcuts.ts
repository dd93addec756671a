import { matchKeyBindingPress, parseKeybinding } from 'tinykeys';
import { activeCommands, shortcutsOf } from './registry.svelte';

const TEXT = 'input, textarea, select, [contenteditable=""], [contenteditable="true"]';
/** What Enter and the space bar press. */
const PRESSED =
  'button, a[href], summary, [role="button"], [role="radio"], [role="switch"], [role="checkbox"], [role="tab"]';
const OVERLAY = '[role="dialog"], [role="alertdialog"], [role="menu"], [role="listbox"]';

function matches(event: KeyboardEvent, shortcut: string): boolean {
  // `?` and other characters that need Shift on some keyboards only are matched by what was typed.
  if (shortcut.length === 1 && !/[a-z0-9]/i.test(shortcut)) {
    return event.key === shortcut && !event.ctrlKey && !event.metaKey && !event.altKey;
  }
  const [press] = parseKeybinding(shortcut.replace(/\bMod\b/, '$mod'));
  return press !== undefined && matchKeyBindingPress(event, press);
}

/** Runs the command a key belongs to. App.svelte hangs it on the window. */
export function handleShortcut(event: KeyboardEvent): void {
  // While an input method composes (Chinese typing), keys belong to it.
  if (event.defaultPrevented || event.isComposing || event.key === 'Process') return;
  const target = event.target instanceof Element ? event.target : null;
  const typing = Boolean(target?.closest(TEXT));
  const overlaid = Boolean(target?.closest(OVERLAY));
  const modified = event.ctrlKey || event.metaKey;

  if (!modified && (event.key === 'Enter' || event.key === ' ') && target?.closest(PRESSED)) return;

  // The newest wins: a view's own key goes before a global one.
  for (const command of activeCommands().reverse()) {
    if (typing && !modified && !command.inText) continue;
    if (overlaid && !command.global) continue;
    if (overlaid && !modified) continue;
    if (shortcutsOf(command).some((shortcut) => matches(event, shortcut))) {
      event.preventDefault();
      command.run();
      return;
    }
  }
}
