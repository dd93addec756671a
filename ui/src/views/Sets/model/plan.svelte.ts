import type { Plan } from '$lib/api';
import { StudioError } from '$lib/platform';
import { command, onStale } from '$lib/state';
import type { Options } from './types';

/** Counting a large set takes the backend a moment; what is typed is counted when one pauses. */
const PAUSE = 350;
/** Pictures that are finished change what is left to draw, several times a second. */
const SELDOM = 2500;

/** What a run would be, kept fresh. Make it at the top of a component. */
export class Planned {
  plan = $state.raw<Plan | null>(null);
  error = $state.raw<StudioError | null>(null);
  fetching = $state(false);
  private timer: ReturnType<typeof setTimeout> | undefined;
  private due = 0;
  private turn = 0;

  /** `asked` reads what the plan depends on; null holds it back. */
  constructor(private readonly asked: () => { id: string; options: Options } | null) {
    $effect(() => {
      if (this.asked()) this.soon(this.plan ? PAUSE : 0);
      return () => {
        clearTimeout(this.timer);
        this.due = 0;
      };
    });
    $effect(() => onStale(['sets', 'models', 'settings'], () => this.soon(PAUSE)));
    $effect(() => onStale(['queue', 'pictures'], () => this.soon(SELDOM)));
  }

  /** The earliest of what was asked for counts. */
  private soon(wait: number): void {
    const when = performance.now() + wait;
    if (this.due > performance.now() && this.due < when) return;
    this.due = when;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.due = 0;
      void this.look();
    }, wait);
  }

  async look(): Promise<void> {
    const asked = this.asked();
    if (!asked) return;
    const turn = (this.turn += 1);
    this.fetching = true;
    try {
      const plan = await command('plan_set', asked as never);
      if (turn !== this.turn) return;
      this.plan = plan;
      this.error = null;
    } catch (thrown) {
      if (turn === this.turn) this.error = StudioError.from(thrown);
    } finally {
      if (turn === this.turn) this.fetching = false;
    }
  }
}
