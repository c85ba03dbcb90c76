/** One step of the model test: what is edited, how the next build is asked for, and what goes wrong in it. */
import type { Edit } from "./edit.ts";

export interface Step {
  readonly edits: readonly Edit[];
  readonly variant: string;
  readonly parameter: { readonly name: string; readonly value: string } | undefined;
  readonly secret: string;
  readonly env: string | undefined;
  readonly code: string;
  /** Which tasks are asked for, as a bit for each; none stands for all. */
  readonly targets: number;
  readonly jobs: number;
  readonly keepGoing: boolean;
  readonly trouble:
    | { readonly kind: "none" }
    | { readonly kind: "fail"; readonly task: number; readonly how: "early" | "late" | "stray" | "missing" }
    | { readonly kind: "interrupt"; readonly task: number; readonly when: "begin" | "written" | "event" }
    | { readonly kind: "edit meanwhile"; readonly task: number };
  /** The clock that the engine is given is this many milliseconds ahead: files look long settled. */
  readonly ahead: number;
}
