import type { Field } from '$lib/api';
import { t } from '$lib/i18n';

/** What a column can mean, in a menu's order: what most sets use first. */
export const FIELDS: { group: 'main' | 'picture' | 'source' | 'text' | 'fine'; fields: Field[] }[] =
  [
    {
      group: 'main',
      fields: ['prompt', 'negative_prompt', 'seed', 'size', 'count', 'model', 'loras', 'styles'],
    },
    {
      group: 'picture',
      fields: ['steps', 'guidance_scale', 'sampler', 'schedule', 'width', 'height', 'clip_skip'],
    },
    {
      group: 'text',
      fields: [
        'output_name',
        'tags',
        'project',
        'rating',
        'notes',
        'prompt_en',
        'prompt_zh',
        'title',
        'title_en',
        'title_zh',
        'description',
        'description_en',
        'description_zh',
        'enabled',
      ],
    },
    {
      group: 'source',
      fields: [
        'init_picture',
        'strength',
        'resize_mode',
        'mask',
        'mask_blur',
        'mask_fill',
        'mask_area',
        'mask_padding',
        'mask_invert',
        'image_guidance_scale',
      ],
    },
    {
      group: 'fine',
      fields: [
        'template_mode',
        'limit',
        'template_seed',
        'batch_size',
        'variation_seed',
        'variation_strength',
        'guidance_rescale',
        'noise_source',
        'emphasis',
        'eta',
        'precision',
        'model_hash',
      ],
    },
  ];

export const allFields: Field[] = FIELDS.flatMap(({ fields }) => fields);

export const fieldName = (field: Field): string => t(`sets:field.${field}`);

/** Columns whose texts are prompts: highlighted, counted, wide. */
export const isPrompt = (field: Field | undefined): boolean =>
  field === 'prompt' ||
  field === 'negative_prompt' ||
  field === 'prompt_en' ||
  field === 'prompt_zh';

const NARROW = new Set<Field>([
  'seed',
  'count',
  'steps',
  'size',
  'width',
  'height',
  'rating',
  'enabled',
]);

/** A column's width in rem before somebody changed it. */
export function usualWidth(field: Field | undefined): number {
  if (field === 'prompt') return 30;
  if (isPrompt(field)) return 18;
  if (field === undefined) return 10;
  return NARROW.has(field) || field.endsWith('scale') ? 7 : 10;
}

/** Whether a copied row is the heading of a table rather than its first row. */
export function looksLikeHeader(cells: readonly string[]): boolean {
  const plain = (text: string) => text.toLowerCase().replace(/[\s_-]/g, '');
  const known = new Set(allFields.flatMap((field) => [plain(field), plain(fieldName(field))]));
  return cells.some(
    (cell) => ['prompt', '提示词', '提示詞'].includes(plain(cell)) || known.has(plain(cell)),
  );
}

/** A column's header in the user's language, where it is one of ours. */
export const fieldLabel = (header: string): string =>
  (allFields as string[]).includes(header) ? fieldName(header as Field) : header;
