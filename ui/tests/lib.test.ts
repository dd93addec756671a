import { describe, expect, test, vi } from 'vitest';
import { handleShortcut, registerCommand } from '$lib/commands';
import { bytes, duration, number, relative, setLanguage, systemLanguage, t } from '$lib/i18n';
import { StudioError } from '$lib/platform';
import { webPlatform } from '$lib/platform/web';
import { href, navigate, route } from '$lib/router/index.svelte';

describe('words', () => {
  test('plurals and numbers follow the language', () => {
    setLanguage('en');
    expect(t('common:nav.queued', { count: 1 })).toBe('1 picture in the queue');
    expect(t('common:nav.queued', { count: 3 })).toBe('3 pictures in the queue');
    expect(bytes(1_900_000_000)).toBe('1.9 GB');
    expect(number(12345)).toBe('12,345');
    setLanguage('zh-Hans');
    expect(t('common:nav.queued', { count: 1 })).toBe('队列中有 1 张图片');
    expect(relative(Date.now() - 3 * 60_000)).toBe('3分钟前');
    expect(document.documentElement.lang).toBe('zh-Hans');
    setLanguage('en');
  });

  test.each([
    [['zh-TW', 'en'], 'zh-Hant'],
    [['zh-CN'], 'zh-Hans'],
    [['zh-HK'], 'zh-Hant'],
    [['fr', 'zh'], 'zh-Hans'],
    [['fr'], 'en'],
    [['C', 'zh-CN'], 'zh-Hans'],
  ])('%j asks for %s', (wanted, language) => expect(systemLanguage(wanted)).toBe(language));

  test.each([
    [5, '0:05'],
    [725, '12:05'],
    [3723, '1:02:03'],
  ])('%d s reads %s', (seconds, text) => expect(duration(seconds)).toBe(text));
});

describe('router', () => {
  test('goes to a place and reads it back', () => {
    navigate('gallery', { path: ['a b'], params: { filter: 'rating:>=4', page: null } });
    expect(location.hash).toBe(href('gallery', ['a b'], { filter: 'rating:>=4' }));
    expect(route()).toMatchObject({ view: 'gallery', path: ['a b'] });
    expect(route().params.get('filter')).toBe('rating:>=4');
  });
});

describe('shortcuts', () => {
  const press = (
    key: string,
    more: KeyboardEventInit = {},
    target: EventTarget = document.body,
  ) => {
    const event = new KeyboardEvent('keydown', {
      key,
      code: key.length === 1 ? `Key${key.toUpperCase()}` : key,
      bubbles: true,
      cancelable: true,
      ...more,
    });
    Object.defineProperty(event, 'target', { value: target });
    handleShortcut(event);
  };

  test('a view goes before what is global, and text fields keep their letters', () => {
    const global = vi.fn();
    const own = vi.fn();
    const drop = registerCommand({
      id: 'g',
      title: 'common:app',
      shortcut: ['p', 'Mod+p'],
      global: true,
      run: global,
    });
    const dropOwn = registerCommand({ id: 'o', title: 'common:app', shortcut: 'p', run: own });
    press('p');
    expect(own).toHaveBeenCalledOnce();
    expect(global).not.toHaveBeenCalled();
    const input = document.createElement('input');
    press('p', {}, input);
    expect(own).toHaveBeenCalledOnce();
    press('p', { ctrlKey: true }, input);
    expect(global).toHaveBeenCalledOnce();
    press('p', { isComposing: true });
    expect(own).toHaveBeenCalledOnce();
    dropOwn();
    press('p');
    expect(global).toHaveBeenCalledTimes(2);
    drop();
  });
});

describe('web platform', () => {
  const answer = (body: string, init: ResponseInit = {}) =>
    vi.stubGlobal(
      'fetch',
      vi.fn(async () => new Response(body, init)),
    );

  test('posts JSON to rpc/<name>', async () => {
    answer('{"changed":2}');
    await expect(webPlatform().rpc('trash_pictures', { ids: ['1'] })).resolves.toEqual({
      changed: 2,
    });
    const [url, init] = vi.mocked(fetch).mock.calls[0] ?? [];
    expect(url).toMatch(/\/rpc\/trash_pictures$/);
    expect(init).toMatchObject({ method: 'POST', body: '{"ids":["1"]}' });
  });

  test('turns every failure into a StudioError', async () => {
    answer('{"code":"disk_full","message":"No space","hint":"Free some"}', { status: 500 });
    const failed = webPlatform().rpc('get_queue', {});
    await expect(failed).rejects.toBeInstanceOf(StudioError);
    await expect(failed).rejects.toMatchObject({ code: 'disk_full', hint: 'Free some' });
    answer('<html>', { status: 502 });
    await expect(webPlatform().rpc('get_queue', {})).rejects.toMatchObject({ code: 'offline' });
    answer('', { status: 401 });
    await expect(webPlatform().rpc('get_queue', {})).rejects.toMatchObject({
      code: 'unauthorized',
    });
    vi.stubGlobal(
      'fetch',
      vi.fn(async () => Promise.reject(new TypeError('refused'))),
    );
    await expect(webPlatform().rpc('get_queue', {})).rejects.toMatchObject({ code: 'offline' });
  });

  test('addresses resources by id alone', () => {
    const url = webPlatform().resourceUrl('thumbnail', '../x', { size: 256 });
    expect(url).toMatch(/\/resource\/thumbnail\/..%2Fx\?size=256$/);
  });
});
