// The desktop door: the only file that imports @tauri-apps.
import { convertFileSrc, invoke } from '@tauri-apps/api/core';
import { listen } from '@tauri-apps/api/event';
import { StudioError } from './error';
import type { Opened, Platform, Signal } from './types';

async function call<T>(
  command: string,
  payload: Record<string, unknown> | Uint8Array,
  headers?: Record<string, string>,
): Promise<T> {
  try {
    return await invoke<T>(command, payload, headers && { headers });
  } catch (thrown) {
    throw StudioError.from(thrown);
  }
}

/** Runs inside the Tauri window. */
export function tauriPlatform(): Platform {
  // tarim://localhost/ here, http://tarim.localhost/ on Windows.
  const base = convertFileSrc('', 'tarim').replace(/\/?$/, '/');

  return {
    capabilities: { nativeDialogs: true, revealFile: true, dragOut: true, window: true },

    async rpc(name, request, options) {
      options?.signal?.throwIfAborted();
      const answer = await call('rpc', { name, request: request ?? null });
      options?.signal?.throwIfAborted();
      return answer as never;
    },

    subscribe(listener) {
      let stopped = false;
      let stop: (() => void) | undefined;
      void listen<Signal>('studio', (event) => listener(event.payload)).then((unlisten) => {
        if (stopped) return unlisten();
        stop = unlisten;
        listener({ kind: 'connected' });
      });
      return () => {
        stopped = true;
        stop?.();
      };
    },

    resourceUrl(kind, id, options = {}) {
      const entries = Object.entries(options).map(([key, value]) => [key, String(value)]);
      const query = entries.length ? `?${new URLSearchParams(entries)}` : '';
      return `${base}resource/${kind}/${encodeURIComponent(id)}${query}`;
    },

    async upload(blob, name) {
      const bytes = new Uint8Array(await blob.arrayBuffer());
      return call('upload', bytes, { 'x-file-name': encodeURIComponent(name) });
    },

    openDialog: (options) => call<string[] | null>('open_dialog', { options }),
    revealPicture: (id) => call('reveal_picture', { id }),
    startDrag: (ids) => call('start_drag', { ids }),

    onOpened(listener) {
      let stopped = false;
      let stop: (() => void) | undefined;
      const take = async () => {
        for (const opened of await call<Opened[]>('take_opened', {})) {
          if (!stopped) listener(opened);
        }
      };
      // Listens first: what is opened between the two is then taken by one of them.
      void listen('opened', take).then((unlisten) => {
        if (stopped) return unlisten();
        stop = unlisten;
        void take();
      });
      return () => {
        stopped = true;
        stop?.();
      };
    },
  };
}
