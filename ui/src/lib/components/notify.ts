import { toast } from 'svelte-sonner';

/** A message that comes and goes by itself. */
export interface Notice {
  title: string;
  text?: string;
  tone?: 'info' | 'success' | 'warning' | 'error';
  /** One thing to do about it: Undo, Show, Retry. */
  action?: { label: string; run: () => void };
  /** A second notice with the same id replaces the first. */
  id?: string;
}

/** The one door to toasts. */
export function notify({ title, text, tone = 'info', action, id }: Notice): void {
  const show = tone === 'info' ? toast : toast[tone];
  show(title, {
    id,
    description: text,
    // What went wrong may need reading twice, and an undo needs time to be reached.
    duration: tone === 'error' ? 12_000 : action ? 8_000 : 4_000,
    action: action && { label: action.label, onClick: action.run },
  });
}
