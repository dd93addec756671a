import { render, screen, waitFor } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import axe from 'axe-core';
import { beforeEach, describe, expect, test } from 'vitest';
import App from '../src/App.svelte';
import { navigate } from '$lib/router/index.svelte';
import { panels, preferences } from '$lib/state';
import { hello, queue, useFake } from './fixtures';

beforeEach(() => {
  navigate('create');
  Object.assign(panels, { queue: false, palette: false, keys: false });
});

describe('shell', () => {
  test('has landmarks, a skip link and no serious accessibility fault', async () => {
    useFake();
    render(App);
    expect(screen.getByRole('navigation', { name: 'Main' })).toBeVisible();
    expect(screen.getByRole('main', { name: 'Create' })).toBeVisible();
    expect(screen.getByText('Skip to content')).toBeInTheDocument();
    // Contrast needs layout: tests/contrast.test.ts and the browser tests see to it.
    const { violations } = await axe.run(document.body, {
      rules: { 'color-contrast': { enabled: false }, region: { enabled: false } },
    });
    expect(violations.map((found) => [found.id, found.nodes[0]?.html])).toEqual([]);
  });

  test('goes between views', async () => {
    useFake();
    render(App);
    await userEvent.click(screen.getByRole('link', { name: 'Gallery' }));
    expect(await screen.findByRole('main', { name: 'Gallery' })).toBeVisible();
    expect(screen.getByRole('link', { name: 'Gallery' })).toHaveAttribute('aria-current', 'page');
    expect(document.title).toBe('Gallery · Tarim');
  });

  test('finds a command by typing and runs it', async () => {
    useFake();
    render(App);
    await userEvent.keyboard('{Control>}k{/Control}');
    await userEvent.type(await screen.findByRole('combobox'), 'history{Enter}');
    await waitFor(() => expect(location.hash).toBe('#/history'));
  });

  test('lists the keys on ?', async () => {
    useFake();
    render(App);
    await userEvent.keyboard('?');
    expect(await screen.findByRole('dialog', { name: 'Keyboard shortcuts' })).toBeVisible();
  });

  test('counts the queue, asks again when it changed, and opens it', async () => {
    let waiting = 2;
    const fake = useFake({ get_queue: () => ({ ...queue, waiting_total: waiting }) });
    render(App);
    expect(await screen.findByText('2')).toBeVisible();
    waiting = 5;
    fake.emit({ kind: 'changed', topics: ['queue'] });
    expect(await screen.findByText('5')).toBeVisible();
    await userEvent.keyboard('{Control>}j{/Control}');
    expect(await screen.findByRole('dialog', { name: 'Queue' })).toBeVisible();
  });

  test('asks for its totals once in a while, however many pictures are news', async () => {
    const fake = useFake();
    render(App);
    await screen.findByRole('navigation');
    const asked = () => fake.calls.filter(({ name }) => name === 'hello').length;
    await waitFor(() => expect(asked()).toBeGreaterThan(0));
    const before = asked();
    for (let news = 0; news < 20; news += 1) fake.emit({ kind: 'changed', topics: ['pictures'] });
    const after = asked();
    expect(after).toBeLessThanOrEqual(before + 1);
    fake.emit({ kind: 'changed', topics: ['settings'] });
    expect(asked()).toBe(after + 1);
  });

  test('says when the line is lost, and asks for the truth when it is back', async () => {
    const fake = useFake();
    render(App);
    await waitFor(() => expect(fake.calls.length).toBeGreaterThan(1));
    fake.emit({ kind: 'disconnected' });
    expect(await screen.findByText(/Connection to Tarim lost/)).toBeInTheDocument();
    const before = fake.calls.length;
    fake.emit({ kind: 'connected' });
    await waitFor(() => expect(fake.calls.length).toBe(before + 2));
    expect(screen.queryByText(/Connection to Tarim lost/)).toBeNull();
  });

  test('takes its language from the settings, and begins with the welcome', async () => {
    const settings = { ...hello.settings, language: 'zh-Hans' as const };
    useFake({ hello: () => ({ ...hello, settings, first_run: true }) });
    render(App);
    expect(await screen.findByRole('heading', { name: '欢迎使用 Tarim' })).toBeVisible();
    expect(screen.queryByRole('navigation')).toBeNull();
    expect(preferences.language).toBe('zh-Hans');
  });
});
