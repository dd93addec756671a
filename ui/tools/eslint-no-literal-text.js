// Text that people read belongs in src/lib/i18n/locales; this rule finds it where it does not.
const ATTRIBUTES = new Set([
  'label',
  'title',
  'placeholder',
  'aria-label',
  'aria-description',
  'alt',
  'hint',
  'description',
]);
const hasWord = (text) => /\p{L}{2,}/u.test(text);

export default {
  meta: {
    type: 'problem',
    docs: { description: 'no literal text in components' },
    messages: { literal: 'Literal text "{{text}}": put it in the locales and use t().' },
    schema: [],
  },
  create(context) {
    const report = (node, text) =>
      context.report({ node, messageId: 'literal', data: { text: text.trim().slice(0, 40) } });
    return {
      SvelteText(node) {
        const parent = node.parent;
        const name = parent?.name?.name;
        if (name === 'style' || name === 'script' || parent?.type === 'SvelteStyleElement') return;
        if (hasWord(node.value)) report(node, node.value);
      },
      SvelteAttribute(node) {
        if (!ATTRIBUTES.has(node.key?.name)) return;
        for (const part of node.value) {
          if (part.type === 'SvelteLiteral' && hasWord(part.value)) report(part, part.value);
        }
      },
    };
  },
};
