/** Where the wall was left, for when one comes back to it: the first picture in view, and its distance from the top. */
export const remembered: { asked: string; key: number | null; offset: number } = {
  asked: '',
  key: null,
  offset: 0,
};
