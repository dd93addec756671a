import type { Postprocess } from '$lib/api';
import { t } from '$lib/i18n';

/** What is done to a picture after it is drawn, in words: "crop to 512 × 384, resize to 1024 × 768". */
export const stepsText = (steps: readonly Postprocess[]): string =>
  steps
    .map((step) =>
      'crop' in step
        ? t('create:then.crop', { width: step.crop.width, height: step.crop.height })
        : t('create:then.resize', { width: step.resize.width, height: step.resize.height }),
    )
    .join(t('create:then.and'));
