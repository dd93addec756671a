// The desktop window: from a prompt to the gallery, a dropped picture, and a queue that outlives the program.
import { test as base, expect } from '@playwright/test';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { Commands } from '../../../ui/src/lib/api/generated/contract.ts';
import { program, root } from '../support/programs.ts';
import { Desktop, type Window } from '../support/window.ts';

const PROMPT = 'avatar of an orange fox with a crown, purple background';

/** A home of its own, and a window in it. */
class Home {
  readonly folder = mkdtempSync(join(tmpdir(), 'tarim-window-'));
  readonly library = join(this.folder, 'pictures 画');
  desktop = new Desktop();

  async start(settings: object = {}): Promise<void> {
    const config = join(this.folder, 'tarim');
    const given = { welcomed: true, language: 'en', theme: 'light', on_close: 'stop', ...settings };
    mkdirSync(config, { recursive: true });
    writeFileSync(join(config, 'settings.json'), JSON.stringify(given));
    await this.desktop.start({
      ...process.env,
      HOME: this.folder,
      TARIM_CONFIG: config,
      TARIM_LIBRARY: this.library,
      LIBTORCH: process.env.LIBTORCH ?? join(root, '.deps/libtorch-2.11.0-cpu/torch'),
    });
  }

  open(args: string[] = []): Promise<Window> {
    return this.desktop.open(program('tarim-studio'), args);
  }

  pictures(): string[] {
    return readdirSync(this.library, { recursive: true, encoding: 'utf8' }).filter(
      (name) => name.endsWith('.png') && !name.startsWith('.tarim'),
    );
  }

  async remove(): Promise<void> {
    await this.desktop.stop();
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

const test = base.extend<{ home: Home }>({
  home: async ({}, use, info) => {
    const home = new Home();
    await home.start();
    await use(home);
    if (info.status !== info.expectedStatus) console.log(home.desktop.output);
    await home.remove();
  },
});

/** Asks a command of the studio the way the page does. */
function rpc<Name extends keyof Commands>(
  window: Window,
  name: Name,
  request: Commands[Name]['request'],
): Promise<Commands[Name]['response']> {
  return window.executeAsync(
    `const [name, request, done] = arguments;
     window.__TAURI_INTERNALS__.invoke('rpc', { name, request }).then(done, (error) => done({ error }));`,
    name,
    request,
  );
}

const ready = (window: Window) =>
  window.wait('the studio', `return document.querySelector('nav a[aria-current]') !== null`);

test('a prompt becomes a picture in the gallery', async ({ home }) => {
  const window = await home.open();
  await ready(window);
  await window.type('[role="textbox"]', PROMPT);
  await window.execute(
    `[...document.querySelectorAll('button')].find((it) => /^Create/.test(it.textContent.trim())).click()`,
  );
  await expect.poll(() => home.pictures().length, { timeout: 60_000 }).toBe(1);
  await window.execute(`location.hash = '#/gallery'`);
  // The thumbnail comes through the window's own scheme, and has pixels.
  await window.wait(
    'a thumbnail',
    `return [...document.images].some((it) => it.src.startsWith('tarim:') && it.naturalWidth > 0)`,
  );
  const layout = await rpc(window, 'layout_pictures', { query: 'fox', sort: 'newest', trashed: false });
  expect(layout.keys).toHaveLength(1);
  const shot = await window.screenshot();
  expect(shot.length).toBeGreaterThan(10_000);
  writeFileSync(test.info().outputPath('gallery.png'), shot);
  await window.close();
});

test('a picture that is dropped or opened restores how it was made', async ({ home }) => {
  const first = await home.open();
  await ready(first);
  await rpc(first, 'submit', { draft: { prompt: PROMPT, seed: '4711', steps: 4 }, count: 1, tags: [], priority: 0 });
  await expect.poll(() => home.pictures().length, { timeout: 60_000 }).toBe(1);
  const file = join(home.library, home.pictures()[0] ?? '');
  const bytes = readFileSync(file).toString('base64');

  // Dropped: the same events that the system's drop gives the page.
  await first.execute(
    `const bytes = Uint8Array.from(atob(arguments[0]), (it) => it.charCodeAt(0));
     const data = new DataTransfer();
     data.items.add(new File([bytes], 'dropped.png', { type: 'image/png' }));
     const view = document.querySelector('main');
     const target = view.querySelector('[data-stage], .stage, .create') ?? view.firstElementChild;
     for (const type of ['dragenter', 'dragover', 'drop']) {
       target.dispatchEvent(new DragEvent(type, { bubbles: true, cancelable: true, dataTransfer: data }));
     }`,
    bytes,
  );
  await first.wait('the question', `return document.querySelector('[role="dialog"]')?.textContent.includes(${JSON.stringify(PROMPT)})`);
  await first.close();

  // Opened with the program, as a file manager does.
  const second = await home.open([file]);
  await ready(second);
  await second.wait('the prompt', `return document.querySelector('[role="textbox"]')?.textContent.includes('orange fox')`);
  await second.wait('the seed', `return [...document.querySelectorAll('input')].some((it) => it.value === '4711')`);
  await second.close();
});

test('a queue is still there after the program was killed', async ({ home }) => {
  const first = await home.open();
  await ready(first);
  await rpc(first, 'submit', { draft: { prompt: PROMPT, steps: 20 }, count: 4, tags: [], priority: 0 });
  await expect.poll(() => home.pictures().length, { timeout: 60_000 }).toBeGreaterThan(0);
  // A power cut, as far as the program can tell.
  execFileSync('pkill', ['-KILL', '-f', program('tarim-studio')]);
  await first.close();
  await home.desktop.stop();

  home.desktop = new Desktop();
  await home.start();
  const second = await home.open();
  await ready(second);
  await expect.poll(() => home.pictures().length, { timeout: 90_000 }).toBe(4);
  const queue = await rpc(second, 'get_queue', {});
  expect([queue.running.length, queue.waiting_total, queue.failed_total]).toEqual([0, 0, 0]);
  const layout = await rpc(second, 'layout_pictures', { query: '', sort: 'newest', trashed: false });
  expect(layout.keys).toHaveLength(4);
  const contents = home.pictures().map((name) =>
    createHash('sha256').update(readFileSync(join(home.library, name))).digest('hex'),
  );
  expect(new Set(contents).size).toBe(4);
  await second.close();
});
