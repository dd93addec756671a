// Culling without a mouse, the trash and the way back.
import { expect, open, test } from '../support/studio.ts';

test('pictures are judged, filtered, viewed and compared by keyboard', async ({ page, studio }) => {
  const { jobs } = await studio.render('an orange cat', 4);
  await open(page, studio, 'gallery');
  const wall = page.getByRole('grid', { name: 'All pictures' });
  await expect(wall.getByRole('gridcell', { name: /orange cat/ })).toHaveCount(4);
  await wall.focus();
  await page.keyboard.press('Home');
  await page.keyboard.press('5');
  await expect(wall.getByRole('gridcell', { name: /5 stars.*1 of 4/ })).toBeVisible();
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('p');
  await expect(wall.getByRole('gridcell', { name: /Picked.*2 of 4/ })).toBeVisible();
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('x');
  await expect(wall.getByRole('gridcell', { name: /Rejected.*3 of 4/ })).toBeVisible();
  await expect
    .poll(async () =>
      (await studio.rpc('find_pictures', { ids: [...jobs] })).pictures
        .map(({ rating, flag }) => `${rating} ${flag}`)
        .sort(),
    )
    .toEqual(['0 none', '0 pick', '0 reject', '5 none']);

  await page.keyboard.press('Space');
  const full = page.getByRole('region', { name: 'Full view' });
  await expect(full).toBeVisible();
  await expect(full.getByText('3 of 4')).toBeVisible();
  await page.keyboard.press('ArrowRight');
  await expect(full.getByText('4 of 4')).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(full).toHaveCount(0);

  await page.keyboard.press('Home');
  await page.keyboard.press('Shift+ArrowRight');
  await page.keyboard.press('c');
  await expect(page.getByRole('region', { name: 'Comparing 2 pictures' })).toBeVisible();
  await page.keyboard.press('Escape');

  await page.keyboard.press('/');
  await page.keyboard.insertText('rating:>=4');
  await expect(wall.getByRole('gridcell', { name: /orange cat/ })).toHaveCount(1);
  await page.keyboard.press('Escape');
  await expect(wall.getByRole('gridcell', { name: /orange cat/ })).toHaveCount(4);
});

test('the trash gives back what was thrown away', async ({ page, studio }) => {
  await studio.render('a purple robot', 2);
  await open(page, studio, 'gallery');
  const wall = page.getByRole('grid', { name: 'All pictures' });
  const cells = wall.getByRole('gridcell', { name: /purple robot/ });
  await expect(cells).toHaveCount(2);
  await wall.focus();
  await page.keyboard.press('Home');
  await page.keyboard.press('Delete');
  await expect(cells).toHaveCount(1);
  await page.keyboard.press('Control+z');
  await expect(cells).toHaveCount(2);

  await page.keyboard.press('Home');
  await page.keyboard.press('Delete');
  await expect(cells).toHaveCount(1);
  await page.getByRole('navigation', { name: 'Places' }).getByRole('link', { name: /Trash/ }).click();
  const trash = page.getByRole('grid', { name: 'Trash' });
  await expect(trash.getByRole('gridcell', { name: /purple robot/ })).toHaveCount(1);
  await trash.focus();
  await page.keyboard.press('Home');
  await page.keyboard.press('r');
  await expect(page.getByText('The trash is empty')).toBeVisible();
  await page
    .getByRole('navigation', { name: 'Places' })
    .getByRole('link', { name: /All pictures/ })
    .click();
  await expect(cells).toHaveCount(2);
});
