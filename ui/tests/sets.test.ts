import { configure, render, screen, waitFor } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import axe from 'axe-core';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import App from '../src/App.svelte';
import { navigate } from '$lib/router/index.svelte';
import { useFake } from './fixtures';
import { batchOf, makeSets, type Sets } from './sets/world';

// jsdom lays nothing out, and a table without height has no rows.
Object.defineProperty(HTMLElement.prototype, 'clientHeight', {
  configurable: true,
  get: () => 900,
});
vi.mock(
  '../src/views/Create/Create.svelte',
  async () => import('../src/views/Welcome/Welcome.svelte'),
);
vi.setConfig({ testTimeout: 30_000 });
configure({ asyncUtilTimeout: 8000, getElementError: (message) => new Error(message ?? '') });

let world: Sets;
beforeEach(() => {
  world = makeSets();
  navigate('settings');
});

const COLUMNS = ['prompt', 'steps', 'seed'];
const ROWS = [
  ['a red fox', '20', '1'],
  ['a blue bear', '20', '2'],
  ['a silver robot', '30', ''],
];

async function open(rows = ROWS) {
  const id = world.make({ name: 'Animals', columns: COLUMNS, rows });
  const fake = useFake({ ...world.handlers, list_models: () => ({ models: [], folders: [] }) });
  navigate('sets', { path: [id] });
  render(App);
  const pen = await waitFor(() => {
    const found = document.querySelector<HTMLTextAreaElement>('textarea[aria-activedescendant]');
    if (!found) throw new Error('no table yet');
    return found;
  });
  if (rows[0]?.[0]) await screen.findByRole('gridcell', { name: rows[0][0] });
  const user = userEvent.setup({ pointerEventsCheck: 0 });
  pen.focus();
  const asked = (name: string) =>
    fake.calls.filter((call) => call.name === name).map(({ request }) => request);
  return { id, fake, user, pen, asked, texts: () => world.texts(id) };
}

describe('the table', () => {
  test('is a grid that has no faults', async () => {
    await open();
    const grid = screen.getByRole('grid', { name: 'Rows of the set' });
    expect(grid).toHaveAttribute('aria-rowcount', '5');
    const found = await axe.run(document.body, { rules: { 'color-contrast': { enabled: false } } });
    expect(found.violations.map(({ id, nodes }) => [id, nodes[0]?.html])).toEqual([]);
  });

  test('is written by typing: Enter goes down, Tab to the right, Escape gives up', async () => {
    const { user, texts } = await open();
    await user.keyboard('a green cat{Enter}');
    await user.keyboard('{Tab}25{Tab}9{Enter}');
    await user.keyboard('nothing{Escape}');
    await waitFor(() =>
      expect(texts()).toEqual([
        ['a green cat', '20', '1'],
        ['a blue bear', '25', '9'],
        ['a silver robot', '30', ''],
      ]),
    );
  });

  test('F2 keeps the text, and what follows is added to it', async () => {
    const { user, texts } = await open();
    await user.keyboard('{F2}, smiling{Enter}');
    await waitFor(() => expect(texts()[0]?.[0]).toBe('a red fox, smiling'));
  });

  test('keys that an input method has stay with it', async () => {
    const { pen, texts } = await open();
    pen.dispatchEvent(new CompositionEvent('compositionstart'));
    pen.value = '山水';
    pen.dispatchEvent(
      new KeyboardEvent('keydown', { key: 'Enter', isComposing: true, bubbles: true }),
    );
    expect(texts()[0]?.[0]).toBe('a red fox');
    pen.dispatchEvent(new CompositionEvent('compositionend', { data: '山水' }));
    pen.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', bubbles: true }));
    await waitFor(() => expect(texts()[0]?.[0]).toBe('山水'));
  });

  test('fills down, clears, and takes back what was done', async () => {
    const { user, texts, asked } = await open();
    await user.keyboard('{ArrowRight}{Shift>}{ArrowDown}{ArrowDown}{/Shift}{Control>}d{/Control}');
    await waitFor(() => expect(texts().map((row) => row[1])).toEqual(['20', '20', '20']));
    await user.keyboard('{Delete}');
    await waitFor(() => expect(texts().map((row) => row[1])).toEqual(['', '', '']));
    await user.keyboard('{Control>}z{/Control}');
    await waitFor(() => expect(texts().map((row) => row[1])).toEqual(['20', '20', '20']));
    expect(asked('undo_set')).toHaveLength(1);
  });

  test('writing behind the last row makes a new one', async () => {
    const { user, texts } = await open();
    await user.keyboard('{ArrowDown}{ArrowDown}{ArrowDown}a pink cat{Enter}');
    await waitFor(() => expect(texts().at(-1)).toEqual(['a pink cat', '', '']));
  });

  test('rows move, double and go by keys', async () => {
    const { user, texts } = await open();
    await user.keyboard('{Alt>}{ArrowDown}{/Alt}');
    await waitFor(() => expect(texts()[1]?.[0]).toBe('a red fox'));
    await user.keyboard('{Control>}{Shift>}d{/Shift}{/Control}');
    await waitFor(() => expect(texts()).toHaveLength(4));
    await user.keyboard('{Control>}-{/Control}');
    await waitFor(() => expect(texts()).toHaveLength(3));
  });

  test('fifty rows of a spreadsheet are pasted, and the bad one among them is found and mended', async () => {
    const { user, texts, asked } = await open([]);
    const lines = Array.from(
      { length: 50 },
      (_, i) => `"a fox,\n${i}"\t${i === 30 ? '2o' : '20'}\t${i}`,
    );
    await user.paste(`${lines.join('\r\n')}\r\n`);
    await waitFor(() => expect(texts()).toHaveLength(50));
    expect(texts()[7]).toEqual(['a fox,\n7', '20', '7']);
    await user.click(await screen.findByRole('button', { name: /1 row cannot run/ }));
    await user.click(await screen.findByRole('button', { name: 'Row 31 · Steps' }));
    await user.keyboard('20{Enter}');
    await waitFor(() => expect(texts()[30]?.[1]).toBe('20'));
    await waitFor(() => expect(screen.queryByText(/cannot run/)).toBeNull());
    await user.click(screen.getByRole('button', { name: 'Run…' }));
    await user.click(await screen.findByRole('button', { name: 'Draw 50 pictures' }));
    await waitFor(() => expect(asked('run_set')).toHaveLength(1));
    await screen.findByText('0 of 40');
  });

  test('what is chosen is copied as a spreadsheet takes it', async () => {
    const { user, pen } = await open();
    await user.keyboard('{Shift>}{ArrowDown}{ArrowRight}{/Shift}');
    const setData = vi.fn();
    pen.dispatchEvent(Object.assign(new Event('copy'), { clipboardData: { setData } }));
    expect(setData).toHaveBeenCalledWith('text/plain', 'a red fox\t20\r\na blue bear\t20');
  });
});

describe('runs', () => {
  test('a run that failed in part says why, and leads to the row', async () => {
    world.batches.push({
      batch: batchOf({ done: 38, failed: 2, waiting: 0, running: 0, state: 'finished' }),
      failures: [
        {
          error: {
            code: 'out_of_memory',
            message: 'the picture needs 9 GB',
            hint: 'make it smaller',
          },
          count: 2,
          rows: [2],
          job: 'job-1',
        },
      ],
    });
    const { user, pen } = await open();
    expect(await screen.findByText('2: Not enough memory')).toBeVisible();
    await user.click(screen.getByRole('button', { name: 'Show the row (1)' }));
    await waitFor(() => expect(pen).toHaveAccessibleName('Prompt, row 2: a blue bear'));
    expect(await screen.findAllByRole('link', { name: /Open picture/ })).toHaveLength(38);
  });
});

test('an empty view teaches with three samples', async () => {
  const fake = useFake(world.handlers);
  navigate('sets');
  render(App);
  const user = userEvent.setup({ pointerEventsCheck: 0 });
  await user.click(await screen.findByRole('button', { name: /^Avatars with traits/ }));
  await screen.findByRole('grid');
  expect(fake.calls.some(({ name }) => name === 'create_set')).toBe(true);
});
