import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Plugin } from 'vite';

const IMPORT = /import\s*\{([^}]*)\}\s*from\s*['"]@lucide\/svelte['"];?/g;

/** Icon name -> file name, from the set's own index and its aliases. */
function readNames(): Map<string, string> {
  const names = new Map<string, string>();
  for (const list of ['icons/index.js', 'aliases/aliases.js']) {
    const path = new URL(`../node_modules/@lucide/svelte/dist/${list}`, import.meta.url);
    const text = readFileSync(fileURLToPath(path), 'utf8');
    for (const found of text.matchAll(/default as (\w+)[^}]*\} from ['"][./\w]*\/([\w-]+)\./g)) {
      if (found[1] && found[2]) names.set(found[1], found[2]);
    }
  }
  return names;
}

/**
 * Turns `import { X } from '@lucide/svelte'` into an import of that icon's own file. The package's index names some
 * 1,700 components, and without this each build and each test file would compile them all.
 */
export function lucideIcons(): Plugin {
  let names: Map<string, string> | undefined;
  return {
    name: 'lucide-icons',
    enforce: 'pre',
    transform(code, id) {
      if (!/\.(svelte|ts)$/.test(id) || id.includes('node_modules')) return null;
      if (!code.includes('@lucide/svelte')) return null;
      const known = (names ??= readNames());
      const rewritten = code.replace(IMPORT, (statement, list: string) => {
        const imports = list.split(',').map((part) => part.trim().split(/\s+as\s+/));
        const lines = imports
          .filter(([name]) => name)
          .map(([name = '', local = name]) => {
            const file = known.get(name);
            return file ? `import ${local} from '@lucide/svelte/icons/${file}';` : null;
          });
        // A name that is not an icon: leave the statement to fail, or work, as it would.
        return lines.includes(null) ? statement : lines.join(' ');
      });
      return { code: rewritten, map: null };
    },
  };
}
