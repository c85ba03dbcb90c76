/** One step of the model test: what is edited, how the next build is asked for, and what goes wrong in it. */
import type { Edit } from "./edit.ts";
import type { Trouble } from "./trouble.ts";

export interface Step {
  readonly edits: readonly Edit[];
  readonly variant: string;
  readonly parameter: { readonly name: string; readonly value: string } | undefined;
  readonly secret: string;
  readonly env: string | undefined;
  /** What the source of all tasks is saved with before the build; undefined where it stays. */
  readonly code: string | undefined;
  /** Which tasks are asked for, as a bit for each; none stands for all. */
  readonly targets: number;
  readonly jobs: number;
  readonly keepGoing: boolean;
  readonly trouble: Trouble;
  /** The clock that the engine is given is this many milliseconds ahead: files look long settled. */
  readonly ahead: number;
}
