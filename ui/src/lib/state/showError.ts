import { notify } from '$lib/components';
import type { Problem } from '$lib/api';
import { hasText, language, t } from '$lib/i18n';
import { isAbort, StudioError } from '$lib/platform';

/** The one door from a failure to the user's eye. Work given up on purpose is no failure. */
export function showError(thrown: unknown, retry?: () => void): void {
  if (isAbort(thrown)) return;
  const error = StudioError.from(thrown);
  console.error(error);
  notify({
    tone: 'error',
    ...describeError(error),
    id: `error:${error.code}:${error.message}`,
    action: retry && { label: t('common:action.retry'), run: retry },
  });
}

/** The headline in the user's language by its code; below it what happened, and what to do next. */
export function describeError(error: Pick<StudioError, 'code' | 'message' | 'hint'>): {
  title: string;
  text: string;
} {
  const title = t(`errors:code.${error.code}`);
  if (error.code === 'offline') return { title, text: t('errors:hint.offline') };
  if (error.code === 'unauthorized') return { title, text: t('errors:hint.unauthorized') };
  return { title, text: [error.message, error.hint].filter(Boolean).join('\n') };
}

/** A problem's headline in the user's language, and below it the details, which are in English. */
export function describeProblem(problem: Problem): { title: string; text?: string } {
  const key = `errors:problem.${problem.code}`;
  if (language() === 'en' || !hasText(key)) return { title: problem.message, text: problem.hint };
  return { title: t(key), text: [problem.message, problem.hint].filter(Boolean).join('. ') };
}
