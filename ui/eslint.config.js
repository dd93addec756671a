import js from '@eslint/js';
import prettier from 'eslint-config-prettier';
import svelte from 'eslint-plugin-svelte';
import globals from 'globals';
import ts from 'typescript-eslint';
import svelteConfig from './svelte.config.js';
import noLiteralText from './tools/eslint-no-literal-text.js';

/** Only platform/tauri.ts may know that a desktop shell exists. */
const tauri = {
  group: ['@tauri-apps/*'],
  message: 'Only src/lib/platform/tauri.ts talks to Tauri; use $lib/platform.',
};

const restrict = (...patterns) => ({
  'no-restricted-imports': ['error', { patterns }],
});

export default ts.config(
  { ignores: ['dist/', 'screenshots/', 'src/lib/api/generated/'] },
  js.configs.recommended,
  ...ts.configs.strict,
  ...svelte.configs.recommended,
  prettier,
  ...svelte.configs.prettier,
  {
    languageOptions: { globals: { ...globals.browser, ...globals.node } },
    plugins: { tarim: { rules: { 'no-literal-text': noLiteralText } } },
    rules: {
      eqeqeq: 'error',
      'no-undef': 'off', // TypeScript sees to it.
      '@typescript-eslint/consistent-type-imports': 'error',
      'no-console': ['error', { allow: ['warn', 'error'] }],
    },
  },
  {
    files: ['**/*.svelte', '**/*.svelte.ts'],
    languageOptions: { parserOptions: { parser: ts.parser, svelteConfig } },
    rules: {
      'svelte/no-at-html-tags': 'error',
      // Registries and caches that no template reads are plain collections on purpose.
      'svelte/prefer-svelte-reactivity': 'off',
    },
  },
  { files: ['src/**/*.svelte'], rules: { 'tarim/no-literal-text': 'error' } },
  // The tiers: lib/components -> lib/state -> views. Nothing looks upwards.
  { files: ['src/**/*'], ignores: ['src/lib/platform/tauri.ts'], rules: restrict(tauri) },
  {
    files: ['src/lib/**/*'],
    ignores: ['src/lib/platform/tauri.ts', 'src/lib/components/**'],
    rules: restrict(tauri, {
      regex: '(^|/)views/',
      message: 'lib is below the views; hand it what it needs.',
    }),
  },
  {
    files: ['src/lib/components/**/*'],
    rules: restrict(tauri, {
      regex: '(^|/)(views|state|platform|api)(/|$)',
      message: 'Components know nothing of Tarim: pass data in, hand events out.',
    }),
  },
  {
    files: ['src/views/**/*'],
    rules: restrict(tauri, {
      regex: '^(\\.\\./)+(Create|Gallery|History|Queue|Models|Sets|Settings|Welcome)/',
      message: 'Views do not import one another; share through $lib.',
    }),
  },
);
