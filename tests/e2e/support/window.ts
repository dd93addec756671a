// The desktop window under Xvfb, driven by WebKitWebDriver. A client of its own rather than a library: a dozen calls of
// https://www.w3.org/TR/webdriver2/ and no dependency.
import { type ChildProcess, spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

/** The key under which the standard hands out elements. */
const ELEMENT = 'element-6066-11e4-a52e-4f735466cecf';
/** Every request gets an end, because a driver that waits for a repaint may wait for ever. */
const REQUEST_MS = 30_000;

async function freePort(): Promise<number> {
  return new Promise((found, failed) => {
    const server = createServer();
    server.on('error', failed);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      const port = typeof address === 'object' && address ? address.port : 0;
      server.close(() => found(port));
    });
  });
}

async function until<T>(what: string, milliseconds: number, ask: () => Promise<T | undefined | false>): Promise<T> {
  const end = Date.now() + milliseconds;
  let last: unknown;
  while (Date.now() < end) {
    try {
      const answer = await ask();
      if (answer !== undefined && answer !== false) return answer;
    } catch (error) {
      last = error;
    }
    await pause(100);
  }
  throw new Error(`${what}: not within ${milliseconds} ms${last ? ` (${String(last)})` : ''}`);
}

/** A virtual screen and a driver, for as many windows, one after another, as a test wants. */
export class Desktop {
  private screen: ChildProcess | undefined;
  private driver: ChildProcess | undefined;
  private port = 0;
  private display = '';
  /** What the driver and its windows wrote. */
  output = '';

  async start(environment: NodeJS.ProcessEnv): Promise<this> {
    this.screen = spawn('Xvfb', ['-displayfd', '3', '-screen', '0', '1280x900x24', '-nolisten', 'tcp'], {
      stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
    });
    this.display = await new Promise((found, failed) => {
      this.screen?.on('error', failed);
      this.screen?.on('exit', () => failed(new Error('Xvfb ended')));
      this.screen?.stdio[3]?.once('data', (chunk: Buffer) => found(`:${chunk.toString().trim()}`));
    });
    this.port = await freePort();
    this.driver = spawn('WebKitWebDriver', [`--port=${this.port}`], {
      // Windows inherit the driver's environment.
      env: { ...environment, DISPLAY: this.display, TAURI_WEBVIEW_AUTOMATION: 'true' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const listen = (chunk: Buffer) => (this.output += chunk.toString());
    this.driver.stdout?.on('data', listen);
    this.driver.stderr?.on('data', listen);
    await until('WebKitWebDriver', 20_000, async () => {
      const answer = await fetch(`http://127.0.0.1:${this.port}/status`);
      return answer.ok;
    });
    return this;
  }

  /** Opens a window. A driver serves one at a time. */
  async open(binary: string, args: string[] = []): Promise<Window> {
    const url = `http://127.0.0.1:${this.port}`;
    const capabilities = { alwaysMatch: { 'webkitgtk:browserOptions': { binary, args } } };
    const session = await call<{ sessionId: string }>('POST', `${url}/session`, { capabilities });
    return new Window(`${url}/session/${session.sessionId}`);
  }

  async stop(): Promise<void> {
    for (const child of [this.driver, this.screen]) {
      if (!child || child.exitCode !== null) continue;
      const ended = new Promise((done) => child.once('exit', done));
      child.kill('SIGTERM');
      await Promise.race([ended, pause(5_000)]);
      child.kill('SIGKILL');
    }
  }
}

async function call<T>(method: string, url: string, body?: unknown): Promise<T> {
  const response = await fetch(url, {
    method,
    signal: AbortSignal.timeout(REQUEST_MS),
    ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
  });
  const answer = (await response.json()) as { value: T & { error?: string; message?: string } };
  if (!response.ok) throw new Error(`${method} ${url}: ${answer.value.error}: ${answer.value.message}`);
  return answer.value;
}

/** A window of the desktop program. */
export class Window {
  constructor(private readonly session: string) {}

  /** Runs a function's body in the page; it may use `arguments`. */
  execute<T>(script: string, ...args: unknown[]): Promise<T> {
    return call('POST', `${this.session}/execute/sync`, { script, args });
  }

  /** Runs a script that calls its last argument with the answer. */
  executeAsync<T>(script: string, ...args: unknown[]): Promise<T> {
    return call('POST', `${this.session}/execute/async`, { script, args });
  }

  private async find(css: string): Promise<string> {
    return until(css, 20_000, async () => {
      const found = await call<Record<string, string>>('POST', `${this.session}/element`, {
        using: 'css selector',
        value: css,
      });
      return found[ELEMENT];
    });
  }

  async click(css: string): Promise<void> {
    await call('POST', `${this.session}/element/${await this.find(css)}/click`, {});
  }

  async type(css: string, text: string): Promise<void> {
    await call('POST', `${this.session}/element/${await this.find(css)}/value`, { text });
  }

  async text(css: string): Promise<string> {
    return call('GET', `${this.session}/element/${await this.find(css)}/text`);
  }

  /** Waits until a script gives something true. */
  wait<T>(what: string, script: string, milliseconds = 30_000): Promise<T> {
    return until(what, milliseconds, () => this.execute<T | undefined | false>(script));
  }

  /** The window as PNG. */
  async screenshot(): Promise<Buffer> {
    // The first paint may be half done when the page already answers.
    await pause(800);
    return Buffer.from(await call<string>('GET', `${this.session}/screenshot`), 'base64');
  }

  async close(): Promise<void> {
    await call('DELETE', this.session).catch(() => undefined);
  }
}
