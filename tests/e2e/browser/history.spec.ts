// The history: found in two languages, used again whole or in part, compared.
import { expect, open, test } from '../support/studio.ts';

test('an earlier prompt is found, used again and compared', async ({ page, studio }) => {
  await studio.render('a red fox with a crown', 1, { seed: '11' });
  await studio.render('蓝色的猫，戴皇冠', 1, { seed: '12' });
  await studio.render('a red fox with a beanie', 1, { seed: '13', steps: 5 });
  await open(page, studio, 'history');
  const search = page.getByRole('textbox', { name: 'Search the history' });
  const entries = page.getByRole('article');
  await expect(entries).toHaveCount(3);
  await search.fill('beanie');
  await expect(entries).toHaveCount(1);
  await search.fill('猫');
  await expect(entries).toHaveCount(1);
  await expect(entries).toContainText('蓝色的猫');
  await search.fill('皇冠');
  await expect(entries).toHaveCount(1);
  await search.fill('red fox');
  await expect(entries).toHaveCount(2);

  const first = page.getByRole('article', { name: 'a red fox with a crown' });
  const second = page.getByRole('article', { name: 'a red fox with a beanie' });
  for (const entry of [first, second]) {
    await entry.getByRole('button', { name: 'More' }).click();
    await page
      .getByRole('menuitemcheckbox', { name: 'Mark to compare' })
      .or(page.getByRole('menuitem', { name: 'Mark to compare' }))
      .click();
  }
  await page.getByRole('button', { name: 'Compare 2' }).click();
  const comparison = page.getByRole('dialog', { name: 'What changed' });
  await expect(comparison.getByRole('deletion')).toContainText('crown');
  await expect(comparison.getByRole('insertion')).toContainText('beanie');
  await expect(comparison.getByRole('row', { name: /seed/i })).toContainText('13');
  await page.keyboard.press('Escape');

  await second.getByRole('button', { name: 'Use again' }).click();
  const prompt = page.getByRole('textbox', { name: 'Prompt', exact: true });
  await expect(prompt).toHaveText('a red fox with a beanie');
  await expect(page.getByRole('textbox', { name: 'Seed', exact: true })).toHaveValue('13');

  await page.goto(`${studio.url}/#/history`);
  await first.getByRole('button', { name: 'More' }).click();
  await page.getByRole('menuitem', { name: 'Use only the seed' }).click();
  await expect(page.getByRole('textbox', { name: 'Seed', exact: true })).toHaveValue('11');
  await expect(prompt).toHaveText('a red fox with a beanie');
});
