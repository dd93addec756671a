export { remarkAt, remarkText } from './diagnostics';
export { default as PromptEditor } from './PromptEditor.svelte';
