import { StudioError } from './error';
import type { Capabilities, Platform, Signal } from './types';

type Handler = (request: never) => unknown;

export interface FakePlatform extends Platform {
  /** Every call so far. */
  calls: { name: string; request: unknown }[];
  /** Plays an event to all subscribers. */
  emit(signal: Signal): void;
}

/** For component tests: answers from the given functions; a command without one fails as unknown. */
export function fakePlatform(
  handlers: Record<string, Handler> = {},
  capabilities: Partial<Capabilities> = {},
): FakePlatform {
  const listeners = new Set<(signal: Signal) => void>();
  const calls: FakePlatform['calls'] = [];
  return {
    calls,
    emit: (signal) => listeners.forEach((listener) => listener(signal)),
    capabilities: {
      nativeDialogs: false,
      revealFile: false,
      dragOut: false,
      window: false,
      ...capabilities,
    },
    async rpc(name, request) {
      calls.push({ name, request });
      const handler = handlers[name];
      if (!handler) {
        throw new StudioError({ code: 'unknown_command', message: `No command ${name}` });
      }
      try {
        return (await handler(request as never)) as never;
      } catch (thrown) {
        throw StudioError.from(thrown);
      }
    },
    subscribe(listener) {
      listeners.add(listener);
      listener({ kind: 'connected' });
      return () => listeners.delete(listener);
    },
    resourceUrl: (kind, id) => `fake:${kind}/${id}`,
    upload: async () => ({ sha256: '0'.repeat(64), width: 512, height: 512 }),
  };
}
