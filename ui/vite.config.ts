import { fileURLToPath } from 'node:url';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';
import { lucideIcons } from './tools/lucide-icons.ts';

// `tarim serve` listens here in development; the dev server hands it everything that is not UI.
const backend = process.env.TARIM_SERVER ?? 'http://127.0.0.1:7860';

export default defineConfig({
  // Relative, so that one build works under tauri://localhost and http://127.0.0.1:PORT/.
  base: './',
  plugins: [lucideIcons(), svelte()],
  resolve: {
    alias: { $lib: fileURLToPath(new URL('./src/lib', import.meta.url)) },
    // Components under test must be the browser build of Svelte, not the server one.
    ...(process.env.VITEST ? { conditions: ['browser'] } : {}),
  },
  build: { target: 'es2022', sourcemap: false },
  server: {
    port: 5173,
    strictPort: true,
    proxy: Object.fromEntries(
      ['/rpc', '/events', '/resource', '/upload'].map((path) => [path, { target: backend }]),
    ),
  },
  test: {
    environment: 'jsdom',
    include: ['tests/**/*.test.ts', 'src/**/*.test.ts'],
    setupFiles: ['tests/setup.ts'],
    testTimeout: 10_000,
  },
});
