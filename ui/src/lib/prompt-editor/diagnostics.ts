import { forEachDiagnostic, type Diagnostic } from '@codemirror/lint';
import type { EditorView } from '@codemirror/view';
import type { Remark } from '$lib/api';
import { t, type Key } from '$lib/i18n';

/** A remark in the user's language; in the backend's English while a code is too new to be translated. */
export function remarkText(remark: Remark): string {
  const key = `create:remark.${remark.code}`;
  const text = t(key as Key);
  // A missing text comes back as its own key.
  return text === '' || key.endsWith(text) ? remark.message : text;
}

/** What to put in a remark's place: what the backend suggests, else the plain form of a full-width character. */
export function suggestionOf(remark: Remark, text: string): string | undefined {
  if (remark.suggestion !== undefined) return remark.suggestion;
  if (remark.code !== 'full_width_punctuation') return undefined;
  const written = text.slice(remark.from, remark.to);
  const plain = written.normalize('NFKC').replace(/[【】《》]/g, (mark) => PLAIN[mark] ?? mark);
  return plain === written ? undefined : plain;
}
const PLAIN: Record<string, string> = { '【': '[', '】': ']', '《': '<', '》': '>' };

/** What a button says that puts a suggestion in. */
export const fixLabel = (suggestion: string): string =>
  suggestion === '' ? t('create:remark_fix.remove') : t('create:remark_fix.use', { suggestion });

/** A remark at its place in an editor. */
export interface Placed extends Diagnostic {
  remark: Remark;
}

/** Remarks as the editor wants them: inside the text, wide enough to be seen, in order. */
export function diagnosticsOf(remarks: readonly Remark[], text: string): Placed[] {
  return remarks
    .map((remark): Placed => {
      const from = Math.min(Math.max(0, remark.from), text.length);
      const to = Math.min(Math.max(from, remark.to), text.length);
      const suggestion = suggestionOf(remark, text);
      const action = suggestion !== undefined &&
        from < to && {
          name: fixLabel(suggestion),
          apply: (view: EditorView, begin: number, end: number) =>
            putIn(view, begin, end, suggestion),
        };
      return {
        ...(from === to ? widened(from, text.length) : { from, to }),
        severity: remark.severity === 'warning' ? 'warning' : 'hint',
        message: remarkText(remark),
        remark,
        ...(action && { actions: [action] }),
      };
    })
    .sort((a, b) => a.from - b.from);
}

/** Replaces a place, as one step of undo, and leaves the cursor after it. */
function putIn(view: EditorView, from: number, to: number, insert: string): void {
  view.dispatch({
    changes: { from, to, insert },
    selection: { anchor: from + insert.length },
    userEvent: 'input.fix',
  });
  view.focus();
}

/** Puts a remark's suggestion in, wherever its place has moved to since. */
export function fix(view: EditorView, remark: Remark): void {
  let done = false;
  forEachDiagnostic(view.state, (diagnostic, from, to) => {
    if (done || (diagnostic as Partial<Placed>).remark !== remark) return;
    done = true;
    diagnostic.actions?.[0]?.apply(view, from, to);
  });
}

function widened(at: number, length: number): { from: number; to: number } {
  return at < length ? { from: at, to: at + 1 } : { from: Math.max(0, at - 1), to: at };
}

/** The remark at the cursor, the narrowest if there are several. */
export function remarkAt(remarks: readonly Remark[], at: number): Remark | null {
  const hit = remarks.filter((remark) => remark.from <= at && at <= remark.to);
  return hit.sort((a, b) => a.to - a.from - (b.to - b.from))[0] ?? null;
}
