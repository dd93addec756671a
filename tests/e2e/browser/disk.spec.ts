// A disk that is full, and one that cannot be written to: the UI says so, the queue waits, nothing is lost, and once the
// disk is well again every picture is there exactly once.
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { test as base, type Page } from '@playwright/test';
import { Disk } from '../support/disk.ts';
import { expect, open, Studio, welcomed } from '../support/studio.ts';

/** A studio whose library is on a disk of its own. */
const test = base.extend<{ disk: Disk; studio: Studio }>({
  disk: async ({ studio }, use) => {
    const disk = await Disk.mount(studio.library, 24);
    await studio.start({ disk });
    await welcomed(studio);
    await use(disk);
    await studio.stop();
    disk.remove();
  },
  studio: async ({}, use, info) => {
    test.skip(process.platform !== 'linux', 'name spaces are of Linux');
    const studio = new Studio();
    await use(studio);
    if (info.status !== info.expectedStatus) console.log(studio.output);
    studio.remove();
  },
});

/** The files of the library by name, and what is in them. */
function files(disk: Disk): Map<string, string> {
  const names = readdirSync(disk.path(), { recursive: true, encoding: 'utf8', withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => `${entry.parentPath}/${entry.name}`.slice(disk.path().length + 1))
    .filter((name) => !name.startsWith('.tarim/') && !name.startsWith('.ballast/'));
  const hash = (name: string) => createHash('sha256').update(readFileSync(disk.path(name))).digest('hex');
  return new Map(names.map((name) => [name, hash(name)]));
}

/** Queues pictures that take a while and waits until one of them is being drawn. */
async function drawing(studio: Studio, prompt: string, count: number): Promise<void> {
  await studio.rpc('submit', { draft: { prompt, steps: 30, seed: '1' }, count, tags: [], priority: 0 });
  await expect.poll(async () => (await studio.rpc('get_queue', {})).running[0]?.progress?.step ?? 0).toBeGreaterThan(0);
}

/** What is told above every view. */
const problem = (page: Page, text: RegExp) =>
  page
    .getByRole('alert')
    .filter({ has: page.getByRole('button', { name: 'Close' }) })
    .filter({ hasText: text });

/** Every picture once, whole, in index and folder alike, and nothing left to do. */
async function expectPictures(studio: Studio, disk: Disk, count: number, earlier: Map<string, string>) {
  const keys = async () =>
    (await studio.rpc('layout_pictures', { query: '', sort: 'newest', trashed: false })).keys.length;
  await expect.poll(keys, { timeout: 100_000 }).toBe(count);
  const { running, waiting_total, failed_total, paused } = await studio.rpc('get_queue', {});
  expect({ running: running.length, waiting_total, failed_total, paused }).toEqual({
    running: 0,
    waiting_total: 0,
    failed_total: 0,
    paused: false,
  });
  const now = files(disk);
  expect([...now.keys()].filter((name) => !name.endsWith('.png'))).toEqual([]);
  expect(now.size).toBe(count);
  expect(new Set(now.values()).size).toBe(count);
  for (const [name, hash] of earlier) expect(now.get(name)).toBe(hash);
}

test('a disk that is full halts the queue and loses nothing', async ({ page, studio, disk }) => {
  test.setTimeout(240_000);
  await studio.render('a white bear', 2);
  const earlier = files(disk);
  expect(earlier.size).toBe(2);

  // Nothing can even be queued: the words stay where they were typed.
  disk.fill();
  await open(page, studio);
  const prompt = page.getByRole('textbox', { name: 'Prompt', exact: true });
  await prompt.click();
  await page.keyboard.insertText('a red fox');
  await page.keyboard.press('Control+Enter');
  await expect(page.getByText('The disk is full').first()).toBeVisible();
  await expect(prompt).toHaveText('a red fox');
  expect(files(disk)).toEqual(earlier);

  // It fills up while pictures are drawn.
  disk.empty();
  await drawing(studio, 'a red fox', 3);
  disk.fill();
  await expect(problem(page, /disk is full/i)).toBeVisible({ timeout: 60_000 });
  expect(files(disk)).toEqual(earlier);
  expect((await studio.rpc('get_queue', {})).paused).toBe(true);

  // Not even the power may go.
  await studio.stop('SIGKILL');
  await studio.start({ disk });
  await open(page, studio, 'gallery');
  await expect(problem(page, /disk is full/i)).toBeVisible({ timeout: 60_000 });
  expect(files(disk)).toEqual(earlier);

  disk.empty();
  await problem(page, /disk is full/i).getByRole('button', { name: 'Try again' }).click();
  await expect(page.getByRole('gridcell', { name: /white bear/ })).toHaveCount(2);
  await expectPictures(studio, disk, 5, earlier);
  await expect(problem(page, /disk is full/i)).toHaveCount(0);
  await expect(page.getByRole('gridcell', { name: /red fox/ })).toHaveCount(3);
});

test('a folder that turns read-only halts the queue until it is writable again', async ({ page, studio, disk }) => {
  await studio.render('a white bear', 1);
  const earlier = files(disk);
  await open(page, studio, 'gallery');
  await drawing(studio, 'a red fox', 2);
  disk.seal();
  await expect(problem(page, /cannot be written to/i)).toBeVisible({ timeout: 60_000 });
  expect(files(disk)).toEqual(earlier);
  const queue = await studio.rpc('get_queue', {});
  expect(queue.paused).toBe(true);
  expect(queue.waiting_total + queue.running.length).toBe(2);

  // Still so: said again, and still nothing is lost.
  await problem(page, /cannot be written to/i).getByRole('button', { name: 'Try again' }).click();
  await expect.poll(async () => (await studio.rpc('get_queue', {})).paused).toBe(true);
  await expect(problem(page, /cannot be written to/i)).toBeVisible();

  disk.unseal();
  await problem(page, /cannot be written to/i).getByRole('button', { name: 'Try again' }).click();
  await expectPictures(studio, disk, 3, earlier);
  await expect(problem(page, /cannot be written to/i)).toHaveCount(0);
});

test('a library on a read-only disk is said, and opens once it can be written to', async ({ page, studio, disk }) => {
  const { jobs } = await studio.render('a white bear', 2);
  await studio.rpc('update_pictures', { ids: [jobs[0] ?? ''], rating: 4, add_tags: [], remove_tags: [] });
  await studio.stop();
  const earlier = files(disk);
  disk.seal();
  await studio.start({ disk });
  await open(page, studio, 'gallery');
  const told = problem(page, /cannot be written to/i);
  await expect(told).toContainText(studio.library);
  await told.getByRole('button', { name: 'Try again' }).click();
  await expect(told).toBeVisible();
  expect(files(disk)).toEqual(earlier);

  disk.unseal();
  await told.getByRole('button', { name: 'Try again' }).click();
  await expect(told).toHaveCount(0);
  await expect(page.getByRole('gridcell', { name: /white bear/ })).toHaveCount(2);
  await expect(page.getByRole('gridcell', { name: /white bear, 4 stars/ })).toHaveCount(1);
  await expectPictures(studio, disk, 2, earlier);
  expect(existsSync(disk.path('.tarim', 'library.sqlite'))).toBe(true);
});
