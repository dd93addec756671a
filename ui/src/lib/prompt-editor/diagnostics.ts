import type { Diagnostic } from '@codemirror/lint';
import type { Remark } from '$lib/api';
import { t, type Key } from '$lib/i18n';

/** A remark in the user's language; in the backend's English while a code is too new to be translated. */
export function remarkText(remark: Remark): string {
  const key = `create:remark.${remark.code}`;
  const text = t(key as Key);
  // A missing text comes back as its own key.
  return text === '' || key.endsWith(text) ? remark.message : text;
}

/** Remarks as the editor wants them: inside the text, wide enough to be seen, in order. */
export function diagnosticsOf(remarks: readonly Remark[], text: string): Diagnostic[] {
  return remarks
    .map((remark): Diagnostic => {
      const from = Math.min(Math.max(0, remark.from), text.length);
      const to = Math.min(Math.max(from, remark.to), text.length);
      return {
        ...(from === to ? widened(from, text.length) : { from, to }),
        severity: remark.severity === 'warning' ? 'warning' : 'hint',
        message: remarkText(remark),
      };
    })
    .sort((a, b) => a.from - b.from);
}

function widened(at: number, length: number): { from: number; to: number } {
  return at < length ? { from: at, to: at + 1 } : { from: Math.max(0, at - 1), to: at };
}

/** The remark at the cursor, the narrowest if there are several. */
export function remarkAt(remarks: readonly Remark[], at: number): Remark | null {
  const hit = remarks.filter((remark) => remark.from <= at && at <= remark.to);
  return hit.sort((a, b) => a.to - a.from - (b.to - b.from))[0] ?? null;
}
