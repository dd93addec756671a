// Where the programs under test are.
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..');

/** A program that `cargo xtask test` built. */
export function program(name: string): string {
  const target = process.env.CARGO_TARGET_DIR ?? join(root, 'target');
  const path = join(target, process.env.TARIM_PROFILE ?? 'debug', name);
  if (!existsSync(path)) throw new Error(`${path} is not there: run \`cargo xtask test\`, which builds it`);
  return path;
}
