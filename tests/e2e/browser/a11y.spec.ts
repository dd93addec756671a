// axe in every view and dialog: in each theme, in each language, and as wide as a phone. Nothing serious.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Page } from '@playwright/test';
import type * as Axe from 'axe-core';
import type { Language, Theme } from '../../../ui/src/lib/api/generated/contract.ts';
import { drop } from '../support/drop.ts';
import { withInfotext } from '../support/png.ts';
import { expect, open, test } from '../support/studio.ts';

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

/** Whether the page has to be moved sideways to see all of it. */
async function overflow(page: Page): Promise<string[]> {
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  return wide > 0 ? [`the page is ${wide} pixels wider than the screen`] : [];
}

const SHOWN: [Theme, Language][] = [
  ['light', 'en'],
  ['dark', 'zh-Hans'],
  ['grey', 'zh-Hant'],
];
const DESK = { width: 1280, height: 800 };
const PHONE = { width: 390, height: 844 };

test('no view has a serious violation in any theme, in any language, on a desk or a phone', async ({ page, studio }) => {
  test.setTimeout(240_000);
  await page.emulateMedia({ reducedMotion: 'reduce' });
  const found: Record<string, string[]> = {};

  /** Looks at what is on the page, opened again for each language where it says how, and leaves it in English. */
  async function check(where: string, widths: 'both' | 'desk' = 'both', open?: () => Promise<void>): Promise<void> {
    for (const [theme, language] of [...SHOWN.slice(1), ...SHOWN.slice(0, 1)]) {
      await studio.rpc('change_settings', { theme, language });
      await expect(page.locator('html')).toHaveAttribute('lang', language);
      await expect(page.locator('html')).toHaveAttribute('data-theme', theme);
      await open?.();
      note(`${where}, ${theme}, ${language}`, await violations(page));
    }
    if (widths === 'desk') return;
    await page.setViewportSize(PHONE);
    note(`${where}, phone`, [...(await violations(page)), ...(await overflow(page))]);
    await page.setViewportSize(DESK);
  }
  const note = (where: string, list: string[]) => {
    if (list.length > 0) found[where] = list;
  };

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
  await drop(page, 'a.png', 'image/png', withInfotext('a fox\nSteps: 4, Sampler: Euler, Seed: 1, Size: 256x256'));
  await expect(page.getByRole('dialog', { name: 'This picture knows how it was made' })).toBeVisible();
  await check('create, a picture that knows how it was made');
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: 'Inpaint this' }).click();
  await expect(page.getByRole('application', { name: 'Mask' })).toBeVisible();
  await check('create, inpaint', 'desk');

  await open(page, studio, 'gallery');
  const wall = page.getByRole('grid', { name: 'All pictures' });
  await expect(wall.getByRole('gridcell', { name: /fox/ })).toHaveCount(3);
  await wall.focus();
  await page.keyboard.press('Home');
  await page.keyboard.press('4');
  await check('gallery');
  await wall.focus();
  await page.keyboard.press('Home');
  await page.keyboard.press('Shift+ArrowRight');
  await check('gallery, several chosen', 'desk');
  await page.keyboard.press('c');
  await expect(page.getByRole('region', { name: 'Comparing 2 pictures' })).toBeVisible();
  await check('compare', 'desk');
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
  await check('models, adding a folder');
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
  // A list of commands in another language is another list.
  await check('commands', 'both', async () => {
    await page.keyboard.press('Escape');
    await expect(page.getByRole('dialog')).toHaveCount(0);
    await page.keyboard.press('Control+k');
    await expect(page.getByRole('dialog').getByRole('option').first()).toBeVisible();
  });
  await page.keyboard.press('Escape');
  await page.keyboard.press('Shift+?');
  await expect(page.getByRole('dialog', { name: /shortcuts/i })).toBeVisible();
  await check('shortcuts');

  expect(found).toEqual({});
});
