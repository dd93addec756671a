import type { CreateSet } from '$lib/api';
import { date, t } from '$lib/i18n';

// The backend fills in what a new set does not say.
const NOTHING = { kind: 'table', columns: [], rows: [], axes: [] } as const;

const blank = (set: Partial<CreateSet>): CreateSet =>
  ({ ...NOTHING, name: '', ...set }) as unknown as CreateSet;

export const blankTable = (): CreateSet =>
  blank({
    name: t('sets:new.name', { date: date(Date.now()) }),
    columns: ['prompt', 'negative_prompt', 'seed', 'count'],
  });

export const blankComparison = (): CreateSet =>
  blank({
    name: t('sets:new.comparisonName', { date: date(Date.now()) }),
    kind: 'grid',
    axes: [
      { field: 'guidance_scale', values: '4, 7' },
      { field: 'steps', values: '10-30 (+10)' },
    ],
  });
