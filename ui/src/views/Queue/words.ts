import type { JobProgress } from '$lib/api';
import { duration, number, t } from '$lib/i18n';

/** What a job is doing, in words: "step 12 of 30". */
export function doing(progress: JobProgress | undefined): string {
  if (!progress) return t('queue:stage.waiting');
  if (progress.stage === 'sampling' && progress.steps > 0) {
    return t('queue:stage.step', { step: number(progress.step), steps: number(progress.steps) });
  }
  return t(`queue:stage.${progress.stage}`);
}

/** How long it will take, where that is known. */
export const left = (seconds: number | undefined): string =>
  seconds === undefined ? '' : t('queue:left', { time: duration(seconds) });

/** How much of it is done, 0 to 1; null while nobody knows. */
export const share = (progress: JobProgress | undefined): number | null =>
  progress && progress.steps > 0 && progress.step > 0 ? progress.step / progress.steps : null;
