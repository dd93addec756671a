// Pictures that come from outside: their recipe, and what is painted on them.
import { drop } from '../support/drop.ts';
import { withInfotext } from '../support/png.ts';
import { expect, open, test } from '../support/studio.ts';

const restore = 'This picture knows how it was made';

test('a dropped picture of A1111 restores its recipe', async ({ page, studio }) => {
  const text =
    'a pink bear with a crown\nNegative prompt: blurry\nSteps: 12, Sampler: Euler a, CFG scale: 2, Seed: 4711, Size: 256x256';
  await open(page, studio);
  await drop(page, 'other.png', 'image/png', withInfotext(text));
  const dialog = page.getByRole('dialog', { name: restore });
  await expect(dialog.getByText('a pink bear with a crown')).toBeVisible();
  await dialog.getByRole('button', { name: 'Restore its recipe' }).click();
  await expect(page.getByRole('textbox', { name: 'Prompt', exact: true })).toHaveText('a pink bear with a crown');
  await expect(page.getByRole('textbox', { name: 'Seed', exact: true })).toHaveValue('4711');
  await expect(page.getByRole('textbox', { name: 'Negative prompt' })).toHaveText('blurry');
});

test('a picture of our own restores its recipe', async ({ page, studio }) => {
  const { jobs } = await studio.render('a yellow alien, black background', 1, { seed: '99' });
  const bytes = Buffer.from(await (await fetch(`${studio.url}/resource/picture/${jobs[0]}`)).arrayBuffer());
  await open(page, studio);
  await page.locator('input[type=file]').setInputFiles({ name: 'own.png', mimeType: 'image/png', buffer: bytes });
  await page.getByRole('dialog', { name: restore }).getByRole('button', { name: 'Restore its recipe' }).click();
  await expect(page.getByRole('textbox', { name: 'Prompt', exact: true })).toHaveText(
    'a yellow alien, black background',
  );
  await expect(page.getByRole('textbox', { name: 'Seed', exact: true })).toHaveValue('99');
});

test('inpainting changes what is painted over and nothing else', async ({ page, studio }) => {
  await open(page, studio);
  await page.getByRole('textbox', { name: 'Prompt', exact: true }).click();
  await page.keyboard.insertText('a blue fox with a crown, teal background');
  await page.keyboard.press('Control+Enter');
  await page.getByRole('button', { name: 'Inpaint this' }).click({ timeout: 60_000 });
  const mask = page.getByRole('application', { name: 'Mask' });
  const create = page.getByRole('button', { name: 'Create', exact: true });
  await expect(create).toBeDisabled();
  const box = await mask.boundingBox();
  if (!box) throw new Error('the mask has no place');
  const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
  await page.mouse.move(x - 40, y);
  await page.mouse.down();
  await page.mouse.move(x + 40, y, { steps: 5 });
  await page.mouse.up();
  await expect(create).toBeEnabled();
  await create.click();
  await expect.poll(async () => (await layout(studio)).keys.length, { timeout: 60_000 }).toBe(2);
  const { pictures } = await studio.rpc('get_pictures', { keys: (await layout(studio)).keys });
  const made = pictures[0];
  const first = pictures[1];
  expect(made).toBeDefined();
  const { members } = await studio.rpc('get_lineage', { id: made?.id ?? '' });
  expect(members.map(({ picture, derivation }) => [picture?.id, derivation])).toEqual([
    [first?.id, undefined],
    [made?.id, 'inpaint'],
  ]);
  const differs = await page.evaluate(
    async ([before, after]) => {
      const pixels = async (url: string) => {
        const image = await createImageBitmap(await (await fetch(url)).blob());
        const context = new OffscreenCanvas(image.width, image.height).getContext('2d');
        context?.drawImage(image, 0, 0);
        return context?.getImageData(0, 0, image.width, image.height).data ?? new Uint8ClampedArray();
      };
      const [a, b] = await Promise.all([pixels(before ?? ''), pixels(after ?? '')]);
      const change = (x: number, y: number, side: number) => {
        let sum = 0;
        for (let row = y; row < y + side; row += 1)
          for (let column = x; column < x + side; column += 1)
            for (let channel = 0; channel < 3; channel += 1) {
              const at = (row * 256 + column) * 4 + channel;
              sum += Math.abs((a[at] ?? 0) - (b[at] ?? 0));
            }
        return sum / (side * side * 3);
      };
      return { middle: change(112, 112, 32), corner: change(0, 0, 32) };
    },
    [`/resource/picture/${first?.id}`, `/resource/picture/${made?.id}`],
  );
  expect(differs.corner).toBeLessThan(1);
  expect(differs.middle).toBeGreaterThan(differs.corner + 1);
});

const layout = (studio: { rpc: import('../support/studio.ts').Studio['rpc'] }) =>
  studio.rpc('layout_pictures', { query: '', sort: 'newest', trashed: false });
