/** Whether this machine's main modifier is Command. */
export const isApple =
  typeof navigator !== 'undefined' && /Mac|iPhone|iPad/.test(navigator.platform ?? '');

const APPLE: Record<string, string> = { Mod: '⌘', Alt: '⌥', Shift: '⇧', Control: '⌃' };
const OTHER: Record<string, string> = { Mod: 'Ctrl', Control: 'Ctrl' };
const SYMBOL: Record<string, string> = {
  ArrowUp: '↑',
  ArrowDown: '↓',
  ArrowLeft: '←',
  ArrowRight: '→',
  Enter: '↵',
  Escape: 'Esc',
  Delete: 'Del',
  Backspace: '⌫',
};

/** The caps to draw for a shortcut, in this machine's words. */
export function keyCaps(shortcut: string): string[] {
  const names = isApple ? APPLE : OTHER;
  return shortcut
    .split(/[+ ](?=.)/)
    .map((key) => names[key] ?? SYMBOL[key] ?? (key.length === 1 ? key.toUpperCase() : key));
}
