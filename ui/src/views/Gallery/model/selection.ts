// What is chosen. Pure: each gesture makes a new value of the old one; pictures are named by their keys, so that a
// selection outlives a change of order.

export interface Selection {
  /** The picture that keys act from, and that commands act on when nothing else is chosen. */
  readonly cursor: number | null;
  /** Where a range with Shift begins. */
  readonly anchor: number | null;
  readonly keys: ReadonlySet<number>;
}

/** The order that ranges run along. */
export interface Sequence {
  readonly keys: readonly number[];
  indexOf(key: number): number;
}

export const nothing: Selection = { cursor: null, anchor: null, keys: new Set() };

/** Only this one. */
export const only = (key: number): Selection => ({
  cursor: key,
  anchor: key,
  keys: new Set([key]),
});

/** The cursor goes there; what is chosen stays. */
export const visited = (now: Selection, key: number): Selection => ({ ...now, cursor: key });

/** In or out, as Ctrl and a click do. */
export function toggled(now: Selection, key: number): Selection {
  const keys = new Set(now.keys);
  if (!keys.delete(key)) keys.add(key);
  return { cursor: key, anchor: key, keys };
}

/** Everything from the anchor to this one; `add` keeps what was chosen besides. */
export function extended(now: Selection, key: number, order: Sequence, add = false): Selection {
  const anchor = now.anchor !== null && order.indexOf(now.anchor) >= 0 ? now.anchor : now.cursor;
  const from = anchor === null ? -1 : order.indexOf(anchor);
  const to = order.indexOf(key);
  if (from < 0 || to < 0) return only(key);
  const keys = new Set(add ? now.keys : []);
  for (let index = Math.min(from, to); index <= Math.max(from, to); index += 1) {
    const member = order.keys[index];
    if (member !== undefined) keys.add(member);
  }
  return { cursor: key, anchor, keys };
}

/** These too, or not any more when all of them were: a day's heading, say. */
export function toggledAll(now: Selection, members: readonly number[]): Selection {
  const keys = new Set(now.keys);
  const all = members.every((key) => keys.has(key));
  for (const key of members) {
    if (all) keys.delete(key);
    else keys.add(key);
  }
  return { ...now, cursor: now.cursor ?? members[0] ?? null, keys };
}

export const everything = (now: Selection, order: Sequence): Selection => ({
  cursor: now.cursor ?? order.keys[0] ?? null,
  anchor: now.anchor,
  keys: new Set(order.keys),
});

/** Back to the one under the cursor. */
export const cleared = (now: Selection): Selection => ({
  ...now,
  anchor: now.cursor,
  keys: new Set(),
});

/** What commands act on, in the wall's order. */
export function targets(now: Selection, order: Sequence): number[] {
  if (now.keys.size > 0) {
    return [...now.keys]
      .map((key) => [order.indexOf(key), key] as const)
      .filter(([index]) => index >= 0)
      .sort((a, b) => a[0] - b[0])
      .map(([, key]) => key);
  }
  return now.cursor !== null && order.indexOf(now.cursor) >= 0 ? [now.cursor] : [];
}

/** The same in another order: what left it is no longer chosen, and the cursor falls to what took its place. */
export function carried(now: Selection, before: Sequence, after: Sequence): Selection {
  const keys = new Set([...now.keys].filter((key) => after.indexOf(key) >= 0));
  let { cursor, anchor } = now;
  if (cursor !== null && after.indexOf(cursor) < 0) {
    const was = before.indexOf(cursor);
    cursor = null;
    for (let index = was + 1; was >= 0 && index < before.keys.length; index += 1) {
      const next = before.keys[index];
      if (next !== undefined && after.indexOf(next) >= 0) {
        cursor = next;
        break;
      }
    }
    cursor ??= was >= 0 ? (after.keys[after.keys.length - 1] ?? null) : null;
    if (now.keys.size <= 1 && keys.size === 0 && cursor !== null) keys.add(cursor);
  }
  if (anchor !== null && after.indexOf(anchor) < 0) anchor = cursor;
  return { cursor, anchor, keys };
}
