// Measures the gallery with 100,000 pictures in Chromium: `node tests/gallery/scroll.mjs [count]`.
/* eslint no-console: off -- figures on the terminal are what it is for */
import { chromium } from 'playwright-core';
import { serveStage } from './serve.mjs';

const count = Number(process.argv[2] ?? 100_000);
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox'],
});
const stage = await serveStage(browser);
const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
page.on('pageerror', (error) => console.error(error));

const share = (values, at) => values[Math.min(values.length - 1, Math.floor(values.length * at))];
const line = (name, frames) => {
  const sorted = [...frames].sort((a, b) => a - b);
  const late = frames.filter((frame) => frame > 25).length;
  const seconds = frames.reduce((sum, frame) => sum + frame, 0) / 1000;
  console.log(
    `${name.padEnd(34)} ${(frames.length / seconds).toFixed(1)} frames/s, ` +
      `p50 ${share(sorted, 0.5).toFixed(1)} ms, p95 ${share(sorted, 0.95).toFixed(1)} ms, ` +
      `p99 ${share(sorted, 0.99).toFixed(1)} ms, longest ${sorted.at(-1).toFixed(0)} ms, ` +
      `${late} of ${frames.length} late`,
  );
};

/** Frames while the wall scrolls at so many pixels a second. */
const scroll = (speed, seconds) =>
  page.evaluate(
    ([perSecond, forSeconds]) =>
      new Promise((done) => {
        const wall = document.querySelector('[role=grid]');
        const frames = [];
        let last = performance.now();
        const begun = last;
        const step = (now) => {
          frames.push(now - last);
          wall.scrollTop += (perSecond * (now - last)) / 1000;
          last = now;
          if (now - begun < forSeconds * 1000) requestAnimationFrame(step);
          else done(frames.slice(1));
        };
        requestAnimationFrame(step);
      }),
    [speed, seconds],
  );

/** Time spent in scripts, styles, layout and painting since the last call, in share of the time that passed. */
const session = await page.context().newCDPSession(page);
await session.send('Performance.enable');
let before = null;
async function work(name) {
  const { metrics } = await session.send('Performance.getMetrics');
  const now = Object.fromEntries(metrics.map((metric) => [metric.name, metric.value]));
  if (before && name) {
    const passed = now.Timestamp - before.Timestamp;
    const part = (metric) => `${(((now[metric] - before[metric]) / passed) * 100).toFixed(0)} %`;
    console.log(
      `${''.padEnd(34)} main thread: tasks ${part('TaskDuration')}, scripts ${part('ScriptDuration')}, ` +
        `styles ${part('RecalcStyleDuration')}, layout ${part('LayoutDuration')}; ` +
        `${now.Nodes} nodes, heap ${(now.JSHeapUsedSize / 1e6).toFixed(0)} MB`,
    );
  }
  before = now;
}

const begun = performance.now();
await page.goto(`${stage.url}?count=${count}#/gallery`);
await page.waitForSelector('[role=gridcell] img[data-there]');
console.log(
  `${count} pictures; first thumbnail after ${(performance.now() - begun).toFixed(0)} ms`,
);
const opened = await page.evaluate(
  () =>
    new Promise((done) => {
      location.hash = '#/settings';
      setTimeout(() => {
        const from = performance.now();
        location.hash = '#/gallery';
        const look = () =>
          document.querySelector('[role=gridcell] img[data-there]')
            ? done(performance.now() - from)
            : requestAnimationFrame(look);
        requestAnimationFrame(look);
      }, 700);
    }),
);
console.log(`back from another view: thumbnails after ${opened.toFixed(0)} ms`);
await page.waitForTimeout(800);
await work();
for (const [name, speed, seconds] of [
  ['at rest', 0, 2],
  ['reading (600 px/s)', 600, 5],
  ['wheel (3,000 px/s)', 3000, 5],
  ['fling (12,000 px/s)', 12_000, 5],
  ['scrubbing (400,000 px/s)', 400_000, 4],
]) {
  line(name, await scroll(speed, seconds));
  await work(name);
}

// A jump: how soon are thumbnails there?
const jump = await page.evaluate(
  () =>
    new Promise((done) => {
      const wall = document.querySelector('[role=grid]');
      wall.scrollTop = wall.scrollHeight * 0.4;
      const from = performance.now();
      const look = () => {
        const box = wall.getBoundingClientRect();
        const cells = [...wall.querySelectorAll('[role=gridcell][data-key]')].filter((cell) => {
          const { top, bottom } = cell.getBoundingClientRect();
          return bottom > box.top && top < box.bottom;
        });
        const there = cells.filter((cell) => cell.querySelector('img[data-there], .missing'));
        if (cells.length > 5 && there.length === cells.length) done(performance.now() - from);
        else requestAnimationFrame(look);
      };
      requestAnimationFrame(() => requestAnimationFrame(look));
    }),
);
console.log(`jump to the middle: all thumbnails in view after ${jump.toFixed(0)} ms`);

// Culling: from the key to the frame that shows it.
await page.focus('[role=grid]');
await page.keyboard.press('ArrowRight');
const keys = [];
for (let at = 0; at < 20; at += 1) {
  keys.push(
    await page.evaluate(
      (digit) =>
        new Promise((done) => {
          const from = performance.now();
          const target = document.activeElement ?? document.body;
          const send = (key) =>
            target.dispatchEvent(new KeyboardEvent('keydown', { key, code: key, bubbles: true }));
          send('ArrowRight');
          send(digit);
          requestAnimationFrame(() => setTimeout(() => done(performance.now() - from)));
        }),
      String(1 + (at % 5)),
    ),
  );
}
keys.sort((a, b) => a - b);
console.log(
  `next picture and rating: p50 ${share(keys, 0.5).toFixed(1)} ms, p95 ${share(keys, 0.95).toFixed(1)} ms`,
);
await browser.close();
stage.close();
