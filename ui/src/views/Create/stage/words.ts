import type { JobProgress } from '$lib/api';
import { duration, t } from '$lib/i18n';
import type { Shot } from '../model/session';

/** What a shot is doing, in words: "step 12 of 30". */
export function doing(shot: Shot): string {
  if (shot.stopping) return t('create:progress.stopping');
  if (shot.state === 'sending') return t('create:progress.sending');
  if (shot.state === 'queued') return t('create:progress.queued');
  if (shot.state === 'failed') return t('create:progress.failed');
  if (shot.state === 'cancelled') return t('create:progress.cancelled');
  if (shot.state === 'done') return t('create:progress.done');
  const { progress } = shot;
  return progress ? stage(progress) : t('create:stage.starting');
}

export function stage(progress: JobProgress): string {
  if (progress.stage === 'sampling' && progress.steps > 0) {
    return t('create:progress.step', { step: progress.step, steps: progress.steps });
  }
  return t(`create:stage.${progress.stage}`);
}

export const left = (progress: JobProgress | undefined): string =>
  progress?.seconds_left === undefined
    ? ''
    : t('create:progress.left', { time: duration(progress.seconds_left) });

export const share = (progress: JobProgress | undefined): number | null =>
  progress && progress.stage === 'sampling' && progress.steps > 0
    ? progress.step / progress.steps
    : progress && (progress.stage === 'decoding' || progress.stage === 'saving')
      ? 1
      : null;
