// A prompt set from the spreadsheet to its pictures, through a crash of the server.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Page } from '@playwright/test';
import type * as Axe from 'axe-core';
import { expect, open, test } from '../support/studio.ts';

const source = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

async function violations(page: Page): Promise<string[]> {
  await page.evaluate(source);
  return page.evaluate(async () => {
    const { axe } = window as unknown as { axe: typeof Axe };
    const { violations } = await axe.run(document, { resultTypes: ['violations'] });
    return violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 160)).join(' | ')}`);
  });
}

/** Pastes as a browser does: with the text on the event. */
const paste = (page: Page, text: string) =>
  page.evaluate((data) => {
    const clipboardData = new DataTransfer();
    clipboardData.setData('text/plain', data);
    const event = new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true });
    document.activeElement?.dispatchEvent(event);
  }, text);

test('fifty rows are pasted, one is mended, and a killed server finishes them', async ({ page, studio, problems }) => {
  test.setTimeout(300_000);
  await page.emulateMedia({ reducedMotion: 'reduce' });
  await open(page, studio);
  await page.goto(`${studio.url}/#/sets`);
  await expect(page.getByRole('heading', { name: 'Many pictures from one table' })).toBeVisible();
  expect(await violations(page)).toEqual([]);
  await page.getByRole('button', { name: 'New' }).click();
  await page.getByRole('menuitem', { name: 'New prompt set' }).click();
  const grid = page.getByRole('grid', { name: 'Rows of the set' });
  await expect(grid).toBeVisible();

  await grid.getByRole('gridcell').first().click();
  const rows = Array.from({ length: 50 }, (_, index) =>
    ['"a red fox,\nsmiling"', String(index + 1), index === 30 ? 'fourr' : '4', '64x64'].join('\t'),
  );
  await paste(page, ['prompt\tseed\tsteps\tsize', ...rows, ''].join('\r\n'));
  await expect(grid).toHaveAttribute('aria-rowcount', '52');
  await expect(page.getByRole('button', { name: '1 row cannot run' })).toBeVisible();
  expect(await violations(page)).toEqual([]);

  await page.getByRole('button', { name: '1 row cannot run' }).click();
  await page.getByRole('button', { name: /^Row 3[12] · / }).click();
  await page.keyboard.type('4');
  await page.keyboard.press('Enter');
  await expect(page.getByText('50 new')).toBeVisible();

  await page.getByRole('button', { name: 'Run…' }).click();
  const dialog = page.getByRole('dialog', { name: 'Run the set' });
  await expect(dialog.getByText('50 new')).toBeVisible();
  expect(await violations(page)).toEqual([]);
  await dialog.getByRole('button', { name: 'Draw 50 pictures' }).click();
  await expect(dialog).toBeHidden();
  const pictures = page.getByRole('list', { name: 'Pictures of the run' }).getByRole('link');
  await expect.poll(() => pictures.count(), { timeout: 120_000 }).toBeGreaterThan(0);

  await studio.stop('SIGKILL');
  await expect(page.getByText('Connection to Tarim lost')).toBeVisible();
  problems.length = 0; // The browser says that the line broke, as it should.
  await studio.start();
  await page.goto(`${studio.url}/#/sets`);
  await page.getByRole('link', { name: /^Prompt set of / }).click();
  await expect(page.getByText('50 of 50').first()).toBeVisible({ timeout: 200_000 });
  await expect(pictures).toHaveCount(50);
  const made = await studio.rpc('layout_pictures', { query: '', sort: 'oldest', trashed: false });
  expect(made.keys).toHaveLength(50);

  // Run again, it has nothing to do.
  await expect(page.getByText('0 new')).toBeVisible();
  await expect(page.getByText('50 exist')).toBeVisible();
  expect(await violations(page)).toEqual([]);
  problems.length = 0;
});
