// axe in every view, in both themes: nothing serious.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Page } from '@playwright/test';
import type * as Axe from 'axe-core';
import { expect, open, Studio, test } from '../support/studio.ts';

const source = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** Serious and critical violations, in words. */
async function violations(page: Page): Promise<string[]> {
  // The content policy forbids script elements; evaluation by the driver is no such thing.
  await page.evaluate(source);
  // Colours are measured as they are, not in the middle of a transition.
  await page.evaluate(() => {
    for (const motion of document.getAnimations()) {
      if (motion.effect?.getComputedTiming().endTime === Infinity) motion.cancel();
      else motion.finish();
    }
  });
  const found = await page.evaluate(async () => {
    const { axe } = window as unknown as { axe: typeof Axe };
    const { violations } = await axe.run(document, { resultTypes: ['violations'] });
    return violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map(({ html }) => html.slice(0, 160)).join(' | ')}`);
  });
  return found;
}

const theme = (studio: Studio, name: 'light' | 'dark') => studio.rpc('change_settings', { theme: name });

for (const name of ['light', 'dark'] as const) {
  test(`no view has a serious violation in ${name}`, async ({ page, studio }) => {
    await theme(studio, name);
    await page.emulateMedia({ reducedMotion: 'reduce' });
    const found: Record<string, string[]> = {};
    const check = async (where: string) => (found[where] = await violations(page));

    await page.goto(`${studio.url}/#/welcome`);
    await expect(page.getByRole('heading', { name: 'Welcome to Tarim' })).toBeVisible();
    await check('welcome');
    await open(page, studio);
    await expect(page.getByRole('heading', { name: 'Start with a few words' })).toBeVisible();
    await check('create, empty');
    await studio.render('a blue fox, teal background', 2);
    const textbox = page.getByRole('textbox', { name: 'Prompt', exact: true });
    await textbox.click();
    await page.keyboard.insertText('a (red fox:1.2), [cat:dog:0.5] BREAK (');
    await expect(page.getByText('This bracket is not closed')).toBeVisible();
    await page.keyboard.press('Control+Enter');
    await expect(page.getByRole('toolbar', { name: 'This picture' })).toBeVisible({ timeout: 60_000 });
    await check('create, done');
    await page.getByRole('button', { name: 'Inpaint this' }).click();
    await expect(page.getByRole('application', { name: 'Mask' })).toBeVisible();
    await check('create, inpaint');

    await open(page, studio, 'gallery');
    const wall = page.getByRole('grid', { name: 'All pictures' });
    await expect(wall.getByRole('gridcell', { name: /fox/ })).toHaveCount(3);
    await wall.focus();
    await page.keyboard.press('Home');
    await page.keyboard.press('4');
    await check('gallery');
    await page.keyboard.press('Shift+ArrowRight');
    await check('gallery, several chosen');
    await page.keyboard.press('c');
    await expect(page.getByRole('region', { name: 'Comparing 2 pictures' })).toBeVisible();
    await check('compare');
    await page.keyboard.press('Escape');
    await page.keyboard.press('Space');
    await expect(page.getByRole('region', { name: 'Full view' })).toBeVisible();
    await check('full view');

    await open(page, studio, 'history');
    await expect(page.getByRole('article')).not.toHaveCount(0);
    await check('history');
    await open(page, studio, 'models');
    await expect(page.getByRole('article', { name: 'starter' })).toBeVisible();
    await check('models');
    await page.getByRole('button', { name: 'Add a folder' }).click();
    await expect(page.getByRole('dialog', { name: 'Add a folder' })).toBeVisible();
    await check('a dialog');
    await page.keyboard.press('Escape');
    await open(page, studio, 'settings');
    await expect(page.getByRole('heading', { name: 'Appearance' })).toBeVisible();
    await check('settings');

    await studio.rpc('pause_queue', { paused: true, finish_current: true });
    await studio.rpc('submit', { draft: { prompt: 'a cat' }, count: 2, tags: [], priority: 0 });
    await page.getByRole('button', { name: /^Queue/ }).click();
    await expect(page.getByRole('dialog', { name: 'Queue' }).getByText('2 waiting')).toBeVisible();
    await check('queue');
    await page.keyboard.press('Escape');
    await page.keyboard.press('Control+k');
    await expect(page.getByRole('dialog', { name: 'Commands' })).toBeVisible();
    await check('commands');

    expect(Object.fromEntries(Object.entries(found).filter(([, list]) => list.length > 0))).toEqual({});
  });
}
