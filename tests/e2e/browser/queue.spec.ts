// The queue outlives whatever happens to the program.
import { readdirSync } from 'node:fs';
import { expect, open, test } from '../support/studio.ts';

test('six pictures survive a pause, a new order and a killed server, each exactly once', async ({
  page,
  studio,
  problems,
}) => {
  await studio.rpc('pause_queue', { paused: true, finish_current: true });
  const jobs: string[] = [];
  for (const [prompt, count] of [
    ['a red cat', 3],
    ['a blue bear', 3],
  ] as const) {
    const submitted = await studio.rpc('submit', { draft: { prompt, steps: 8 }, count, tags: [], priority: 0 });
    jobs.push(...submitted.jobs);
  }
  await open(page, studio);
  await page.getByRole('button', { name: /^Queue/ }).click();
  const drawer = page.getByRole('dialog', { name: 'Queue' });
  await expect(drawer.getByText('6 waiting')).toBeVisible();
  await drawer.getByRole('button', { name: /^Move a blue bear/ }).press('ArrowUp');
  await expect.poll(async () => (await studio.rpc('get_queue', {})).waiting[0]?.prompt).toBe('a blue bear');
  await drawer.getByRole('button', { name: 'Go on' }).click();
  const made = async () => (await studio.rpc('layout_pictures', { query: '', sort: 'oldest', trashed: false })).keys;
  await expect.poll(async () => (await made()).length, { timeout: 60_000 }).toBeGreaterThan(0);

  await studio.stop('SIGKILL');
  await expect(page.getByText('Connection to Tarim lost')).toBeVisible();
  problems.length = 0; // The browser says that the line broke, as it should.
  await studio.start();
  await expect.poll(async () => (await made()).length, { timeout: 90_000 }).toBe(6);
  const { pictures } = await studio.rpc('find_pictures', { ids: jobs });
  expect(pictures.map(({ id }) => id).sort()).toEqual([...jobs].sort());
  const { waiting_total, running, failed_total } = await studio.rpc('get_queue', {});
  expect([waiting_total, running.length, failed_total]).toEqual([0, 0, 0]);
  const files = readdirSync(studio.library, { recursive: true, encoding: 'utf8' })
    .filter((name) => !name.startsWith('.tarim'))
    .filter((name) => /\.\w+$/.test(name));
  expect(files).toHaveLength(6);
  expect(files.every((name) => name.endsWith('.png'))).toBe(true);

  await page.goto(`${studio.url}/#/gallery`);
  await expect(page.getByRole('gridcell', { name: /cat|bear/ })).toHaveCount(6);
  problems.length = 0;
});
