import { EditorView } from '@codemirror/view';
import { render, screen, waitFor } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import axe from 'axe-core';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Models, PictureSummary, Submit, WhichJobs } from '$lib/api';
import type { FakePlatform } from '$lib/platform/fake';
import { queue as emptyQueue, useFake } from '../../../tests/fixtures';
import { form, initialForm, restoreForm } from './model/form.svelte';
import { forgetSession } from './model/session';
import { starting } from './model/source.svelte';
import TestHost from './TestHost.svelte';

// jsdom lays nothing out, and CodeMirror measures text.
Range.prototype.getClientRects ??= () => [] as unknown as DOMRectList;
Range.prototype.getBoundingClientRect ??= () => new DOMRect();

const models: Models = {
  models: [
    {
      id: 'starter',
      name: 'starter',
      path: 'starter',
      kind: 'Stable Diffusion 1',
      family: 'sd1',
      task: 'text_to_image',
      layout: 'folder',
      bytes: 1,
      usable: true,
      defaults: { width: 256, height: 256, steps: 20, guidance_scale: 1.75, sampler: 'DDIM' },
      is_default: true,
      pictures: 0,
    },
  ],
  folders: [],
  scanning: false,
};

const picture = (id: string): PictureSummary => ({
  id,
  key: 1,
  version: '1',
  width: 256,
  height: 256,
  created: 0,
  rating: 0,
  flag: 'none',
  prompt: 'a fox',
  seed: '7',
  tags: [],
  trashed: false,
  missing: false,
});

function backend(more: Record<string, (request: never) => unknown> = {}): FakePlatform {
  let jobs = 0;
  return useFake({
    list_models: () => models,
    get_choices: () => ({
      samplers: [{ name: 'DDIM', automatic_schedule: 'Uniform' }],
      schedules: ['Automatic', 'Karras'],
      size_step: 8,
      size_min: 64,
      size_max: 2048,
      steps_max: 150,
    }),
    list_styles: () => ({ styles: [], problems: [] }),
    list_presets: () => ({ presets: [] }),
    describe_prompt: () => ({
      chunks: [3],
      chunk_size: 75,
      scheduled: false,
      conditionings: 1,
      remarks: [],
    }),
    estimate: () => ({ seconds: 75, bytes: 1 }),
    submit: ({ count }: Submit) => ({
      request: 'r1',
      jobs: Array.from({ length: count }, () => `j${(jobs += 1)}`),
      seed: '7',
      warnings: [],
    }),
    find_pictures: ({ ids }: { ids: string[] }) => ({ pictures: ids.map(picture) }),
    update_pictures: () => ({ changed: 1 }),
    ...more,
  });
}

const callsOf = (fake: FakePlatform, name: string) =>
  fake.calls.filter((call) => call.name === name).map((call) => call.request);
const submitted = (fake: FakePlatform) => callsOf(fake, 'submit') as Submit[];

function type(text: string, label = 'Prompt') {
  const view = EditorView.findFromDOM(screen.getByRole('textbox', { name: label }));
  view?.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text } });
}

const press = async () => {
  await userEvent.click(screen.getByRole('button', { name: 'Create' }));
};
const running = { kind: 'progress', job: 'j1', request: 'r1', preview: 0 } as const;

beforeEach(() => {
  restoreForm(initialForm());
  forgetSession();
  starting.clear();
});

describe('Create', () => {
  test('teaches when there is nothing, with no serious accessibility fault', async () => {
    const fake = backend();
    render(TestHost);
    await waitFor(() => expect(callsOf(fake, 'list_models')).toHaveLength(1));
    const { violations } = await axe.run(document.body, {
      rules: { 'color-contrast': { enabled: false }, region: { enabled: false } },
    });
    expect(violations.map((found) => [found.id, found.nodes[0]?.html])).toEqual([]);
    await userEvent.click(screen.getByRole('button', { name: /blue fox with a crown/ }));
    await waitFor(() => expect(submitted(fake)).toHaveLength(1));
    expect(submitted(fake)[0]).toMatchObject({
      model: 'starter',
      count: 1,
      draft: { prompt: expect.stringContaining('blue fox'), width: 256, steps: 20 },
    });
  });

  test('shows a request at once, then its steps, then the picture', async () => {
    const fake = backend();
    render(TestHost);
    type('a fox');
    await press();
    expect(await screen.findByText('Waiting its turn')).toBeVisible();
    fake.emit({ ...running, stage: 'loading_model', step: 0, steps: 20 });
    expect((await screen.findAllByText('Loading the model'))[0]).toBeVisible();
    fake.emit({ ...running, stage: 'sampling', step: 5, steps: 20, preview: 5, seconds_left: 12 });
    expect((await screen.findAllByText('Step 5 of 20'))[0]).toBeVisible();
    expect(screen.getByText('0:12 left')).toBeVisible();
    expect(screen.getByRole('progressbar', { name: /Progress/ })).toHaveAttribute(
      'aria-valuetext',
      'Step 5 of 20',
    );
    expect(document.querySelector('img[src="fake:preview/j1"]')).not.toBeNull();
    fake.emit({
      kind: 'job_ended',
      job: 'j1',
      request: 'r1',
      end: { outcome: 'done', seconds: 3 },
    });
    expect(await screen.findByRole('img', { name: 'a fox' })).toHaveAttribute(
      'src',
      'fake:picture/j1',
    );
    expect(screen.getByText('Picture finished')).toBeInTheDocument();
    await userEvent.click(screen.getByRole('button', { name: '4 stars' }));
    expect(callsOf(fake, 'update_pictures')[0]).toMatchObject({ ids: ['j1'], rating: 4 });
  });

  test('stops on request', async () => {
    const fake = backend({
      cancel_jobs: ({ which }: WhichJobs) => {
        expect(which).toEqual({ jobs: ['j1'] });
        fake.emit({ kind: 'job_ended', job: 'j1', request: 'r1', end: { outcome: 'cancelled' } });
        return { changed: 1 };
      },
    });
    render(TestHost);
    type('a fox');
    await press();
    fake.emit({ ...running, stage: 'sampling', step: 1, steps: 20 });
    await userEvent.click(await screen.findByRole('button', { name: 'Stop' }));
    expect(await screen.findByRole('heading', { name: 'Stopped' })).toBeVisible();
  });

  test('knows what was cancelled while it waited, of which no event tells', async () => {
    let waiting: { id: string }[] = [];
    const fake = backend({
      get_queue: () => ({
        ...emptyQueue,
        running: [{ id: 'j1' }],
        waiting,
        waiting_total: waiting.length,
      }),
      find_pictures: () => ({ pictures: [] }),
      get_request: () => ({ outcome: { queued: 1, running: 1, done: 0, failed: 0, cancelled: 1 } }),
    });
    render(TestHost);
    type('a fox');
    form.count = 3;
    await press();
    expect(await screen.findByRole('button', { name: '3 pictures wait' })).toBeVisible();
    // Somebody cancels the last one in the queue's drawer.
    waiting = [{ id: 'j2' }];
    fake.emit({ kind: 'changed', topics: ['queue'] });
    expect(await screen.findByRole('button', { name: '1 picture waits' })).toBeVisible();
    expect(screen.getByRole('button', { name: /^Stopped: a fox/ })).toBeVisible();
  });

  test('says why a picture failed and what to do, and tries again', async () => {
    const fake = backend({ retry_jobs: () => ({ changed: 1 }) });
    render(TestHost);
    type('a fox');
    await press();
    await screen.findByText('Waiting its turn');
    const error = { code: 'out_of_memory', message: 'at step 3', hint: 'draw smaller' } as const;
    fake.emit({ kind: 'job_ended', job: 'j1', request: 'r1', end: { outcome: 'failed', error } });
    const alert = await screen.findByRole('alert');
    expect(alert).toHaveTextContent('Not enough memory');
    expect(alert).toHaveTextContent('draw smaller');
    await userEvent.click(screen.getByRole('button', { name: 'Try again' }));
    expect(callsOf(fake, 'retry_jobs')).toEqual([{ which: { jobs: ['j1'] } }]);
    expect(await screen.findByText('Waiting its turn')).toBeVisible();
  });

  test('a request that is refused is shown where its picture would be', async () => {
    const fake = backend({
      submit: () => {
        throw { code: 'bad_input', message: 'the width is odd', hint: 'choose another' };
      },
    });
    render(TestHost);
    type('a fox');
    await press();
    expect(await screen.findByRole('alert')).toHaveTextContent('the width is odd');
    await userEvent.click(screen.getByRole('button', { name: 'Try again' }));
    await waitFor(() => expect(submitted(fake)).toHaveLength(2));
  });

  test('a hundred that wait are one pile, and end together', async () => {
    const fake = backend();
    render(TestHost);
    type('a fox');
    form.count = 100;
    await press();
    expect(await screen.findByRole('button', { name: '100 pictures wait' })).toBeVisible();
    expect(await screen.findByText('about 1:15')).toBeVisible();
    fake.emit({
      kind: 'job_ended',
      job: 'j1',
      request: 'r1',
      end: { outcome: 'done', seconds: 3 },
    });
    expect(await screen.findByRole('button', { name: '99 pictures wait' })).toBeVisible();
    expect(screen.getByRole('button', { name: 'Stop 99' })).toBeVisible();
  });

  test('an end that overtakes the answer to the request is not lost', async () => {
    let answer: (value: unknown) => void = () => {};
    const fake = backend({ submit: () => new Promise((done) => (answer = done)) });
    render(TestHost);
    type('a fox');
    await press();
    fake.emit({
      kind: 'job_ended',
      job: 'j1',
      request: 'r1',
      end: { outcome: 'done', seconds: 1 },
    });
    answer({ request: 'r1', jobs: ['j1'], seed: '7', warnings: [] });
    expect(await screen.findByRole('img', { name: 'a fox' })).toBeVisible();
  });

  test('puts styles into the words when they are asked for, not before', async () => {
    const fake = backend({
      list_styles: () => ({
        styles: [{ name: 'Neon', prompt: '{prompt}, neon', negative_prompt: '' }],
        problems: [],
      }),
      apply_styles: ({ prompt }: { prompt: string }) => ({
        prompt: `${prompt}, neon`,
        negative_prompt: '',
      }),
    });
    render(TestHost);
    type('a fox');
    form.styles = ['Neon'];
    await press();
    await waitFor(() => expect(submitted(fake)).toHaveLength(1));
    expect(submitted(fake)[0]?.draft.prompt).toBe('a fox, neon');
    expect(form.prompt).toBe('a fox');
    expect(screen.getByRole('button', { name: 'Without “Neon”' })).toBeVisible();
  });

  test('a picture that is dropped is offered as recipe or as a beginning', async () => {
    const fake = backend({
      read_input: () => ({
        source: 'infotext',
        draft: { prompt: 'a gate', steps: 31, seed: '5' },
        warnings: [],
      }),
    });
    URL.createObjectURL ??= () => 'blob:x';
    URL.revokeObjectURL ??= () => {};
    render(TestHost);
    const file = new File([new Uint8Array(4)], 'x.png', { type: 'image/png' });
    const input = screen.getByLabelText('Choose a picture to start from', { selector: 'input' });
    // The dialog that closes holds the pointer for a moment; what is tested is what the file does.
    const user = userEvent.setup({ pointerEventsCheck: 0 });
    await user.upload(input, file);
    expect(await screen.findByRole('dialog')).toHaveTextContent('a gate');
    await user.click(screen.getByRole('button', { name: 'Restore its recipe' }));
    expect(form).toMatchObject({ prompt: 'a gate', seed: '5', seedLocked: true });
    await user.upload(input, file);
    await user.click(await screen.findByRole('button', { name: 'Start from it' }));
    expect(starting.source).toMatchObject({ width: 512, height: 512 });
    await waitFor(() => expect(screen.queryByRole('dialog')).toBeNull());
    await waitFor(() => expect(document.body).not.toHaveStyle('pointer-events: none'));
    await press();
    await waitFor(() => expect(submitted(fake)).toHaveLength(1));
    expect(submitted(fake)[0]?.draft).toMatchObject({
      init_picture: '0'.repeat(64),
      strength: 0.6,
      steps: 31,
    });
  });

  test('an infotext that is pasted becomes settings', async () => {
    backend({
      read_infotext: () => ({
        source: 'infotext',
        draft: { prompt: 'a stupa', guidance_scale: 3 },
        warnings: [],
      }),
    });
    render(TestHost);
    const view = EditorView.findFromDOM(screen.getByRole('textbox', { name: 'Prompt' }));
    const event = new Event('paste', { bubbles: true, cancelable: true });
    Object.assign(event, {
      clipboardData: { getData: () => 'a stupa\nSteps: 20, Sampler: DDIM', files: [] },
    });
    view?.contentDOM.dispatchEvent(event);
    await waitFor(() => expect(form.prompt).toBe('a stupa'));
    expect(view?.state.doc.toString()).toBe('a stupa');
  });
});
