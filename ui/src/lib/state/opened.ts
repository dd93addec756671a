import { notify } from '$lib/components';
import { t } from '$lib/i18n';
import { platform } from '$lib/platform';
import type { Opened } from '$lib/platform';
import { handOver } from './handoff.svelte';
import { command } from './query.svelte';
import { showError } from './showError';

/** A file that Tarim was opened with restores what it was made with; a picture without that is started from. */
async function restore(opened: Opened): Promise<void> {
  try {
    const found =
      opened.kind === 'picture'
        ? await command('read_input', { sha256: opened.sha256 })
        : await command('read_infotext', { text: opened.text });
    if (found.draft) handOver({ draft: found.draft, parts: 'all' });
    else if (opened.kind === 'picture') {
      handOver({ draft: { init_picture: opened.sha256 }, parts: 'all', tool: 'img2img' });
    }
    if (found.warnings.length > 0) {
      notify({
        title: t('common:opened.warnings'),
        text: found.warnings.join(' '),
        tone: 'warning',
      });
    }
  } catch (thrown) {
    showError(thrown);
  }
}

/** App.svelte calls this once. */
export function followOpened(): () => void {
  return platform().onOpened?.((opened) => void restore(opened)) ?? (() => undefined);
}
