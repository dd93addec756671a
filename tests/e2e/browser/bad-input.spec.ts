// What comes from outside may be anything, and what is needed may be missing: clear words, and nothing is lost.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test as base } from '@playwright/test';
import { drop } from '../support/drop.ts';
import { chunk, png, withInfotext } from '../support/png.ts';
import { expect, open, Studio, test, welcomed } from '../support/studio.ts';

const restore = 'This picture knows how it was made';

/** What is kept to start from. */
function kept(studio: Studio): string[] {
  const folder = join(studio.library, '.tarim', 'inputs');
  return existsSync(folder) ? readdirSync(folder) : [];
}

test('a file that is no picture is refused with words', async ({ page, studio, problems }) => {
  await open(page, studio);
  await page.getByRole('textbox', { name: 'Prompt', exact: true }).click();
  await page.keyboard.insertText('words that stay');
  await drop(page, 'notes.txt', 'text/plain', Buffer.from('a shopping list'));
  await expect(page.getByText('That is not a picture.')).toBeVisible();
  await drop(page, 'liar.png', 'image/png', Buffer.from('not a picture either'));
  await expect(page.getByText('That cannot be used as it is')).toBeVisible();
  await expect(page.getByText(/the file is not a picture that is known here/)).toBeVisible();
  await expect(page.getByRole('textbox', { name: 'Prompt', exact: true })).toHaveText('words that stay');
  expect(kept(studio)).toEqual([]);
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

test('a picture whose pixels are damaged is refused, and says how', async ({ page, studio, problems }) => {
  await open(page, studio);
  const broken = withInfotext('a fox\nSteps: 4, Seed: 1, Size: 256x256');
  broken.writeUInt32BE(0xdeadbeef, broken.length - 12 - 4); // the pixels' checksum
  await page.getByRole('textbox', { name: 'Prompt', exact: true }).click();
  await page.keyboard.insertText('words that stay');
  await drop(page, 'crc.png', 'image/png', broken);
  await expect(page.getByText('That cannot be used as it is')).toBeVisible();
  await expect(page.getByText(/the picture is damaged: .*CRC/i)).toBeVisible();
  await expect(page.getByRole('dialog', { name: restore })).toHaveCount(0);
  await expect(page.getByRole('textbox', { name: 'Prompt', exact: true })).toHaveText('words that stay');
  expect(kept(studio)).toEqual([]);
  const refusals = /\/upload|StudioError/;
  expect(problems.splice(0).filter((problem) => !refusals.test(problem))).toEqual([]);
});

test('a text with a wrong checksum is left out, and the picture can be used', async ({ page, studio }) => {
  await open(page, studio);
  const text = chunk('tEXt', Buffer.from('parameters\0a fox\nSteps: 4, Seed: 1, Size: 256x256'));
  text.writeUInt32BE(0xdeadbeef, text.length - 4);
  await drop(page, 'crc.png', 'image/png', png([text]));
  await expect(page.getByRole('img', { name: 'The picture that is started from' }).first()).toBeVisible();
  await expect(page.getByText(/tEXt chunk of \d+ bytes does not have the checksum/)).toBeVisible();
  await expect(page.getByRole('dialog', { name: restore })).toHaveCount(0);
  expect(kept(studio)).toHaveLength(1);
});

test('a text of 100 MB is left out, and the picture can be used', async ({ page, studio }) => {
  await open(page, studio);
  // Playwright hands over at most 50 MB by value; a file goes by its path.
  const large = join(studio.folder, 'large.png');
  const words = Buffer.alloc(100 * 1024 * 1024, 'a');
  writeFileSync(large, png([chunk('tEXt', Buffer.concat([Buffer.from('parameters\0'), words]))]));
  await page.locator('input[type=file]').setInputFiles(large);
  // At once, because a notice is gone after a while, and a picture of this size keeps the browser busy.
  await Promise.all([
    expect(page.getByRole('img', { name: 'The picture that is started from' }).first()).toBeVisible({ timeout: 60_000 }),
    expect(page.getByText(/tEXt chunk of 104857611 bytes is too large and was skipped/)).toBeVisible({ timeout: 60_000 }),
  ]);
  await expect(page.getByRole('dialog', { name: restore })).toHaveCount(0);
  // The server did not swell for good, and goes on working.
  await studio.render('a cat');
});

/** A folder whose libtorch lacks what our renderer needs, as one of another version does. */
function otherLibtorch(studio: Studio): string {
  const folder = join(studio.folder, 'libtorch');
  mkdirSync(join(folder, 'lib'), { recursive: true });
  const source = join(folder, 'empty.c');
  writeFileSync(source, 'int of_another_version;');
  for (const name of ['torch', 'torch_cpu', 'c10']) {
    const library = join(folder, 'lib', `lib${name}.so`);
    execFileSync('cc', ['-shared', '-fPIC', '-o', library, `-Wl,-soname,lib${name}.so`, source]);
  }
  return folder;
}

const renderers: [string, (studio: Studio) => Record<string, string>, RegExp][] = [
  ['is missing', () => ({ TARIM_RENDERER: '/nonexistent/tarim-renderer' }), /renderer.*\/nonexistent\/tarim-renderer/i],
  ['is no renderer', () => ({ TARIM_RENDERER: '/bin/true' }), /the renderer ended by itself with exit code 0/],
  ['finds another libtorch', (studio) => ({ LIBTORCH: otherLibtorch(studio) }), /libtorch of another version/i],
];
for (const [what, environment, message] of renderers) {
  base(`a renderer that ${what} is said, and the picture waits`, async ({ page }) => {
    const studio = new Studio();
    try {
      await studio.start({ environment: environment(studio) });
      await welcomed(studio);
      await open(page, studio);
      await page.getByRole('textbox', { name: 'Prompt', exact: true }).click();
      await page.keyboard.insertText('a fox');
      await page.keyboard.press('Control+Enter');
      await expect(page.getByRole('alert').filter({ hasText: message }).first()).toBeVisible();
      const queue = await studio.rpc('get_queue', {});
      expect([queue.waiting_total, queue.failed_total, queue.paused]).toEqual([1, 0, true]);
      // With the right one in its place the picture is made.
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
}

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
    const aside = readdirSync(kept).filter((name) => name.startsWith('library') && name.includes('damaged'));
    expect(aside.map((name) => readFileSync(join(kept, name)).subarray(0, 8).toString())).toContain('xxxxxxxx');
    // Tags too were in the files.
    const { pictures } = await studio.rpc('find_pictures', { ids: [jobs[0] ?? ''] });
    expect(pictures.map(({ tags }) => tags)).toEqual([['winter']]);
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
