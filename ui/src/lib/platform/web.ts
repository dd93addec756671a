import { isAbort, isWireError, StudioError } from './error';
import type { Listener, Platform, ResourceOptions, Signal } from './types';

/** Relative to the page, so that a reverse proxy may put Tarim under any path. */
const at = (path: string) => new URL(path, document.baseURI.replace(/#.*/, '')).href;

async function post(path: string, body: BodyInit, headers: HeadersInit, signal?: AbortSignal) {
  let response: globalThis.Response;
  try {
    response = await fetch(at(path), {
      method: 'POST',
      credentials: 'same-origin',
      headers,
      body,
      signal,
    });
  } catch (thrown) {
    throw isAbort(thrown) ? thrown : StudioError.offline(thrown);
  }
  const text = await response.text();
  let answer: unknown = null;
  try {
    answer = text === '' ? null : JSON.parse(text);
  } catch {
    // A proxy's error page, not ours; the status below says more than its HTML.
  }
  if (response.ok) return answer;
  if (isWireError(answer)) throw new StudioError(answer);
  if (response.status === 401) {
    throw new StudioError({ code: 'unauthorized', message: 'This browser is not signed in' });
  }
  if (response.status >= 502 && response.status <= 504) throw StudioError.offline();
  throw new StudioError({
    code: 'http',
    message: `The server answered ${response.status} ${response.statusText}`,
  });
}

function query(options: ResourceOptions = {}): string {
  const entries = Object.entries(options).map(([key, value]) => [key, String(value)]);
  return entries.length ? `?${new URLSearchParams(entries)}` : '';
}

/** `tarim serve`, in any browser: HTTP for calls, server-sent events for news. */
export function webPlatform(): Platform {
  return {
    capabilities: { nativeDialogs: false, revealFile: false, dragOut: false, window: false },

    async rpc(name, request, options) {
      const body = JSON.stringify(request ?? null);
      const headers = { 'content-type': 'application/json' };
      return (await post(`rpc/${name}`, body, headers, options?.signal)) as never;
    },

    subscribe(listener: Listener) {
      let source: EventSource | null = null;
      let timer: ReturnType<typeof setTimeout> | undefined;
      let wait = 500;
      const open = () => {
        source = new EventSource(at('events'), { withCredentials: true });
        source.onopen = () => {
          wait = 500;
          listener({ kind: 'connected' });
        };
        source.onmessage = (message) => listener(JSON.parse(message.data as string) as Signal);
        source.onerror = () => {
          listener({ kind: 'disconnected' });
          // The browser gives up for good after some answers, so we reopen ourselves.
          source?.close();
          timer = setTimeout(open, wait);
          wait = Math.min(wait * 2, 10_000);
        };
      };
      open();
      return () => {
        clearTimeout(timer);
        source?.close();
      };
    },

    resourceUrl: (kind, id, options) =>
      at(`resource/${kind}/${encodeURIComponent(id)}${query(options)}`),

    async upload(blob, name) {
      const headers = {
        'content-type': blob.type || 'application/octet-stream',
        'x-file-name': encodeURIComponent(name),
      };
      return (await post('upload', blob, headers)) as never;
    },
  };
}
