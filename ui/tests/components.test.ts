import { Heart } from '@lucide/svelte';
import { render, screen } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import { createRawSnippet, tick } from 'svelte';
import { describe, expect, test, vi } from 'vitest';
import {
  Button,
  Dialog,
  EmptyState,
  NumberField,
  Progress,
  Segmented,
  Select,
  Slider,
  Switch,
  TextField,
} from '$lib/components';
import { keyCaps } from '$lib/components/keys';
import { clampToStep, parseNumber } from '$lib/components/number';

const text = (words: string) => createRawSnippet(() => ({ render: () => `<span>${words}</span>` }));

describe('Button', () => {
  test('is pressed by mouse and key, and not while busy', async () => {
    const onclick = vi.fn();
    const { rerender } = render(Button, { onclick, children: text('Go') });
    await userEvent.click(screen.getByRole('button', { name: 'Go' }));
    await userEvent.keyboard('{Enter}');
    expect(onclick).toHaveBeenCalledTimes(2);
    await rerender({ busy: true });
    expect(screen.getByRole('button')).toBeDisabled();
  });
});

describe('NumberField', () => {
  const steps = { value: 20, min: 1, max: 150, label: 'Steps' };

  test('takes what was typed on Enter, inside its range', async () => {
    const onchange = vi.fn();
    render(NumberField, { ...steps, onchange });
    const field = screen.getByRole('spinbutton', { name: 'Steps' });
    await userEvent.click(field);
    await userEvent.clear(field);
    await userEvent.type(field, '４００{Enter}');
    expect(onchange).toHaveBeenLastCalledWith(150);
    expect(field).toHaveValue('150');
  });

  test('goes back on nonsense', async () => {
    render(NumberField, steps);
    const field = screen.getByRole('spinbutton');
    await userEvent.clear(field);
    await userEvent.type(field, 'many');
    await userEvent.tab();
    expect(field).toHaveValue('20');
  });

  test('steps with the arrows, by ten with Shift', async () => {
    render(NumberField, { ...steps, value: 20 });
    const field = screen.getByRole('spinbutton');
    field.focus();
    await userEvent.keyboard('{ArrowUp}{Shift>}{ArrowUp}{/Shift}{ArrowDown}');
    expect(field).toHaveAttribute('aria-valuenow', '30');
  });

  test.each([
    ['1 024', 1024],
    ['7,5', 7.5],
    ['', null],
    ['1e999', null],
    ['abc', null],
  ])('reads %j as %j', (typed, value) => expect(parseNumber(typed)).toBe(value));

  test('steps start at the minimum and leave no dust', () => {
    expect(clampToStep(0.30000000000000004, { step: 0.1 })).toBe(0.3);
    expect(clampToStep(100, { min: 64, max: 2048, step: 64 })).toBe(128);
    expect(clampToStep(-5, { min: 0 })).toBe(0);
  });
});

describe('choices', () => {
  const options = [
    { value: 'a', label: 'First' },
    { value: 'b', label: 'Second' },
  ];

  test('Segmented always has one on', async () => {
    const onchange = vi.fn();
    render(Segmented, { value: 'a', options, label: 'Order', onchange });
    await userEvent.click(screen.getByRole('radio', { name: 'First' }));
    expect(onchange).not.toHaveBeenCalled();
    await userEvent.click(screen.getByRole('radio', { name: 'Second' }));
    expect(onchange).toHaveBeenCalledWith('b');
    expect(screen.getByRole('radio', { name: 'Second' })).toBeChecked();
  });

  test('Select opens and chooses by key', async () => {
    const onchange = vi.fn();
    render(Select, { value: 'a', options, label: 'Order', onchange });
    screen.getByLabelText('Order: First').focus();
    await userEvent.keyboard('{Enter}');
    await userEvent.keyboard('{ArrowDown}{Enter}');
    expect(onchange).toHaveBeenCalledWith('b');
  });

  test('Switch and Slider answer the keyboard', async () => {
    const switched = vi.fn();
    const slid = vi.fn();
    render(Switch, { checked: false, label: 'On', onchange: switched });
    render(Slider, { value: 5, max: 10, label: 'Amount', oninput: slid });
    screen.getByRole('switch', { name: 'On' }).focus();
    await userEvent.keyboard(' ');
    screen.getByRole('slider', { name: 'Amount' }).focus();
    await userEvent.keyboard('{ArrowRight}');
    expect(switched).toHaveBeenCalledWith(true);
    expect(slid).toHaveBeenCalledWith(6);
  });
});

test('Dialog has a name, and Escape closes it', async () => {
  const onclose = vi.fn();
  render(Dialog, { open: true, title: 'Delete?', closeLabel: 'Close', onclose });
  expect(screen.getByRole('dialog', { name: 'Delete?' })).toBeVisible();
  await userEvent.keyboard('{Escape}');
  expect(onclose).toHaveBeenCalledOnce();
});

test('Progress says what it knows', async () => {
  const { rerender } = render(Progress, { value: 0.4, label: 'Step', text: 'step 12 of 30' });
  expect(screen.getByRole('progressbar')).toHaveAttribute('aria-valuenow', '40');
  expect(screen.getByRole('progressbar')).toHaveAttribute('aria-valuetext', 'step 12 of 30');
  await rerender({ value: null });
  expect(screen.getByRole('progressbar')).not.toHaveAttribute('aria-valuenow');
});

test('EmptyState has a heading', () => {
  render(EmptyState, { icon: Heart as never, title: 'Nothing yet', text: 'Soon' });
  expect(screen.getByRole('heading', { name: 'Nothing yet' })).toBeVisible();
});

test.each([
  ['Mod+Enter', ['Ctrl', '↵']],
  ['Shift+?', ['Shift', '?']],
  ['Mod++', ['Ctrl', '+']],
  ['?', ['?']],
])('%s is drawn as caps', (shortcut, caps) => expect(keyCaps(shortcut)).toEqual(caps));

test('TextField takes composed text when it is settled', async () => {
  const heard: string[] = [];
  const oninput = (event: Event) => heard.push((event.target as HTMLInputElement).value);
  render(TextField, { value: '', 'aria-label': 'Search', oninput });
  const input = screen.getByRole<HTMLInputElement>('textbox');
  const compose = (text: string) => {
    input.value = text;
    input.dispatchEvent(new InputEvent('input', { bubbles: true, isComposing: true }));
  };
  input.dispatchEvent(new CompositionEvent('compositionstart', { bubbles: true }));
  compose('hu');
  await tick();
  expect(input.value).toBe('hu');
  compose('狐狸');
  expect(heard).toEqual([]);
  input.dispatchEvent(new CompositionEvent('compositionend', { bubbles: true, data: '狐狸' }));
  await tick();
  expect(heard).toEqual(['狐狸']);
  expect(input.value).toBe('狐狸');
});
