import type { LineageMember } from '$lib/api';

export interface TreeRow {
  member: LineageMember;
  depth: number;
}

/** Deep families are drawn no deeper than a panel is wide. */
const DEEPEST = 6;

/** A family in reading order: each picture below the one it was made of. */
export function familyTree(members: readonly LineageMember[]): TreeRow[] {
  const children = new Map<number | undefined, number[]>();
  members.forEach(({ parent }, index) => {
    // A parent that is not among the members, or comes later, would leave its child out of the tree.
    const known = parent !== undefined && parent >= 0 && parent < index ? parent : undefined;
    children.set(known, [...(children.get(known) ?? []), index]);
  });
  const rows: TreeRow[] = [];
  const open = (children.get(undefined) ?? []).map((index) => ({ index, depth: 0 })).reverse();
  for (let next = open.pop(); next; next = open.pop()) {
    const { index, depth } = next;
    const member = members[index];
    if (member) rows.push({ member, depth: Math.min(depth, DEEPEST) });
    const below = children.get(index) ?? [];
    open.push(...below.map((child) => ({ index: child, depth: depth + 1 })).reverse());
  }
  return rows;
}
