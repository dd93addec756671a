// Builds the stage and serves it, with a drawn picture for every address that asks for one.
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';

const root = fileURLToPath(new URL('../..', import.meta.url));
const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.woff2': 'font/woff2',
  '.webp': 'image/webp',
};
/** As many different drawings as this; every picture has an address of its own all the same. */
const DRAWINGS = 96;

/** Draws pictures in a page: skies, hills and a sun, each in its own colours. */
export async function draw(browser) {
  const page = await browser.newPage();
  const urls = await page.evaluate(async (drawings) => {
    const out = [];
    for (let index = 0; index < drawings; index += 1) {
      const canvas = new OffscreenCanvas(480, 480);
      const paint = canvas.getContext('2d');
      const hue = (index * 47) % 360;
      const sky = paint.createLinearGradient(0, 0, 0, 480);
      sky.addColorStop(0, `hsl(${hue} 45% ${20 + (index % 5) * 9}%)`);
      sky.addColorStop(1, `hsl(${(hue + 50) % 360} 55% ${58 + (index % 4) * 8}%)`);
      paint.fillStyle = sky;
      paint.fillRect(0, 0, 480, 480);
      paint.fillStyle = `hsl(${(hue + 30) % 360} 80% 82%)`;
      paint.beginPath();
      paint.arc(90 + ((index * 53) % 300), 90 + ((index * 31) % 130), 26 + (index % 5) * 9, 0, 7);
      paint.fill();
      for (let hill = 0; hill < 5; hill += 1) {
        paint.fillStyle = `hsl(${(hue + 190 + hill * 9) % 360} ${34 - hill * 3}% ${48 - hill * 8}%)`;
        paint.beginPath();
        paint.moveTo(0, 480);
        for (let x = 0; x <= 480; x += 6) {
          const y = Math.sin(x / (42 + hill * 13) + index * (hill + 1)) * (32 - hill * 3);
          paint.lineTo(x, 245 + hill * 46 + y + Math.sin(x / 9 + hill + index) * 4);
        }
        paint.lineTo(480, 480);
        paint.fill();
      }
      const noise = paint.getImageData(0, 0, 480, 480);
      for (let at = 0; at < noise.data.length; at += 4) {
        const grain = ((at * 7919 + index * 104729) % 23) - 11;
        for (let channel = 0; channel < 3; channel += 1) noise.data[at + channel] += grain;
      }
      paint.putImageData(noise, 0, 0);
      const blob = await canvas.convertToBlob({ type: 'image/webp', quality: 0.8 });
      const bytes = new Uint8Array(await blob.arrayBuffer());
      out.push(Array.from(bytes));
    }
    return out;
  }, DRAWINGS);
  await page.close();
  return urls.map((bytes) => Buffer.from(bytes));
}

/** Serves the stage until `close` is called. */
export async function serveStage(browser) {
  const outDir = join(tmpdir(), `tarim-stage-${process.pid}`);
  await build({
    root,
    logLevel: 'error',
    build: {
      outDir,
      emptyOutDir: true,
      rollupOptions: { input: join(root, 'tests/gallery/stage.html') },
    },
  });
  const drawings = await draw(browser);
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    const number = /^\/pictures\/.*?(\d+)\.webp$/.exec(pathname)?.[1];
    try {
      const body = number
        ? drawings[Number(number) % DRAWINGS]
        : await readFile(join(outDir, normalize(pathname)));
      response.writeHead(200, {
        'content-type': TYPES[extname(pathname)] ?? 'application/octet-stream',
        'cache-control': 'max-age=3600',
      });
      response.end(body);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  return {
    url: `http://127.0.0.1:${server.address().port}/tests/gallery/stage.html`,
    close: () => server.close(),
  };
}
