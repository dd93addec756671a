import { configure, render, screen, waitFor, within } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import axe from 'axe-core';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import App from '../src/App.svelte';
import { navigate } from '$lib/router/index.svelte';
import { panels } from '$lib/state';
import { forgetGallery } from '../src/views/Gallery/model/gallery.svelte';
import { useFake } from './fixtures';
import { makeWorld, type World } from './gallery/world';

// jsdom lays nothing out, and a wall without width has no rows.
Object.defineProperty(HTMLElement.prototype, 'clientWidth', {
  configurable: true,
  get: () => 1200,
});
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

let world: World;

async function open(keys: string) {
  const fake = useFake(world.handlers);
  navigate('gallery');
  render(App);
  const grid = await waitFor(() => {
    const found = document.querySelector<HTMLElement>('[role=grid]');
    if (!found?.querySelector('img')) throw new Error('no pictures yet');
    return found;
  });
  const user = userEvent.setup({ pointerEventsCheck: 0 });
  grid.focus();
  await user.keyboard(keys);
  const asked = (name: string) =>
    fake.calls.filter((call) => call.name === name).map(({ request }) => request);
  return { fake, user, asked };
}

const faults = async (node: Element) =>
  (await axe.run(node, { rules: { 'color-contrast': { enabled: false } } })).violations.map(
    (found) => [found.id, found.nodes[0]?.html],
  );

beforeEach(() => {
  forgetGallery();
  world = makeWorld(6, { judged: false });
  for (const picture of world.pictures.values())
    Object.assign(picture, { width: 600, height: 400 });
  Object.assign(panels, { queue: false, palette: false, keys: false });
  navigate('settings');
});

describe('cropping', () => {
  test('by keys: a shape, a nudge, Enter, and undo', async () => {
    const { asked, user } = await open('{ArrowRight}r');
    const tool = await screen.findByRole('dialog', { name: 'Crop 1 picture' });
    expect(await faults(tool)).toEqual([]);
    // Nothing is cut yet.
    expect(within(tool).getByRole('button', { name: 'Crop' })).toBeDisabled();
    const width = within(tool).getByRole('spinbutton', { name: 'Width' });
    await user.clear(width);
    await user.type(width, '300{Enter}');
    const frame = within(tool).getByRole('button', { name: /^Crop area/ });
    frame.focus();
    await user.keyboard('{ArrowRight}{Shift>}{ArrowRight}{/Shift}{Alt>}{ArrowUp}{/Alt}');
    expect(frame).toHaveAccessibleName('Crop area: 300 by 399 pixels at 11, 0');
    // Keys belong to the tool: nothing behind it is judged.
    await user.keyboard('p5');
    await user.keyboard('{Enter}');
    await waitFor(() =>
      expect(asked('crop_pictures')).toEqual([
        { ids: ['picture-6'], x: 11, y: 0, width: 300, height: 399 },
      ]),
    );
    expect(asked('update_pictures')).toEqual([]);
    await waitFor(() => expect(screen.queryByRole('dialog')).not.toBeInTheDocument());
    await waitFor(() =>
      expect(document.getElementById('picture-7')).toHaveAttribute('aria-selected', 'true'),
    );
    document.querySelector<HTMLElement>('[role=grid]')?.focus();
    await user.keyboard('{Control>}z{/Control}');
    await waitFor(() => expect(asked('trash_pictures')).toEqual([{ ids: ['picture-7'] }]));
  });

  test('crops many alike, the same part of each', async () => {
    Object.assign(world.pictures.get(5) ?? {}, { width: 1200, height: 800 });
    const { asked, user } = await open('{ArrowRight}{Shift>}{ArrowRight}{ArrowRight}{/Shift}r');
    const tool = await screen.findByRole('dialog', { name: 'Crop 3 pictures' });
    const height = within(tool).getByRole('spinbutton', { name: 'Height' });
    await user.clear(height);
    await user.type(height, '200{Enter}');
    await user.click(within(tool).getByRole('button', { name: 'Crop 3' }));
    await waitFor(() => expect(asked('crop_pictures')).toHaveLength(2));
    expect(asked('crop_pictures')).toEqual(
      expect.arrayContaining([
        { ids: ['picture-6', 'picture-4'], x: 0, y: 0, width: 600, height: 200 },
        { ids: ['picture-5'], x: 0, y: 0, width: 1200, height: 400 },
      ]),
    );
  });

  test('Escape leaves everything as it is', async () => {
    const { asked, user } = await open('{ArrowRight}r');
    await screen.findByRole('dialog', { name: 'Crop 1 picture' });
    await user.keyboard('{Escape}');
    await waitFor(() => expect(screen.queryByRole('dialog')).not.toBeInTheDocument());
    expect(asked('crop_pictures')).toEqual([]);
  });
});

describe('upscaling', () => {
  test('by a factor, at once', async () => {
    const { asked, user } = await open('{ArrowRight}e');
    const box = await screen.findByRole('dialog', { name: 'Upscale 1 picture' });
    expect(await faults(box)).toEqual([]);
    await user.click(within(box).getByRole('radio', { name: '3×' }));
    expect(box).toHaveTextContent('1800 × 1200');
    await user.click(within(box).getByRole('button', { name: 'Upscale' }));
    await waitFor(() =>
      expect(asked('upscale_pictures')).toEqual([{ ids: ['picture-6'], factor: 3 }]),
    );
    await waitFor(() => expect(screen.queryByRole('dialog')).not.toBeInTheDocument());
  });

  test('to a size, by the longer side of each', async () => {
    Object.assign(world.pictures.get(5) ?? {}, { width: 400, height: 600 });
    const { asked, user } = await open('{ArrowRight}{Shift>}{ArrowRight}{/Shift}e');
    const box = await screen.findByRole('dialog', { name: 'Upscale 2 pictures' });
    await user.click(within(box).getByRole('radio', { name: 'Size' }));
    const side = within(box).getByRole('spinbutton', { name: 'Longer side' });
    await user.clear(side);
    await user.type(side, '1024{Enter}');
    await user.click(within(box).getByRole('button', { name: 'Upscale' }));
    await waitFor(() =>
      expect(asked('upscale_pictures')).toEqual([
        { ids: ['picture-6'], width: 1024 },
        { ids: ['picture-5'], height: 1024 },
      ]),
    );
  });

  test('redraws detail through the queue, within what a model draws', async () => {
    const { asked, user } = await open('{ArrowRight}e');
    const box = await screen.findByRole('dialog', { name: 'Upscale 1 picture' });
    await user.click(within(box).getByRole('switch', { name: 'Redraw detail' }));
    await user.click(within(box).getByRole('radio', { name: '4×' }));
    expect(await within(box).findByText(/no side longer than 2,048/)).toBeVisible();
    const add = within(box).getByRole('button', { name: 'Add to the queue' });
    expect(add).toBeDisabled();
    await user.click(within(box).getByRole('radio', { name: '2×' }));
    expect(await within(box).findByText(/Takes about 0:12/)).toBeVisible();
    await user.click(add);
    await waitFor(() =>
      expect(asked('submit')).toEqual([
        expect.objectContaining({ parent: { picture: 'picture-6', derivation: 'upscale' } }),
      ]),
    );
    expect(asked('prepare_redraw').at(-1)).toEqual({
      picture: 'picture-6',
      strength: 0.35,
      factor: 2,
    });
  });
});
