import type { CreateSet } from '$lib/api';
import { t } from '$lib/i18n';

/** Three sets to learn from, in the words that the starter model knows. */
export const SAMPLES = ['avatars', 'scenes', 'contest'] as const;
export type Sample = (typeof SAMPLES)[number];

const AVATAR =
  '{smiling|serious}, {black|red|white} {hoodie|suit}, {teal|violet|orange} background';
const PALETTE =
  '{violet neon night, pink sun|teal dawn, orange sun|red dusk, white moon}, starry sky';

const TABLES: Record<Sample, { columns: string[]; rows: string[][] }> = {
  avatars: {
    columns: ['prompt', 'count', 'template_mode', 'tags'],
    rows: [
      [
        `avatar of a {3::blue|1::golden} fox with {a crown|sunglasses}, ${AVATAR}`,
        '8',
        'random',
        'fox',
      ],
      [`avatar of a {pink|brown} bear with {a crown|a beanie}, ${AVATAR}`, '6', 'random', 'bear'],
      [`avatar of a silver robot with {sunglasses|a crown}, ${AVATAR}`, '4', 'random', 'robot'],
    ],
  },
  scenes: {
    columns: ['prompt', 'seed', 'template_mode', 'notes'],
    rows: [
      [`avatar of a blue fox, astronaut helmet, ${PALETTE}`, '7', 'combinatorial', ''],
      [`cyber loulan, camels in the desert, ${PALETTE}`, '7', 'combinatorial', ''],
      [`cyber loulan, ruined towers in the desert, ${PALETTE}`, '7', 'combinatorial', ''],
      [`cyber loulan, a stupa in the desert, ${PALETTE}`, '7', 'combinatorial', ''],
    ],
  },
  contest: {
    columns: ['prompt', 'count', 'title_en', 'title_zh', 'tags'],
    rows: [
      [
        'cyber loulan, ruined towers in the desert, violet neon night, pink sun, starry sky',
        '4',
        'Neon Loulan',
        '霓虹楼兰',
        'contest',
      ],
      [
        'cyber loulan, a stupa in the desert, teal dawn, white moon',
        '4',
        'The Quiet Stupa',
        '静塔',
        'contest',
      ],
      [
        'cyber loulan, camels in the desert, red dusk, orange sun',
        '4',
        'Caravan',
        '驼队',
        'contest',
      ],
    ],
  },
};

export const sampleSet = (sample: Sample): CreateSet =>
  ({
    name: t(`sets:samples.${sample}.name`),
    kind: 'table',
    ...TABLES[sample],
    axes: [],
    // Absent: the backend's own.
  }) as unknown as CreateSet;
