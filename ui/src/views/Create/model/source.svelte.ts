import type { Draft, PictureSummary } from '$lib/api';
import { emptyMask, isEmpty, MaskHistory, maskFrom, toPng, type Brush, type Mask } from '$lib/mask';
import { platform } from '$lib/platform';
import { command } from '$lib/state';
import type { StartingPoint } from './draft';
import { inputUrl } from './session';

export type Tool = 'img2img' | 'inpaint' | 'outpaint';

/** How far each side of the canvas is to grow, in pixels. */
export interface Margins {
  left: number;
  top: number;
  right: number;
  bottom: number;
}
export const noMargins: Margins = { left: 0, top: 0, right: 0, bottom: 0 };

/** A picture to start from. */
export interface Source {
  sha256: string;
  width: number;
  height: number;
  /** The picture of the library that it is, where it is one. */
  picture?: string;
}

class Starting {
  source = $state.raw<Source | null>(null);
  tool = $state<Tool>('img2img');
  /** The stage shows the tool instead of the results. */
  editing = $state(false);
  history = $state.raw<MaskHistory | null>(null);
  /** Counts the mask's changes, so that what depends on it follows. */
  revision = $state(0);
  brush = $state<Brush>({ radius: 24, hardness: 0.6, erase: false });
  colour = $state<0 | 1>(0);
  margins = $state.raw<Margins>(noMargins);
  overlap = $state(16);
  uploading = $state(false);

  #sent: { revision: number; sha256: string; mask: string } | null = null;

  get url(): string {
    return this.source ? inputUrl(this.source.sha256) : '';
  }

  get maskEmpty(): boolean {
    void this.revision;
    return !this.history || isEmpty(this.history.mask);
  }

  get canUndo(): boolean {
    void this.revision;
    return this.history?.canUndo ?? false;
  }

  get canRedo(): boolean {
    void this.revision;
    return this.history?.canRedo ?? false;
  }

  get canvas(): { width: number; height: number } {
    const { left, top, right, bottom } = this.margins;
    return {
      width: (this.source?.width ?? 0) + left + right,
      height: (this.source?.height ?? 0) + top + bottom,
    };
  }

  get grown(): boolean {
    return Object.values(this.margins).some((margin) => margin > 0);
  }

  /** Starts from a picture; with another tool the picture stays. */
  begin(source: Source, tool: Tool): void {
    if (this.source?.sha256 !== source.sha256) {
      this.history = null;
      this.margins = noMargins;
      this.#sent = null;
    }
    this.source = source;
    this.use(tool);
  }

  /** Paints on from a mask that is an input already. */
  beginWithMask(source: Source, mask: Mask, sha256: string): void {
    this.begin(source, 'img2img');
    this.history = new MaskHistory(mask);
    this.revision += 1;
    this.#sent = { revision: this.revision, sha256: source.sha256, mask: sha256 };
    this.brush.radius = brushFor(source);
    this.use('inpaint');
  }

  use(tool: Tool): void {
    const { source } = this;
    if (!source) return;
    this.tool = tool;
    this.editing = tool !== 'img2img';
    if (tool === 'inpaint' && !this.history) {
      this.history = new MaskHistory(emptyMask(source.width, source.height));
      this.brush.radius = brushFor(source);
      this.revision += 1;
    }
    if (tool === 'outpaint' && !this.grown) this.margins = firstMargins(source);
  }

  clear(): void {
    this.source = null;
    this.history = null;
    this.editing = false;
    this.margins = noMargins;
    this.tool = 'img2img';
    this.#sent = null;
  }

  /** What goes into a request; uploads the mask, or has the canvas extended. */
  async startingPoint(): Promise<StartingPoint | null> {
    const { source } = this;
    if (!source) return null;
    const picture = source.picture ? { picture: source.picture } : {};
    if (this.tool === 'inpaint' && this.history && !this.maskEmpty) {
      const mask = await this.#mask(source);
      return { sha256: source.sha256, kind: 'inpaint', mask, ...picture };
    }
    if (this.tool === 'outpaint' && this.grown) {
      const made = await command('prepare_outpaint', {
        sha256: source.sha256,
        ...this.margins,
        overlap: this.overlap,
      });
      const { width, height } = made.init;
      return {
        sha256: made.init.sha256,
        kind: 'outpaint',
        mask: made.mask.sha256,
        size: { width, height },
        ...picture,
      };
    }
    return { sha256: source.sha256, kind: 'img2img', ...picture };
  }

  async #mask(source: Source): Promise<string> {
    const { revision, history } = this;
    const sent = this.#sent;
    if (sent && sent.revision === revision && sent.sha256 === source.sha256) return sent.mask;
    if (!history) throw new Error('there is no mask');
    const { sha256 } = await platform().upload(await toPng(history.mask), 'mask.png');
    this.#sent = { revision, sha256: source.sha256, mask: sha256 };
    return sha256;
  }
}

const brushFor = ({ width, height }: Source): number =>
  Math.max(4, Math.round(Math.min(width, height) / 12));

/** A canvas that is wider by a quarter on both sides, in whole steps of 8. */
function firstMargins({ width, height }: Source): Margins {
  const side = Math.round(width / 4 / 8) * 8;
  return {
    ...noMargins,
    left: side,
    right: side + ((8 - ((width + 2 * side) % 8)) % 8),
    bottom: (8 - (height % 8)) % 8,
  };
}

export const starting = new Starting();

/** Uploads a file to start from. */
export async function upload(file: Blob, name: string): Promise<Source> {
  starting.uploading = true;
  try {
    const { sha256, width, height } = await platform().upload(file, name);
    return { sha256, width, height };
  } finally {
    starting.uploading = false;
  }
}

/** Makes a picture of the library one to start from. */
export async function sourceOfPicture(picture: PictureSummary): Promise<Source> {
  const input = await command('input_from_picture', { id: picture.id });
  return { ...input, picture: picture.id };
}

/** The mask that a draft was drawn with, as large as what it starts from. */
export const maskOfDraft = (sha256: string, { width, height }: Source): Promise<Mask> =>
  maskFrom(inputUrl(sha256), width, height);

/** The picture that a draft starts from; its size is the file's own. */
export async function sourceOfDraft(draft: Draft, picture?: string): Promise<Source | null> {
  if (!draft.init_picture) return null;
  const image = new Image();
  image.src = inputUrl(draft.init_picture);
  await image.decode();
  return {
    sha256: draft.init_picture,
    width: image.naturalWidth,
    height: image.naturalHeight,
    ...(picture ? { picture } : {}),
  };
}
