// Settings take effect at once; models show what is wrong with them.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, open, test } from '../support/studio.ts';

test('language and theme change at once and stay', async ({ page, studio }) => {
  await open(page, studio, 'settings');
  const choose = async (label: string, language: string) => {
    await page.getByLabel(label).click();
    await page.getByRole('option', { name: language }).click();
  };
  await choose('Language', '简体中文');
  await expect(page.getByRole('heading', { level: 1, name: '设置' })).toBeVisible();
  await expect(page.locator('html')).toHaveAttribute('lang', 'zh-Hans');
  await choose('语言', '繁體中文');
  await expect(page.getByRole('heading', { level: 1, name: '設定' })).toBeVisible();
  await choose('語言', 'English');
  await expect(page.getByRole('heading', { level: 1, name: 'Settings' })).toBeVisible();

  const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const light = await ground();
  await page.getByRole('radio', { name: 'Dark' }).click();
  await expect.poll(ground).not.toBe(light);
  await expect.poll(async () => (await studio.rpc('get_settings', {})).theme).toBe('dark');
  const dark = await ground();
  await page.reload();
  await expect.poll(ground).toBe(dark);
});

test('a folder of models is used in place, and a broken model says what is wrong', async ({
  page,
  studio,
  problems,
}) => {
  const folder = join(studio.folder, 'models 模型');
  mkdirSync(folder);
  writeFileSync(join(folder, 'broken.safetensors'), 'this is not a model');
  await open(page, studio, 'models');
  await page.getByRole('button', { name: 'Add a folder' }).click();
  const dialog = page.getByRole('dialog', { name: 'Add a folder' });
  await dialog.getByRole('textbox', { name: 'Folder' }).fill(join(studio.folder, 'nowhere'));
  await page.keyboard.press('Enter');
  await expect(dialog.getByText(/nowhere/)).toBeVisible();
  expect(problems.splice(0).join()).toContain('add_model_folder'); // the refusal that was asked for
  await dialog.getByRole('textbox', { name: 'Folder' }).fill(folder);
  await page.keyboard.press('Enter');
  await expect(dialog).toHaveCount(0);
  await expect(page.getByText(folder, { exact: true })).toBeVisible();
  const broken = page.getByRole('article', { name: 'broken' });
  await expect(broken).toBeVisible();
  await expect(broken).toContainText(/safetensors|header/i);
});
