import type { Component } from 'svelte';

/** An icon of @lucide/svelte. */
// The icon components' own prop type differs per icon set version; what the kit passes is this.
export type IconType = Component<{
  'aria-hidden'?: 'true';
  strokeWidth?: number | string;
  size?: number | string;
}>;

/** One thing to choose from. */
export interface Option<T extends string = string> {
  value: T;
  label: string;
  /** A quiet second word: a size, a family. */
  detail?: string;
  icon?: IconType;
  disabled?: boolean;
}

/** One row of a menu; `separator` draws a line. */
export type MenuItem =
  | 'separator'
  | {
      label: string;
      icon?: IconType;
      shortcut?: string;
      danger?: boolean;
      disabled?: boolean;
      /** Shows a tick when true; leave undefined for a plain action. */
      checked?: boolean;
      onselect: () => void;
    };
