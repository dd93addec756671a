// Addresses are `#/gallery/ID?filter=…`: a hash works under tauri:// and behind any web server alike.

export interface Route {
  /** The first part, `create` if there is none. */
  view: string;
  /** What follows it. */
  path: string[];
  params: URLSearchParams;
}

export type Params = Record<string, string | number | boolean | null | undefined>;

function parse(hash: string): Route {
  const [path = '', search = ''] = hash.replace(/^#\/?/, '').split('?', 2);
  const [view, ...rest] = path.split('/').filter(Boolean).map(decode);
  return { view: view ?? 'create', path: rest, params: new URLSearchParams(search) };
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

let current = $state.raw<Route>(parse(typeof location === 'undefined' ? '' : location.hash));

/** Where we are; reactive. */
export const route = (): Route => current;

/** The address of a place, for `href`. */
export function href(view: string, path: string[] = [], params: Params = {}): string {
  const kept = Object.entries(params).filter(([, value]) => (value ?? '') !== '');
  const search = new URLSearchParams(kept.map(([key, value]) => [key, String(value)])).toString();
  return `#/${[view, ...path].map(encodeURIComponent).join('/')}${search ? `?${search}` : ''}`;
}

/** Goes somewhere; `replace` leaves no step in the history, for filters that change as one types. */
export function navigate(
  view: string,
  options: { path?: string[]; params?: Params; replace?: boolean } = {},
): void {
  const target = href(view, options.path, options.params);
  if (target === location.hash) return;
  history[options.replace ? 'replaceState' : 'pushState'](null, '', target);
  current = parse(target);
}

/** Follows links and the back button. App.svelte calls this once. */
export function followAddress(): () => void {
  const update = () => (current = parse(location.hash));
  update();
  window.addEventListener('hashchange', update);
  window.addEventListener('popstate', update);
  return () => {
    window.removeEventListener('hashchange', update);
    window.removeEventListener('popstate', update);
  };
}
