// The wire contract. Everything imports it from here, so that this file alone knows where it comes from.
export type * from './generated/contract';
