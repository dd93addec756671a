import type { Page } from '@playwright/test';

/** Drops a file on the view, as from the file manager. */
export async function drop(page: Page, name: string, type: string, bytes: Buffer): Promise<void> {
  const files = await page.evaluateHandle(
    ({ name, type, base64 }) => {
      const carried = new DataTransfer();
      const raw = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
      carried.items.add(new File([raw], name, { type }));
      return carried;
    },
    { name, type, base64: bytes.toString('base64') },
  );
  const target = page.getByRole('region', { name: 'Prompt' });
  for (const kind of ['dragenter', 'dragover', 'drop']) {
    await target.dispatchEvent(kind, { dataTransfer: files });
  }
}
