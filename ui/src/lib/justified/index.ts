export { Justified, TALLEST, type Cell, type Run, type Section, type Wall } from './layout';
export { moved, type Move } from './move';
export {
  anchorAt,
  placeOf,
  placeToReveal,
  rowsAround,
  ScrollMap,
  TALLEST_PAGE,
  type Anchor,
} from './scroll';
