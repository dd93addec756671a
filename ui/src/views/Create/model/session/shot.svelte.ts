import type { JobState, PictureSummary, Submit, WireError } from '$lib/api';
import { platform } from '$lib/platform';
import { jobs } from '$lib/state';

/** A picture of this session: to be, in work, or there. */
export class Shot {
  /** The job's id, which becomes the picture's; empty until the request is queued. */
  id = $state('');
  state = $state<JobState | 'sending'>('sending');
  error = $state.raw<WireError | null>(null);
  picture = $state.raw<PictureSummary | null>(null);
  /** Number of the last preview; it stays on the screen until the picture itself is loaded. */
  preview = $state(0);
  /** A stop was asked for and not yet obeyed. */
  stopping = $state(false);

  constructor(
    readonly order: Order,
    readonly index: number,
  ) {}

  get key(): string {
    return `${this.order.key}/${this.index}`;
  }

  get pending(): boolean {
    return this.state === 'sending' || this.state === 'queued' || this.state === 'running';
  }

  get progress() {
    return this.state === 'running' ? jobs.running.get(this.id) : undefined;
  }
}

/** One press of the button: a request and its pictures. */
export class Order {
  request = $state('');
  /** The first picture's seed, once it is drawn. */
  seed = $state<string>();
  shots = $state.raw<Shot[]>([]);

  constructor(
    readonly key: number,
    readonly submit: Submit,
  ) {
    this.seed = submit.draft.seed;
    this.shots = Array.from({ length: submit.count }, (_, index) => new Shot(this, index));
  }

  get width(): number {
    return this.submit.draft.width ?? 512;
  }

  get height(): number {
    return this.submit.draft.height ?? 512;
  }
}

/** The seed of a shot, once it is known: each has the next, except variations, which share theirs. */
export function seedOf(shot: Shot): string | undefined {
  if (shot.picture?.seed) return shot.picture.seed;
  const { seed, submit } = shot.order;
  if (seed === undefined || submit.draft.variation_strength) return seed;
  return String(BigInt.asUintN(64, BigInt(seed) + BigInt(shot.index)));
}

/** Addresses of what a shot shows. */
export const pictureUrl = (picture: PictureSummary): string =>
  platform().resourceUrl('picture', picture.id, { v: picture.version });
export const thumbnailUrl = (picture: PictureSummary): string =>
  platform().resourceUrl('thumbnail', picture.id, { size: 256, v: picture.version });
export const previewUrl = (shot: Shot): string =>
  platform().resourceUrl('preview', shot.id, { v: shot.preview });
export const inputUrl = (sha256: string): string => platform().resourceUrl('input', sha256);
