import { showError } from '$lib/state';

export interface Deed {
  /** Says what was taken back. */
  undone: () => string;
  undo: () => Promise<void>;
}

/** More than anybody walks back through. */
const KEPT = 200;

/** What can be taken back, the last first. */
export class Undo {
  private deeds = $state.raw<readonly Deed[]>([]);

  get possible(): boolean {
    return this.deeds.length > 0;
  }

  add(deed: Deed): void {
    this.deeds = [...this.deeds.slice(-KEPT + 1), deed];
  }

  clear(): void {
    this.deeds = [];
  }

  /** It did not come about after all. */
  drop(deed: Deed): void {
    this.deeds = this.deeds.filter((kept) => kept !== deed);
  }

  /** Takes one back: the last, or the one a notice offers. */
  async undo(deed = this.deeds.at(-1)): Promise<string | null> {
    if (!deed || !this.deeds.includes(deed)) return null;
    this.drop(deed);
    try {
      await deed.undo();
      return deed.undone();
    } catch (thrown) {
      this.add(deed);
      showError(thrown);
      return null;
    }
  }
}
