import { StateField, type EditorState, type Extension, type Range } from '@codemirror/state';
import { Decoration, EditorView, type DecorationSet } from '@codemirror/view';
import { scan } from './scan';

/** Beyond this nobody reads colours, and painting would cost. */
const LONGEST = 50_000;

/** Three steps up, three down: what a glance can tell apart. */
export function weightClass(weight: number): string | null {
  const off = Math.abs(weight - 1);
  if (off < 0.001) return null;
  const step = off < 0.16 ? 1 : off < 0.36 ? 2 : 3;
  return `pe-${weight > 1 ? 'more' : 'less'}-${step}`;
}

function paint(state: EditorState, negative: boolean): DecorationSet {
  if (state.doc.length > LONGEST) return Decoration.none;
  const { groups, tokens } = scan(state.doc.toString(), negative);
  const marks: Range<Decoration>[] = [];
  for (const group of groups) {
    const name =
      group.kind === 'schedule' || group.kind === 'alternate'
        ? `pe-${group.kind}`
        : group.kind !== 'network' && weightClass(group.weight);
    if (name) marks.push(Decoration.mark({ class: name }).range(group.from, group.to));
  }
  for (const { kind, from, to } of tokens) {
    if (from < to) marks.push(Decoration.mark({ class: `pe-${kind}` }).range(from, to));
  }
  return Decoration.set(marks, true);
}

/** Colours what is a prompt's grammar and shades text by its weight. */
export function highlight(negative: boolean): Extension {
  return StateField.define<DecorationSet>({
    create: (state) => paint(state, negative),
    update: (marks, change) => (change.docChanged ? paint(change.state, negative) : marks),
    provide: (field) => EditorView.decorations.from(field),
  });
}
