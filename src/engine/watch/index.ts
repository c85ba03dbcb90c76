/** Watch mode: builds again what a change makes stale. It knows no terminal. */
export type { Loop, LoopGuard } from "./loop-guard.ts";
export type { SourceFile } from "./source-files.ts";
export { Watch } from "./watch.ts";
export type { Cycle, CycleRequest, WatchEnd, WatchEvent, WatchOptions } from "./watch-event.ts";
