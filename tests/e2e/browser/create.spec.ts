// Create: from words to a picture, with the real renderer.
import { expect, open, test } from '../support/studio.ts';

test('words become a picture in the strip', async ({ page, studio }) => {
  await open(page, studio);
  const prompt = page.getByRole('textbox', { name: 'Prompt', exact: true });
  await prompt.click();
  await page.keyboard.type('a blue fox with a crown, teal background');
  await page.keyboard.press('Control+Enter');
  await expect(page.getByRole('progressbar', { name: 'Progress of the picture' })).toBeVisible();
  const strip = page.getByRole('list', { name: 'Pictures of this session' });
  await expect(strip.getByRole('button', { name: /Picture finished: a blue fox/ })).toBeVisible({ timeout: 60_000 });
  const result = page.getByRole('img', { name: /a blue fox with a crown/ });
  await expect(result).toBeVisible();
  expect(await result.evaluate((image: HTMLImageElement) => image.naturalWidth)).toBe(256);
  const { keys } = await studio.rpc('layout_pictures', { query: '', sort: 'newest', trashed: false });
  expect(keys).toHaveLength(1);
});

test('a mistake in the prompt is named, and keys weigh words', async ({ page, studio }) => {
  await open(page, studio);
  const prompt = page.getByRole('textbox', { name: 'Prompt', exact: true });
  await prompt.click();
  await page.keyboard.insertText('a (red fox');
  await expect(page.getByText('This bracket is not closed')).toBeVisible();
  await page.keyboard.press('Control+A');
  await page.keyboard.insertText('crown');
  await page.keyboard.press('Control+A');
  await page.keyboard.press('Control+ArrowUp');
  await expect(prompt).toHaveText('(crown:1.1)');
  await page.keyboard.press('Control+ArrowDown');
  await expect(prompt).toHaveText('crown');
});

test('a picture in work can be stopped, which is no error', async ({ page, studio }) => {
  await studio.rpc('submit', {
    draft: { prompt: 'a green bear', steps: 150, width: 512, height: 512 },
    count: 1,
    tags: [],
    priority: 0,
  });
  await open(page, studio);
  // What was asked for elsewhere is in the queue; what is asked for here is on the stage.
  await page.getByRole('button', { name: /^Queue/ }).click();
  const queue = page.getByRole('dialog', { name: 'Queue' });
  await queue.getByRole('button', { name: 'Stop this picture' }).click();
  await expect(queue.getByText('The queue is empty')).toBeVisible();
  await page.keyboard.press('Escape');

  await page.getByRole('textbox', { name: 'Prompt', exact: true }).click();
  await page.keyboard.insertText('a green bear');
  await page
    .getByRole('textbox', { name: 'Steps' })
    .or(page.getByRole('spinbutton', { name: 'Steps' }))
    .first()
    .fill('150');
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'Create', exact: true }).click();
  await expect(page.getByText(/Step \d+ of 150/).first()).toBeVisible({ timeout: 60_000 });
  await page.getByRole('button', { name: 'Stop', exact: true }).click();
  await expect(page.getByRole('heading', { name: 'Stopped' })).toBeVisible();
  await expect(page.getByRole('alert').filter({ hasText: /\S/ })).toHaveCount(0);
  const { entries } = await studio.rpc('page_history', { query: '', limit: 10 });
  expect(entries.map(({ outcome }) => [outcome.cancelled, outcome.failed])).toEqual([
    [1, 0],
    [1, 0],
  ]);
});
