// The first run: the welcome, a first picture, the studio.
import { test as base } from '@playwright/test';
import { expect, Studio } from '../support/studio.ts';

base('a newcomer makes a first picture and enters the studio', async ({ page }) => {
  const studio = await new Studio().start();
  try {
    await page.goto(studio.url);
    await expect(page.getByRole('heading', { name: 'Welcome to Tarim' })).toBeVisible();
    await expect(page.getByRole('textbox', { name: 'Where pictures go' })).toHaveValue(studio.library);
    await page.getByRole('button', { name: 'Test this device' }).click();
    await expect(page.getByText(/A first picture with the starter model takes about/)).toBeVisible({ timeout: 60_000 });
    await page.getByRole('button', { name: 'Draw a first picture' }).click();
    await expect(page.getByRole('img', { name: /orange fox/ })).toBeVisible({ timeout: 60_000 });
    await page.getByRole('button', { name: 'Open the studio' }).click();
    await expect(page.getByRole('textbox', { name: 'Prompt', exact: true })).toBeVisible();
    await page.reload();
    await expect(page.getByRole('navigation', { name: 'Main' })).toBeVisible();
    await expect(page.getByRole('heading', { name: 'Welcome to Tarim' })).toHaveCount(0);
  } finally {
    await studio.stop();
    studio.remove();
  }
});
