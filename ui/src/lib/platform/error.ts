import type { ErrorCode, WireError } from '$lib/api';

/** The backend's kinds of error, and those that arise on this side of the wire. */
export type StudioErrorCode = ErrorCode | 'offline' | 'unauthorized' | 'http' | 'frontend';

/** Any failure, whichever boundary it crossed: a code to branch on, what happened, what to do next. */
export class StudioError extends Error {
  readonly code: StudioErrorCode;
  readonly hint: string | null;

  constructor(
    error: { code: StudioErrorCode; message: string; hint?: string },
    options?: ErrorOptions,
  ) {
    super(error.message, options);
    this.name = 'StudioError';
    this.code = error.code;
    this.hint = error.hint ?? null;
  }

  /** Wraps whatever was thrown; what already is one passes through. */
  static from(thrown: unknown): StudioError {
    if (thrown instanceof StudioError) return thrown;
    if (isWireError(thrown)) return new StudioError(thrown);
    const message = thrown instanceof Error ? thrown.message : String(thrown);
    return new StudioError({ code: 'frontend', message }, { cause: thrown });
  }

  /** No answer at all: the backend is gone, or the network is. */
  static offline(cause?: unknown): StudioError {
    return new StudioError({ code: 'offline', message: 'Tarim does not answer' }, { cause });
  }
}

export function isWireError(value: unknown): value is WireError {
  return (
    typeof value === 'object' &&
    value !== null &&
    'code' in value &&
    'message' in value &&
    typeof value.code === 'string' &&
    typeof value.message === 'string'
  );
}

/** Given up on purpose: nothing to report. */
export const isAbort = (thrown: unknown): boolean =>
  thrown instanceof Error && thrown.name === 'AbortError';
