import { configure, render, screen, waitFor, within } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import axe from 'axe-core';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import App from '../src/App.svelte';
import { StudioError } from '$lib/platform';
import { navigate } from '$lib/router/index.svelte';
import { panels, takeHandoff } from '$lib/state';
import { forgetGallery } from '../src/views/Gallery/model/gallery.svelte';
import { preferences } from '../src/views/Gallery/model/preferences.svelte';
import { hello, useFake } from './fixtures';
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

// Create's own code is another test's business.
vi.mock(
  '../src/views/Create/Create.svelte',
  async () => import('../src/views/Welcome/Welcome.svelte'),
);

// The machine that runs this may be busy with much else.
vi.setConfig({ testTimeout: 30_000 });
configure({ asyncUtilTimeout: 8000, getElementError: (message) => new Error(message ?? '') });

let world: World;

async function open(handlers: Record<string, (request: never) => unknown> = {}, hash = '') {
  const fake = useFake({ ...world.handlers, ...handlers });
  navigate('gallery', { params: Object.fromEntries(new URLSearchParams(hash)) });
  render(App);
  // Roles are worked out from the whole document each time, which takes its time in jsdom.
  const grid = await waitFor(() => {
    const found = document.querySelector<HTMLElement>('[role=grid]');
    if (!found?.querySelector('img')) throw new Error('no pictures yet');
    return found;
  });
  // Nothing is where it floats to in jsdom.
  const user = userEvent.setup({ pointerEventsCheck: 0 });
  return { fake, grid, user };
}

/** The cell of the picture with this key, of a world whose newest has the highest. */
const cell = (key: number) => document.getElementById(`picture-${key}`);

beforeEach(() => {
  forgetGallery();
  world = makeWorld(40, { judged: false });
  Object.assign(panels, { queue: false, palette: false, keys: false });
  navigate('settings');
  takeHandoff();
});

describe('the wall', () => {
  test('is a grid that tells where one is, without accessibility faults', async () => {
    const { grid, user } = await open();
    expect(Number(grid.getAttribute('aria-rowcount'))).toBeGreaterThan(1);
    grid.focus();
    await user.keyboard('{ArrowRight}{ArrowRight}');
    expect(grid).toHaveAttribute('aria-activedescendant', 'picture-39');
    expect(cell(39)).toHaveAttribute('aria-selected', 'true');
    const { violations } = await axe.run(document.body, {
      rules: { 'color-contrast': { enabled: false }, region: { enabled: false } },
    });
    expect(violations.map((found) => [found.id, found.nodes[0]?.html])).toEqual([]);
  });

  test('asks for pictures in one go, and again for none it has', async () => {
    const { fake } = await open();
    const asked = fake.calls.filter(({ name }) => name === 'get_pictures');
    expect(asked).toHaveLength(1);
  });

  test('keeps its place in the order when pictures come', async () => {
    const { fake, user, grid } = await open();
    grid.focus();
    await user.keyboard('{ArrowRight}{ArrowRight}{ArrowRight}');
    const bigger = makeWorld(41, { judged: false });
    world.pictures.clear();
    bigger.pictures.forEach((picture, key) => world.pictures.set(key, picture));
    fake.emit({ kind: 'changed', topics: ['pictures'] });
    await waitFor(() => expect(cell(41)).toBeInTheDocument(), { timeout: 3000 });
    expect(grid).toHaveAttribute('aria-activedescendant', 'picture-38');
  });

  test('says what a query holds that cannot be understood', async () => {
    await open({}, 'q=colour:red fox');
    expect(await screen.findByText(/There is no key/)).toBeVisible();
  });

  test('tells an empty library from a search that finds nothing', async () => {
    useFake(makeWorld(0).handlers);
    navigate('gallery', { params: { q: '' } });
    const { unmount } = render(App);
    expect(await screen.findByRole('heading', { name: 'No pictures yet' })).toBeVisible();
    unmount();
    useFake(world.handlers);
    navigate('gallery', { params: { q: 'zebra' } });
    render(App);
    expect(await screen.findByRole('heading', { name: 'Nothing matches' })).toBeVisible();
  });

  test('says what went wrong, and tries again', async () => {
    let broken = true;
    const layout = world.handlers.layout_pictures;
    useFake({
      ...world.handlers,
      layout_pictures: (query: never) => {
        if (broken) throw new StudioError({ code: 'library_damaged', message: 'page 3 is torn' });
        return layout?.(query);
      },
    });
    navigate('gallery', { params: { q: '', sort: 'x' } });
    render(App);
    expect(await screen.findByText(/page 3 is torn/)).toBeVisible();
    broken = false;
    await userEvent.click(screen.getByRole('button', { name: 'Try again' }));
    expect(await screen.findByRole('grid')).toBeVisible();
  });
});

describe('culling', () => {
  test('rates, flags and undoes by key', async () => {
    const { grid, user } = await open();
    grid.focus();
    await user.keyboard('{ArrowRight}4p');
    await waitFor(() => expect(world.pictures.get(40)).toMatchObject({ rating: 4, flag: 'pick' }));
    expect(cell(40)).toHaveAccessibleName(/4 stars, Picked/);
    await user.keyboard('{Control>}z{/Control}');
    await waitFor(() => expect(world.pictures.get(40)).toMatchObject({ rating: 4, flag: 'none' }));
    await user.keyboard('{Control>}z{/Control}');
    await waitFor(() => expect(world.pictures.get(40)).toMatchObject({ rating: 0 }));
  });

  test('judges a range, and undo gives each its own back', async () => {
    Object.assign(world.pictures.get(39) ?? {}, { rating: 2 });
    const { grid, user } = await open();
    grid.focus();
    await user.keyboard('{ArrowRight}{Shift>}{ArrowRight}{ArrowRight}{/Shift}5');
    await waitFor(() =>
      expect([40, 39, 38].map((key) => world.pictures.get(key)?.rating)).toEqual([5, 5, 5]),
    );
    expect(screen.getByRole('toolbar')).toHaveTextContent('3 chosen');
    await user.keyboard('{Control>}z{/Control}');
    await waitFor(() =>
      expect([40, 39, 38].map((key) => world.pictures.get(key)?.rating)).toEqual([0, 2, 0]),
    );
  });

  test('takes back what the backend refuses', async () => {
    vi.spyOn(console, 'error').mockImplementation(() => {});
    let refuse: (reason: unknown) => void = () => {};
    const { grid, user } = await open({
      update_pictures: () =>
        new Promise((_, reject) => {
          refuse = reject;
        }),
    });
    grid.focus();
    await user.keyboard('{ArrowRight}5');
    await waitFor(() => expect(cell(40)).toHaveAccessibleName(/5 stars/));
    refuse(new StudioError({ code: 'read_only', message: 'the folder is read-only' }));
    await waitFor(() => expect(cell(40)).not.toHaveAccessibleName(/stars/));
    expect(await screen.findByText(/the folder is read-only/)).toBeVisible();
    vi.restoreAllMocks();
  });

  test('trashes with a way back, and the cursor goes on', async () => {
    const { grid, user } = await open();
    grid.focus();
    await user.keyboard('{ArrowRight}{Delete}');
    await waitFor(() => expect(cell(40)).not.toBeInTheDocument());
    expect(world.byId('picture-40').trashed).toBe(true);
    expect(grid).toHaveAttribute('aria-activedescendant', 'picture-39');
    await user.click(await screen.findByRole('button', { name: 'Undo' }));
    await waitFor(() => expect(cell(40)).toBeInTheDocument());
    expect(world.byId('picture-40').trashed).toBe(false);
  });

  test('deletes for good only what is confirmed', async () => {
    for (const key of [40, 39]) Object.assign(world.pictures.get(key) ?? {}, { trashed: true });
    const { fake, grid, user } = await open({}, 'trash=1');
    grid.focus();
    await user.keyboard('{ArrowRight}{Delete}');
    const dialog = await screen.findByRole('dialog', { name: 'Delete 1 picture for good?' });
    expect(world.pictures.size).toBe(40);
    await user.click(within(dialog).getByRole('button', { name: 'Delete for good' }));
    await waitFor(() => expect(world.pictures.size).toBe(39));
    expect(fake.calls.find(({ name }) => name === 'empty_trash')?.request).toEqual({
      ids: ['picture-40'],
    });
  });

  test('tags what is chosen', async () => {
    const { grid, user } = await open();
    grid.focus();
    await user.keyboard('{ArrowRight}{Shift>}{ArrowRight}{/Shift}t');
    const field = await screen.findByRole('combobox', { name: 'Add a tag' });
    expect(field).toHaveFocus();
    await user.keyboard('snow{Enter}');
    await waitFor(() => expect(world.pictures.get(39)?.tags).toEqual(['snow']));
    await user.keyboard('{Escape}');
    expect(grid).toHaveFocus();
  });
});

describe('looking', () => {
  test('opens, walks and closes the full view', async () => {
    const { grid, user } = await open();
    grid.focus();
    await user.keyboard('{ArrowRight} ');
    const view = await screen.findByRole('region', { name: 'Full view' });
    expect(location.hash).toContain('picture-40');
    await user.keyboard('{ArrowRight}3');
    await waitFor(() => expect(location.hash).toContain('picture-39'));
    await waitFor(() => expect(world.pictures.get(39)?.rating).toBe(3));
    await user.keyboard('{Escape}');
    await waitFor(() => expect(view).not.toBeInTheDocument());
    await waitFor(() => expect(grid).toHaveAttribute('aria-activedescendant', 'picture-39'));
  });

  test('compares what is chosen', async () => {
    const { grid, user } = await open();
    grid.focus();
    await user.keyboard('{ArrowRight}{Shift>}{ArrowRight}{/Shift}c');
    expect(await screen.findByRole('region', { name: 'Comparing 2 pictures' })).toBeVisible();
    await user.keyboard('{ArrowRight}p');
    await waitFor(() => expect(world.pictures.get(39)?.flag).toBe('pick'));
    await user.keyboard('{Escape}');
    await waitFor(() => expect(screen.queryByRole('region', { name: /Comparing/ })).toBeNull());
  });

  test('hands a recipe to Create', async () => {
    const { grid, user } = await open();
    grid.focus();
    await user.keyboard('{ArrowRight}{Enter}');
    const details = await screen.findByRole('complementary', { name: 'Details' });
    (await within(details).findByRole('button', { name: 'Use this' })).focus();
    await user.keyboard('{Enter}');
    await user.click(await screen.findByText('Seed only'));
    await waitFor(() => expect(location.hash).toBe('#/create'));
    expect(takeHandoff()).toMatchObject({ parts: 'seed', draft: { seed: '1000' } });
  });

  test('asks for variations in one request, each with noise of its own', async () => {
    const { fake, grid, user } = await open({
      submit: () => ({ request: 'r', jobs: ['a', 'b', 'c', 'd'], seed: '1000', warnings: [] }),
    });
    grid.focus();
    preferences.details = true;
    await user.keyboard('{ArrowRight}');
    await user.click(await screen.findByRole('button', { name: 'Make four variations' }));
    await waitFor(() => expect(fake.calls.some(({ name }) => name === 'submit')).toBe(true));
    const asked = fake.calls.filter(({ name }) => name === 'submit').map(({ request }) => request);
    expect(asked).toHaveLength(1);
    expect(asked[0]).toMatchObject({
      count: 4,
      draft: { seed: '1000', variation_strength: 0.2 },
      parent: { picture: 'picture-40', derivation: 'variation' },
    });
    expect(asked[0]).not.toHaveProperty('draft.variation_seed');
  });

  test('forgets in another library what was done in this one', async () => {
    let folder = 'Pictures/Tarim';
    const { fake, grid, user } = await open({
      hello: () => ({ ...hello, library: { folder, pictures: 40, trashed: 0, requests: 0 } }),
    });
    grid.focus();
    await user.keyboard('{ArrowRight}4');
    await waitFor(() => expect(world.pictures.get(40)).toMatchObject({ rating: 4 }));
    folder = 'Pictures/Other';
    fake.emit({ kind: 'changed', topics: ['library', 'settings'] });
    await waitFor(() => expect(cell(40)).toHaveAttribute('aria-selected', 'false'));
    await user.keyboard('{Control>}z{/Control}');
    expect(world.pictures.get(40)).toMatchObject({ rating: 4 });
  });

  test('filters by a chip, which writes into the query', async () => {
    Object.assign(world.pictures.get(38) ?? {}, { flag: 'pick' });
    const { user } = await open();
    screen.getByRole('button', { name: 'Flag' }).focus();
    await user.keyboard('{Enter}');
    await user.click(await screen.findByText('Picked'));
    await waitFor(() => expect(location.hash).toContain('is%3Apick'));
    await waitFor(() => expect(cell(40)).not.toBeInTheDocument());
    expect(cell(38)).toBeInTheDocument();
  });
});
