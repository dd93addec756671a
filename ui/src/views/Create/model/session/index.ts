// The pictures of this page: asked for, in work, there. They outlive the view.
export { followSession } from './follow';
export {
  allPending,
  cells,
  choose,
  dismiss,
  forgetSession,
  session,
  waitingShots,
} from './orders.svelte';
export { reconcile, refreshPictures } from './outcomes';
export { onWarnings, place, retry, stop } from './requests';
export {
  inputUrl,
  pictureUrl,
  previewUrl,
  seedOf,
  thumbnailUrl,
  type Order,
  type Shot,
} from './shot.svelte';
