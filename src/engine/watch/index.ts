/** Watch mode: builds again what a change makes stale. It knows no terminal. */
export type { Loop } from "./loop-guard.ts";
export {
  type Cycle,
  type CycleRequest,
  Watch,
  type WatchEnd,
  type WatchEvent,
  type WatchOptions,
} from "./watch.ts";
