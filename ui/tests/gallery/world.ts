import type {
  Collection,
  CollectionMembers,
  GalleryLayout,
  GalleryQuery,
  Id,
  Ids,
  Keys,
  Lineage,
  Name,
  PictureDetail,
  PictureSummary,
  Remark,
  RenameCollection,
  UpdatePictures,
} from '$lib/api';
import { StudioError } from '$lib/platform';

// A library that lives in memory: enough of the backend's behaviour for the gallery to be tested and looked at.

const PROMPTS = [
  'a fox in the snow, morning light, 85mm, shallow depth of field',
  'harbour at dusk, long exposure, reflections, muted palette',
  '山水，云海，晨雾，水墨',
  'portrait of an old clockmaker, warm window light',
  'isometric greenhouse, ferns, glass and brass',
  'poster, two red boats on a calm lake, flat colour',
  'desert road after rain, wide, low sun',
  'study of hands, charcoal on grey paper',
];
const SHAPES = [
  [512, 512],
  [768, 512],
  [512, 768],
  [896, 512],
  [640, 512],
  [512, 640],
  [1024, 576],
  [576, 1024],
  [1536, 512],
] as const;
const TAGS = ['winter', 'sea', 'portrait', 'poster', '山水', 'client A'];
const NOW = Date.UTC(2026, 10, 24, 13, 0, 0);
const DAY = 86_400_000;

/** A seeded generator, so that every run sees the same library. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

interface CropRequest extends Ids {
  x: number;
  y: number;
  width: number;
  height: number;
}
interface UpscaleRequest extends Ids {
  factor?: number;
  width?: number;
  height?: number;
}

interface Kept extends PictureSummary {
  model: string;
  project?: string;
  parent?: string;
}

export interface World {
  pictures: Map<number, Kept>;
  handlers: Record<string, (request: never) => unknown>;
  byId(id: string): Kept;
}

const localDay = (time: number): string => new Date(time).toISOString().slice(0, 10);

/** A library of so many pictures, the newest today. */
export function makeWorld(count: number, options: { judged?: boolean } = {}): World {
  const next = random(7);
  const pictures = new Map<number, Kept>();
  let created = NOW;
  for (let index = 0; index < count; index += 1) {
    const [width, height] = SHAPES[Math.floor(next() ** 1.6 * SHAPES.length)] ?? [512, 512];
    // Busy evenings and quiet weeks, over some years.
    created -= next() < 0.985 ? next() * 240_000 : next() * 2 * DAY;
    const key = count - index;
    const judged = options.judged !== false && next() < 0.35;
    pictures.set(key, {
      id: `picture-${key}`,
      key,
      version: '1',
      width,
      height,
      created,
      rating: judged ? Math.floor(next() * 6) : 0,
      flag: judged && next() < 0.3 ? (next() < 0.7 ? 'pick' : 'reject') : 'none',
      prompt: PROMPTS[index % PROMPTS.length] ?? '',
      seed: String(1000 + index),
      tags: judged ? [TAGS[index % TAGS.length] ?? ''] : [],
      trashed: false,
      missing: options.judged !== false && index % 97 === 41,
      model: index % 3 ? 'starter' : 'dreamscape-xl',
      project: index % 11 === 0 ? 'Winter calendar' : undefined,
      parent: index % 9 === 4 && index + 1 < count ? `picture-${key - 1}` : undefined,
    });
  }
  const ids = new Map([...pictures.values()].map((picture) => [picture.id, picture]));
  const collections: (Collection & { members: Set<string> })[] = [];
  let born = 0;

  const byId = (id: string): Kept => {
    const picture = ids.get(id);
    if (!picture) throw new StudioError({ code: 'not_found', message: `No picture ${id}` });
    return picture;
  };
  const summary = (picture: Kept): PictureSummary => {
    const copy: Partial<Kept> = { ...picture, tags: [...picture.tags] };
    delete copy.model;
    delete copy.project;
    delete copy.parent;
    return copy as PictureSummary;
  };
  const listed = () => ({
    collections: collections.map(({ members, ...rest }) => ({
      ...rest,
      count: members.size,
      cover: [...members][0],
    })),
  });
  const collection = (id: string) => {
    const found = collections.find((each) => each.id === id);
    if (!found) throw new StudioError({ code: 'not_found', message: `No collection ${id}` });
    return found;
  };

  function layout(query: GalleryQuery): GalleryLayout {
    const remarks: Remark[] = [];
    const tests = [...query.query.matchAll(/(-?)(?:(\w+):)?(?:"([^"]*)"?|(\S+))/g)].map((word) => {
      const value = (word[3] ?? word[4] ?? '').toLowerCase();
      const holds = matcher(word[2], value);
      if (!holds) {
        remarks.push({
          from: word.index,
          to: word.index + word[0].length,
          code: 'unknown_key',
          severity: 'warning',
          message: `There is no key “${word[2]}”, so this was left out.`,
        });
        return () => true;
      }
      return (picture: Kept) => holds(picture) !== (word[1] === '-');
    });
    const members = query.collection ? collection(query.collection).members : null;
    const found = [...pictures.values()].filter(
      (picture) =>
        picture.trashed === query.trashed &&
        (!members || members.has(picture.id)) &&
        tests.every((test) => test(picture)),
    );
    if (query.sort === 'oldest') found.reverse();
    if (query.sort === 'rating') found.sort((a, b) => b.rating - a.rating);
    const days: GalleryLayout['days'] = [];
    if (query.sort !== 'rating') {
      for (const { created: time } of found) {
        const day = localDay(time);
        const last = days.at(-1);
        if (last?.day === day) last.count += 1;
        else days.push({ day, count: 1 });
      }
    }
    return {
      keys: found.map(({ key }) => key),
      aspects: found.map(({ width, height }) => Math.round((width / height) * 1000)),
      days,
      remarks,
    };
  }

  function detail(id: string): PictureDetail {
    const picture = byId(id);
    return {
      summary: summary(picture),
      draft: {
        model: { name: picture.model, hash: 'a3f1c09b55'.padEnd(64, '0') },
        prompt: picture.prompt,
        negative_prompt: 'blurry, low contrast, watermark',
        width: picture.width,
        height: picture.height,
        sampler: 'DPM++ 2M',
        schedule: 'Karras',
        steps: 28,
        guidance_scale: 6.5,
        seed: picture.seed,
        clip_skip: 1,
        noise_source: 'cpu',
        emphasis: 'original',
        precision: 'bf16',
      },
      infotext: `${picture.prompt}\nNegative prompt: blurry\nSteps: 28, Seed: ${picture.seed}`,
      file: `${localDay(picture.created)}/${String(picture.key).padStart(5, '0')}-fox.png`,
      bytes: 612_345,
      project: picture.project,
      collections: collections.filter((each) => each.members.has(id)).map((each) => each.id),
      parent: picture.parent,
      derivation: picture.parent ? 'variation' : undefined,
    };
  }

  function lineage(id: string): Lineage {
    let root = byId(id);
    while (root.parent) root = byId(root.parent);
    const members: Lineage['members'] = [{ picture: summary(root) }];
    for (let at = 0; at < members.length; at += 1) {
      const near = members[at]?.picture?.key ?? 0;
      const child = pictures.get(near + 1);
      if (child?.parent === members[at]?.picture?.id && child) {
        members.push({ picture: summary(child), parent: at, derivation: 'variation' });
      }
    }
    return { members };
  }

  const count_ = (name: (picture: Kept) => string[] | string | undefined) => {
    const counts = new Map<string, number>();
    for (const picture of pictures.values()) {
      for (const each of [name(picture) ?? []].flat())
        counts.set(each, (counts.get(each) ?? 0) + 1);
    }
    return [...counts]
      .map(([each, number]) => ({ name: each, count: number }))
      .sort((a, b) => b.count - a.count);
  };

  const each = (names: string[], deed: (picture: Kept) => void) => {
    names.map(byId).forEach(deed);
    return { changed: names.length };
  };

  /** A file made of a picture: the newest of the gallery. */
  const derived = (of: Kept, size: { width: number; height: number }): string => {
    const key = Math.max(...pictures.keys()) + 1;
    const id = `picture-${key}`;
    const made = { ...of, ...size, key, id, parent: of.id, created: NOW };
    const rest = [...pictures];
    pictures.clear();
    // The newest come first.
    pictures.set(key, made);
    rest.forEach(([other, picture]) => pictures.set(other, picture));
    ids.set(id, made);
    return id;
  };

  return {
    pictures,
    byId,
    handlers: {
      crop_pictures: ({ ids: names, width, height }: CropRequest) => ({
        pictures: names.map((name) => derived(byId(name), { width, height })),
        failed: [],
      }),
      upscale_pictures: ({ ids: names, factor, width, height }: UpscaleRequest) => ({
        pictures: names.map((name) => {
          const picture = byId(name);
          const by =
            factor ?? Math.max((width ?? 0) / picture.width, (height ?? 0) / picture.height);
          return derived(picture, {
            width: Math.round(picture.width * by),
            height: Math.round(picture.height * by),
          });
        }),
        failed: [],
      }),
      prepare_redraw: ({ picture, strength }: { picture: string; strength: number }) => ({
        draft: { prompt: byId(picture).prompt, strength },
        count: 1,
        tags: [],
        priority: 0,
        parent: { picture, derivation: 'upscale' },
      }),
      estimate: () => ({ seconds: 12 }),
      list_presets: () => ({
        presets: [
          { name: 'square', built_in: true, draft: { width: 512, height: 512 } },
          { name: 'contest_3_2', built_in: true, draft: { width: 768, height: 512 } },
        ],
      }),
      get_choices: () => ({ samplers: [], size_step: 8, size_min: 64, size_max: 2048 }),
      layout_pictures: layout,
      get_pictures: ({ keys }: Keys) => ({
        pictures: keys.flatMap((key) => {
          const picture = pictures.get(key);
          return picture ? summary(picture) : [];
        }),
      }),
      find_pictures: ({ ids: names }: Ids) => ({
        pictures: names.flatMap((id) => {
          const picture = ids.get(id);
          return picture ? summary(picture) : [];
        }),
      }),
      get_picture: ({ id }: Id) => detail(id),
      get_lineage: ({ id }: Id) => lineage(id),
      get_facets: () => ({
        tags: count_((picture) => picture.tags),
        projects: count_((picture) => picture.project),
        models: count_((picture) => picture.model),
        samplers: [],
      }),
      update_pictures: (change: UpdatePictures) =>
        each(change.ids, (picture) => {
          if (change.rating !== undefined) picture.rating = change.rating;
          if (change.flag !== undefined) picture.flag = change.flag;
          picture.tags = [
            ...picture.tags.filter((tag) => !change.remove_tags.includes(tag)),
            ...change.add_tags.filter((tag) => !picture.tags.includes(tag)),
          ];
        }),
      trash_pictures: ({ ids: names }: Ids) => each(names, (picture) => (picture.trashed = true)),
      restore_pictures: ({ ids: names }: Ids) =>
        each(names, (picture) => (picture.trashed = false)),
      empty_trash: ({ ids: names }: Ids) => {
        const gone = [...pictures.values()].filter(
          ({ id, trashed }) => trashed && (names.length === 0 || names.includes(id)),
        );
        for (const { key, id } of gone) {
          pictures.delete(key);
          ids.delete(id);
        }
        return { changed: gone.length };
      },
      list_collections: listed,
      create_collection: ({ name }: Name) => {
        born += 1;
        const made = { id: `collection-${born}`, name, count: 0, members: new Set<string>() };
        collections.push(made);
        return { id: made.id, name, count: 0 };
      },
      rename_collection: ({ id, name }: RenameCollection) => {
        collection(id).name = name;
        return listed();
      },
      delete_collection: ({ id }: Id) => {
        collections.splice(collections.indexOf(collection(id)), 1);
        return listed();
      },
      add_to_collection: ({ id, pictures: names }: CollectionMembers) => {
        const { members } = collection(id);
        const before = members.size;
        names.forEach((name) => members.add(name));
        return { changed: members.size - before };
      },
      remove_from_collection: ({ id, pictures: names }: CollectionMembers) => {
        const { members } = collection(id);
        return { changed: names.filter((name) => members.delete(name)).length };
      },
      submit: () => ({ request: 'request-1', jobs: ['job-1'], seed: '1', warnings: [] }),
      input_from_picture: ({ id }: Id) => {
        const { width, height } = byId(id);
        return { sha256: 'b'.repeat(64), width, height };
      },
    },
  };
}

/** What a word of a query asks of a picture; null for a key that is not known. */
function matcher(key: string | undefined, value: string): ((picture: Kept) => boolean) | null {
  switch (key) {
    case undefined:
      return (picture) => picture.prompt.toLowerCase().includes(value);
    case 'rating': {
      const least = /^>=(\d)$/.exec(value)?.[1];
      return ({ rating }) => (least ? rating >= Number(least) : rating === Number(value));
    }
    case 'tag':
      return ({ tags }) => tags.some((tag) => tag.toLowerCase() === value);
    case 'model':
      return ({ model }) => model.includes(value);
    case 'project':
      return ({ project }) => project?.toLowerCase() === value;
    case 'date':
      return ({ created }) =>
        value.startsWith('>=')
          ? localDay(created) >= value.slice(2)
          : localDay(created).startsWith(value);
    case 'is':
      return (picture) =>
        value === 'unflagged'
          ? picture.flag === 'none'
          : value === 'variation'
            ? picture.parent !== undefined
            : picture.flag === value;
    default:
      return null;
  }
}
