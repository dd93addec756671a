export { fixLabel, remarkAt, remarkText, suggestionOf } from './diagnostics';
export { default as PromptEditor } from './PromptEditor.svelte';
