import type { Commands, StudioEvent } from '$lib/api';

export type CommandName = keyof Commands & string;
export type Request<K extends CommandName> = Commands[K]['request'];
export type Response<K extends CommandName> = Commands[K]['response'];

export type ResourceKind =
  'picture' | 'thumbnail' | 'preview' | 'input' | 'set' | 'report' | 'grid';
/** Becomes the query string. */
export interface ResourceOptions {
  /** A thumbnail's longer side in pixels. */
  size?: number;
  /** Its version, so that a changed picture or a new preview is loaded anew. */
  v?: string | number;
  /** What a set, a report or a grid is written as: csv, xlsx, html, png… */
  format?: string;
  /** The language of what is written. */
  language?: string;
  /** A table for a spreadsheet program that guesses encodings. */
  excel?: boolean;
}

/** What a subscriber hears besides the backend's events: the state of the line itself. */
export type Signal = StudioEvent | { kind: 'connected' } | { kind: 'disconnected' };
export type Listener = (signal: Signal) => void;

/** An upload, kept by its content. */
export interface Uploaded {
  sha256: string;
  width: number;
  height: number;
}

/** What this door can do beyond the common ground; views hide what is not there. */
export interface Capabilities {
  /** Pick folders and files of the machine Tarim runs on. */
  nativeDialogs: boolean;
  revealFile: boolean;
  dragOut: boolean;
  /** A window of our own: title, tray, close confirmation. */
  window: boolean;
}

export interface DialogOptions {
  title?: string;
  directory?: boolean;
  multiple?: boolean;
  filters?: { name: string; extensions: string[] }[];
}

/** A file that the program was opened with. */
export type Opened = { kind: 'picture'; sha256: string } | { kind: 'text'; text: string };

/** The one way out of the page. `web.ts`, `tauri.ts` and `fake.ts` are its doors. */
export interface Platform {
  readonly capabilities: Capabilities;
  /** Fails with StudioError only. */
  rpc<K extends CommandName>(
    name: K,
    request: Request<K>,
    options?: { signal?: AbortSignal },
  ): Promise<Response<K>>;
  /** `connected` comes first, and again after each break: refetch then, for events were missed. */
  subscribe(listener: Listener): () => void;
  resourceUrl(kind: ResourceKind, id: string, options?: ResourceOptions): string;
  upload(blob: Blob, name: string): Promise<Uploaded>;
  /** Present with `capabilities.nativeDialogs`; null when the user cancels. */
  openDialog?(options: DialogOptions): Promise<string[] | null>;
  /** Shows a picture's file in the file manager. Present with `capabilities.revealFile`. */
  revealPicture?(id: string): Promise<void>;
  /** Begins dragging these pictures' files out of the window. Present with `capabilities.dragOut`. */
  startDrag?(ids: string[]): Promise<void>;
  /** Files that the program is opened with, from now on and until the returned function is called. */
  onOpened?(listener: (opened: Opened) => void): () => void;
}
