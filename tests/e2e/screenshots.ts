// Takes pictures of every view for the README and for looking at: `cargo xtask screenshots`. The few that the README
// shows go to docs/screenshots, all of them to target/screenshots.
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Page, test } from '@playwright/test';
import { root } from './support/programs.ts';
import { Studio } from './support/studio.ts';

const PROMPTS = [
  'avatar of an orange fox with a crown and sunglasses, purple background',
  'cyber loulan, ruined towers in the desert, violet neon night, pink sun, starry sky',
  'a blue cat with headphones, neon visor, black hoodie, yellow background',
  'a white bear in a space helmet, serious, blue suit, black background',
  'desert stupa, golden palette, red sun, camel in front',
  'a green alien with a wizard hat, smiling, red t-shirt, purple background',
  'walled city in the desert, jade palette, cyan moon, stars',
  'a red robot, neon visor, blue armor, orange background',
  'a pink cat with a beanie, surprised, yellow hoodie, teal background',
  '蓝色的狐狸，戴皇冠，紫色背景',
  'pyramids, crimson palette, crescent, neon grid',
  'a person with purple hair, round glasses, black suit, green background',
];
/** What is typed for each look. */
const TYPED: Record<string, string> = {
  'dark-en': 'avatar of an orange fox with a (crown:1.2) and sunglasses, purple background',
  'dark-zh-Hans': '粉色的熊，戴皇冠，(红色西装:1.2)，青色背景',
  'light-en': 'a yellow robot with a (neon visor:1.3), black armor, teal background',
  'light-zh-Hans': '赛博楼兰，沙漠中的废墟塔楼，(紫色霓虹之夜:1.2)，粉色太阳，繁星',
};
/** What the README shows, under which name. */
const README: Record<string, string> = {
  'create-light-en': 'create',
  'create-dark-zh-Hans': 'create-zh-dark',
  'inpaint-dark-en': 'inpaint',
  'gallery-dark-en': 'gallery',
  'details-light-en': 'details',
  'compare-dark-en': 'compare',
  'history-dark-en': 'history',
  'phone-dark-en': 'phone',
};

const all = join(root, 'target/screenshots');
const kept = join(root, 'docs/screenshots');
mkdirSync(all, { recursive: true });
rmSync(kept, { recursive: true, force: true });
mkdirSync(kept, { recursive: true });

const pending = (studio: Studio) =>
  studio.rpc('get_queue', {}).then(({ waiting_total, running }) => waiting_total + running.length);

async function idle(studio: Studio): Promise<void> {
  while ((await pending(studio)) > 0) await new Promise((done) => setTimeout(done, 300));
}

async function shoot(page: Page, name: string, settle = 700): Promise<void> {
  // Thumbnails and previews are made on demand.
  await page.waitForLoadState('load');
  await page.waitForTimeout(settle);
  await page.screenshot({ path: join(all, `${name}.png`) });
  // Walls of pictures are large as PNG.
  const shown = README[name];
  if (shown) await page.screenshot({ path: join(kept, `${shown}.jpg`), type: 'jpeg', quality: 88 });
  console.log(name);
}

async function views(page: Page, studio: Studio, look: string): Promise<void> {
  const go = async (view: string) => {
    await page.goto('about:blank');
    await page.goto(`${studio.url}/#/${view}`);
    await page.waitForTimeout(400);
  };
  await go('welcome');
  await shoot(page, `welcome-${look}`);
  await go('create');
  await page.evaluate(() => sessionStorage.clear());
  await go('create');
  await shoot(page, `create-empty-${look}`);
  const prompt = page.locator('.cm-content').first();
  await prompt.click();
  await page.keyboard.insertText(TYPED[look] ?? '');
  await page.keyboard.press('Control+Enter');
  await page.locator('.status .doing', { hasText: /\d/ }).waitFor();
  await shoot(page, `create-busy-${look}`, 0);
  await idle(studio);
  await shoot(page, `create-${look}`);
  await page.locator('body').click({ position: { x: 2, y: 2 } });
  await page.keyboard.press('b');
  const mask = await page.getByRole('application').boundingBox();
  if (mask) {
    const [x, y] = [mask.x + mask.width / 2, mask.y + mask.height / 2];
    await page.mouse.move(x - 90, y - 20);
    await page.mouse.down();
    for (let step = 0; step <= 20; step += 1) {
      await page.mouse.move(x - 90 + step * 9, y - 20 + Math.sin(step) * 12);
    }
    await page.mouse.up();
  }
  await shoot(page, `inpaint-${look}`);

  await go('gallery');
  const wall = page.getByRole('grid').first();
  await wall.waitFor();
  await shoot(page, `gallery-${look}`);
  await wall.focus();
  await page.keyboard.press('Home');
  await page.keyboard.press('Enter');
  await shoot(page, `details-${look}`);
  await page.keyboard.press('Enter');
  await page.keyboard.press('Space');
  await shoot(page, `full-${look}`);
  await page.keyboard.press('Escape');
  await page.keyboard.press('Shift+ArrowRight');
  await page.keyboard.press('c');
  await shoot(page, `compare-${look}`);
  for (const view of ['history', 'models', 'settings']) {
    await go(view);
    await shoot(page, `${view}-${look}`);
  }
  await studio.rpc('pause_queue', { paused: true, finish_current: true });
  for (const words of PROMPTS.slice(0, 3)) {
    await studio.rpc('submit', { draft: { prompt: words }, count: 4, tags: [], priority: 0 });
  }
  await page.keyboard.press('Control+j');
  await shoot(page, `queue-${look}`);
  await studio.rpc('cancel_jobs', { which: 'all' });
  await studio.rpc('pause_queue', { paused: false, finish_current: true });
}

test('screenshots', async ({ browser }) => {
  const studio = await new Studio().start();
  try {
    await studio.rpc('change_settings', { welcomed: true, language: 'en', theme: 'dark' });
    for (const [index, prompt] of PROMPTS.entries()) {
      await studio.rpc('submit', {
        draft: { prompt, seed: String(100 + index) },
        count: index % 4 === 0 ? 2 : 1,
        tags: [],
        priority: 0,
      });
    }
    await idle(studio);
    const { keys } = await studio.rpc('layout_pictures', { query: '', sort: 'newest', trashed: false });
    const { pictures } = await studio.rpc('get_pictures', { keys });
    for (const [index, { id }] of pictures.entries()) {
      if (index % 3 === 0) {
        await studio.rpc('update_pictures', { ids: [id], rating: 3 + (index % 2) * 2, add_tags: [], remove_tags: [] });
      }
      if (index % 5 === 1) {
        await studio.rpc('update_pictures', { ids: [id], flag: 'pick', add_tags: ['wall'], remove_tags: [] });
      }
    }
    for (const theme of ['dark', 'light'] as const) {
      for (const language of ['en', 'zh-Hans'] as const) {
        await studio.rpc('change_settings', { theme, language });
        const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
        await views(page, studio, `${theme}-${language}`);
        await page.close();
        const phone = await browser.newPage({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });
        await phone.goto(`${studio.url}/#/gallery`);
        await shoot(phone, `phone-${theme}-${language}`);
        await phone.close();
      }
    }
  } finally {
    await studio.stop();
    studio.remove();
  }
});
