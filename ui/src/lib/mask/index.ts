export { MaskHistory } from './history';
export { maskFrom, toPng } from './image';
export { default as MaskEditor } from './MaskEditor.svelte';
export { emptyMask, isEmpty, type Brush, type Mask } from './mask';
export { fit, keepInSight, toPicture, zoomAt, type Size, type Viewport } from './viewport';
