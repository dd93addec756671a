// A studio of its own for each test: `tarim serve` on a free port, an empty library, settings of its own.
import { test as base, expect, type Page } from '@playwright/test';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { Commands } from '../../../ui/src/lib/api/generated/contract.ts';
import type { Disk } from './disk.ts';
import { program, root } from './programs.ts';

export interface Options {
  /** Further environment of the server and so of its renderer. */
  environment?: Record<string, string>;
  /** Where the library is to be, if not with everything else. */
  disk?: Disk;
}

/** A running `tarim serve`. */
export class Studio {
  readonly folder = mkdtempSync(join(tmpdir(), 'tarim-e2e-'));
  readonly library = join(this.folder, 'pictures 画');
  url = '';
  /** What the server wrote, for a failure's message. */
  output = '';
  private process: ChildProcess | undefined;

  /** The environment in which every program of this test keeps its files. */
  environment(more: Record<string, string> = {}): NodeJS.ProcessEnv {
    return {
      ...process.env,
      HOME: this.folder,
      XDG_CONFIG_HOME: join(this.folder, 'config'),
      XDG_DATA_HOME: join(this.folder, 'data'),
      XDG_CACHE_HOME: join(this.folder, 'cache'),
      LIBTORCH: process.env.LIBTORCH ?? join(root, '.deps/libtorch-2.11.0-cpu/torch'),
      ...more,
    };
  }

  async start(options: Options = {}): Promise<this> {
    const args = ['serve', '--listen', '127.0.0.1:0', '--library', this.library];
    const [file, all] = options.disk?.around(program('tarim'), args, root) ?? [program('tarim'), args];
    const child = spawn(file, all, {
      cwd: root,
      env: this.environment(options.environment),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.process = child;
    this.output = '';
    this.url = await new Promise<string>((found, failed) => {
      const listen = (chunk: Buffer) => {
        this.output += chunk.toString();
        const url = /http:\/\/127\.0\.0\.1:\d+/.exec(this.output);
        if (url) found(url[0]);
      };
      child.stdout.on('data', listen);
      child.stderr.on('data', listen);
      child.on('exit', (code) => failed(new Error(`tarim serve ended with ${code}: ${this.output}`)));
      child.on('error', failed);
    });
    return this;
  }

  get pid(): number {
    return this.process?.pid ?? 0;
  }

  /** Ends the server; SIGKILL is what a crash or a power cut is. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const child = this.process;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((done) => child.once('exit', done));
    child.kill(signal);
    const late = setTimeout(() => child.kill('SIGKILL'), 20_000);
    await ended;
    clearTimeout(late);
  }

  /** Calls a command as the UI does. */
  async rpc<Name extends keyof Commands>(
    name: Name,
    request: Commands[Name]['request'],
  ): Promise<Commands[Name]['response']> {
    const response = await fetch(`${this.url}/rpc/${name}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', origin: this.url },
      body: JSON.stringify(request),
    });
    const body = await response.text();
    if (!response.ok) throw new Error(`${name}: ${response.status} ${body}`);
    return JSON.parse(body) as Commands[Name]['response'];
  }

  /** Renders pictures without the UI and waits for them. */
  async render(prompt: string, count = 1, more: Partial<Commands['submit']['request']['draft']> = {}) {
    const submitted = await this.rpc('submit', {
      draft: { prompt, steps: 4, seed: '7', ...more },
      count,
      tags: [],
      priority: 0,
    });
    await expect
      .poll(async () => (await this.rpc('get_request', { id: submitted.request })).outcome.done, { timeout: 90_000 })
      .toBe(count);
    return submitted;
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Goes past the welcome, for tests of everything else. */
export async function welcomed(studio: Studio): Promise<void> {
  await studio.rpc('change_settings', { welcomed: true, language: 'en', theme: 'light' });
}

/** A test with a studio that was welcomed already. */
export const test = base.extend<{ studio: Studio; problems: string[] }>({
  studio: async ({}, use, info) => {
    const studio = await new Studio().start();
    await welcomed(studio);
    await use(studio);
    await studio.stop();
    if (info.status !== info.expectedStatus) console.log(studio.output);
    studio.remove();
  },
  // What the page complains about: no test may end with an error in the console or a refusal by the content policy.
  problems: [
    // After the studio in the list, so that it is asked before the studio ends and the line to it breaks.
    async ({ page, studio: _studio }, use) => {
      const problems: string[] = [];
      page.on('pageerror', (error) => problems.push(String(error)));
      page.on('console', (message) => {
        // A preview may be gone by the time it is asked for: the picture has taken its place.
        if (message.location().url.includes('/resource/preview/')) return;
        if (message.type() === 'error') problems.push(`${message.text()} (${message.location().url})`);
      });
      await use(problems);
      expect(problems).toEqual([]);
    },
    { auto: true },
  ],
});

/** Opens a view. */
export async function open(page: Page, studio: Studio, view = 'create'): Promise<void> {
  await page.goto(`${studio.url}/#/${view}`);
  await expect(page.getByRole('navigation', { name: 'Main' })).toBeVisible();
}

export { expect };
