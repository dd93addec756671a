// What comes from outside may be anything, and what is needed may be missing: clear words, and nothing is lost.
import { readdirSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test as base } from '@playwright/test';
import { drop } from '../support/drop.ts';
import { chunk, png, withInfotext } from '../support/png.ts';
import { expect, open, Studio, test, welcomed } from '../support/studio.ts';

const restore = 'This picture knows how it was made';

test('a file that is no picture is refused with words', async ({ page, studio, problems }) => {
  await open(page, studio);
  await drop(page, 'notes.txt', 'text/plain', Buffer.from('a shopping list'));
  await expect(page.getByText('That is not a picture.')).toBeVisible();
  await drop(page, 'liar.png', 'image/png', Buffer.from('not a picture either'));
  await expect(page.getByText('That cannot be used as it is')).toBeVisible();
  expect(problems.splice(0).join()).toContain('/upload'); // the refusal that was asked for
});

test('a prompt that is a program stays text', async ({ page, studio }) => {
  const hostile = `<img src=x onerror="window.pwned=1"><script>window.pwned=1</script> {{constructor}}`;
  await open(page, studio);
  await drop(
    page,
    'hostile.png',
    'image/png',
    withInfotext(`${hostile}\nSteps: 4, Sampler: Euler, CFG scale: 2, Seed: 1, Size: 256x256`),
  );
  const dialog = page.getByRole('dialog', { name: restore });
  await expect(dialog.getByText('onerror')).toBeVisible();
  await dialog.getByRole('button', { name: 'Restore its recipe' }).click();
  await expect(page.getByRole('textbox', { name: 'Prompt', exact: true })).toContainText(
    '<script>window.pwned=1</script>',
  );
  await studio.render(hostile);
  for (const view of ['gallery', 'history']) {
    await open(page, studio, view);
    await expect(
      page.getByRole('gridcell', { name: /onerror/ }).or(page.getByRole('article', { name: /onerror/ })),
    ).toBeVisible();
  }
  expect(await page.evaluate(() => 'pwned' in window)).toBe(false);
});

test('damaged and oversized pictures are refused or read as far as they go', async ({ page, studio, problems }) => {
  await open(page, studio);
  const picker = page.locator('input[type=file]');
  const broken = withInfotext('a fox\nSteps: 4, Seed: 1, Size: 256x256');
  broken.writeUInt32BE(0xdeadbeef, broken.length - 12 - 4); // the pixels' checksum
  await picker.setInputFiles({ name: 'crc.png', mimeType: 'image/png', buffer: broken });
  await expect(
    page
      .getByText('That cannot be used as it is')
      .or(page.getByRole('dialog', { name: restore }))
      .first(),
  ).toBeVisible();

  // Playwright hands over at most 50 MB by value; a file goes by its path.
  const large = join(studio.folder, 'large.png');
  const words = Buffer.alloc(100 * 1024 * 1024, 'a');
  writeFileSync(large, png([chunk('tEXt', Buffer.concat([Buffer.from('parameters\0'), words]))]));
  await page.reload();
  await picker.setInputFiles(large);
  await expect(
    page
      .getByText('That cannot be used as it is')
      .or(page.getByRole('dialog', { name: restore }))
      .or(page.getByRole('img', { name: 'The picture that is started from' }))
      .first(),
  ).toBeVisible({ timeout: 60_000 });
  // It goes on working.
  await studio.render('a cat');
  const refusals = /\/upload|\/rpc\/read_input|StudioError/;
  expect(problems.splice(0).filter((problem) => !refusals.test(problem))).toEqual([]);
});

base('a renderer that is missing is said, and the picture waits', async ({ page }) => {
  const studio = await new Studio().start({ environment: { TARIM_RENDERER: '/nonexistent/tarim-renderer' } });
  try {
    await welcomed(studio);
    await open(page, studio);
    await page.getByRole('textbox', { name: 'Prompt', exact: true }).click();
    await page.keyboard.insertText('a fox');
    await page.keyboard.press('Control+Enter');
    await expect(
      page
        .getByRole('alert')
        .filter({ hasText: /renderer/i })
        .first(),
    ).toBeVisible();
    await expect
      .poll(async () => {
        const queue = await studio.rpc('get_queue', {});
        return queue.waiting_total + queue.failed_total;
      })
      .toBe(1);
    // With the renderer back in its place the picture is made.
    await studio.stop();
    await studio.start();
    await expect
      .poll(
        async () => (await studio.rpc('layout_pictures', { query: '', sort: 'newest', trashed: false })).keys.length,
        { timeout: 60_000 },
      )
      .toBe(1);
  } finally {
    await studio.stop();
    studio.remove();
  }
});

base('a damaged index is kept aside, made again and told', async ({ page }) => {
  const studio = await new Studio().start();
  try {
    await welcomed(studio);
    const { jobs } = await studio.render('a white bear', 2);
    await studio.rpc('update_pictures', { ids: [jobs[0] ?? ''], rating: 4, add_tags: ['winter'], remove_tags: [] });
    await studio.stop();
    const kept = join(studio.library, '.tarim');
    const index = join(kept, 'library.sqlite');
    writeFileSync(index, Buffer.alloc(8192, 'x'));
    for (const name of readdirSync(kept)) if (/sqlite-(wal|shm)$/.test(name)) truncateSync(join(kept, name));
    await studio.start();
    await open(page, studio, 'gallery');
    await expect(page.getByRole('alert').filter({ hasText: /index was damaged/i })).toBeVisible();
    await expect(page.getByRole('gridcell', { name: /white bear/ })).toHaveCount(2);
    await expect(page.getByRole('gridcell', { name: /white bear, 4 stars/ })).toHaveCount(1);
    expect(readdirSync(kept).filter((name) => name.startsWith('library') && name.includes('damaged'))).not.toEqual([]);
  } finally {
    await studio.stop();
    studio.remove();
  }
});

base('a library folder that cannot be made is said', async ({ page }) => {
  const studio = new Studio();
  try {
    writeFileSync(studio.library, 'a file where the folder should be');
    await studio.start();
    await page.goto(`${studio.url}/#/create`);
    await expect(page.getByRole('alert').filter({ hasText: studio.library })).toBeVisible();
  } finally {
    await studio.stop();
    studio.remove();
  }
});
