import { history, historyKeymap, standardKeymap } from '@codemirror/commands';
import { lintKeymap, setDiagnostics } from '@codemirror/lint';
import { EditorSelection, Prec, type Extension } from '@codemirror/state';
import { drawSelection, EditorView, keymap, placeholder, type KeyBinding } from '@codemirror/view';
import { bracketMatching } from '@codemirror/language';
import type { Remark } from '$lib/api';
import { diagnosticsOf } from './diagnostics';
import { highlight } from './highlight';
import { adjustWeight } from './weight';

/** Makes the selection weigh more or less; one step of undo each. */
export function changeWeight(view: EditorView, by: number): boolean {
  // The input method owns the text while it composes.
  if (view.composing || view.state.readOnly) return false;
  const { from, to } = view.state.selection.main;
  const change = adjustWeight(view.state.doc.toString(), { from, to }, by);
  if (!change) return true;
  view.dispatch({
    changes: { from: change.from, to: change.to, insert: change.insert },
    selection: EditorSelection.single(change.selection.from, change.selection.to),
    scrollIntoView: true,
    userEvent: 'input.weight',
  });
  return true;
}

const weigh = (key: string, by: number): KeyBinding => ({
  key,
  run: (view) => changeWeight(view, by),
});

export interface Behaviour {
  negative: boolean;
  placeholder: string;
  attributes: Record<string, string>;
  onchange: (text: string) => void;
  oncursor: (at: number) => void;
  onsubmit: () => void;
  /** True when the text was taken care of and must not be put in. */
  onpaste: (text: string) => boolean;
}

/** Everything a prompt editor is made of. */
export function extensions(wanted: Behaviour): Extension[] {
  const submit: KeyBinding = {
    key: 'Mod-Enter',
    run: (view) => {
      if (!view.composing) wanted.onsubmit();
      return true;
    },
  };
  const leave: KeyBinding = {
    key: 'Escape',
    run: (view) => {
      view.contentDOM.blur();
      return true;
    },
  };
  return [
    Prec.highest(
      keymap.of([
        submit,
        weigh('Mod-ArrowUp', 0.1),
        weigh('Mod-ArrowDown', -0.1),
        weigh('Mod-Alt-ArrowUp', 0.05),
        weigh('Mod-Alt-ArrowDown', -0.05),
      ]),
    ),
    keymap.of([...historyKeymap, ...lintKeymap, ...standardKeymap, leave]),
    history(),
    drawSelection(),
    bracketMatching({ brackets: '()[]<>' }),
    highlight(wanted.negative),
    placeholder(wanted.placeholder),
    EditorView.lineWrapping,
    EditorView.contentAttributes.of({
      ...wanted.attributes,
      autocorrect: 'off',
      autocapitalize: 'off',
      spellcheck: 'false',
    }),
    EditorView.domEventHandlers({
      paste: (event) => {
        const text = event.clipboardData?.getData('text/plain') ?? '';
        if (!text || !wanted.onpaste(text)) return false;
        event.preventDefault();
        return true;
      },
    }),
    EditorView.updateListener.of((update) => {
      if (update.docChanged) wanted.onchange(update.state.doc.toString());
      if (update.docChanged || update.selectionSet) {
        wanted.oncursor(update.state.selection.main.head);
      }
    }),
  ];
}

/** Underlines what the backend remarked. */
export function showRemarks(view: EditorView, remarks: readonly Remark[]): void {
  const text = view.state.doc.toString();
  view.dispatch(setDiagnostics(view.state, diagnosticsOf(remarks, text)));
}

/** Puts in another text as one step of undo, leaving what is the same at both ends, and the cursor, alone. */
export function replaceText(view: EditorView, next: string): void {
  const now = view.state.doc.toString();
  if (now === next) return;
  const most = Math.min(now.length, next.length);
  let head = 0;
  while (head < most && now[head] === next[head]) head += 1;
  let tail = 0;
  while (tail < most - head && now[now.length - 1 - tail] === next[next.length - 1 - tail]) {
    tail += 1;
  }
  view.dispatch({
    changes: {
      from: head,
      to: now.length - tail,
      insert: next.slice(head, next.length - tail),
    },
  });
}
