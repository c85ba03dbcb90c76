/** What can go wrong during one build. */
import * as fc from "fast-check";

/** When a running task lets the test act. */
export type Phase = "begin" | "written";

const failures = ["early", "late", "stray", "missing", "hang"] as const;

/** How a task misbehaves; `failures` make it fail, and "throw later" does when the build still runs then. */
export type Misconduct = (typeof failures)[number] | "ignore signals" | "print" | "throw later";

export type Trouble =
  | { readonly kind: "none" }
  | { readonly kind: "fail"; readonly task: number; readonly how: (typeof failures)[number] }
  | { readonly kind: "interrupt"; readonly task: number; readonly when: Phase | "event" | "ignored" }
  | { readonly kind: "edit meanwhile"; readonly task: number; readonly when: Phase }
  /** The source of all tasks is saved when it was compiled and nothing runs yet, or while this task runs. */
  | { readonly kind: "save source"; readonly task: number; readonly when: Phase | "compiled" }
  /** `turns`: how many turns of the event loop after the task returned. */
  | { readonly kind: "throw later"; readonly task: number; readonly turns: number }
  | { readonly kind: "print"; readonly task: number };

const task = fc.nat(29);
const when = fc.constantFrom("begin" as const, "written" as const);
const one = <Kind extends Trouble["kind"], More extends object>(
  kind: Kind,
  more: { [Key in keyof More]: fc.Arbitrary<More[Key]> },
) => ({ weight: 1, arbitrary: fc.record({ kind: fc.constant(kind), task, ...more }) });

export const troubles: fc.Arbitrary<Trouble> = fc.oneof(
  { weight: 7, arbitrary: fc.constant({ kind: "none" } as const) },
  one("fail", { how: fc.constantFrom(...failures) }),
  one("interrupt", { when: fc.constantFrom("begin", "written", "event", "ignored") }),
  one("edit meanwhile", { when }),
  one("save source", { when: fc.constantFrom("begin", "written", "compiled") }),
  one("print", {}),
  one("throw later", { turns: fc.nat(2) }),
) as fc.Arbitrary<Trouble>;

/** How the task that the trouble is about misbehaves. */
export function misconductIn(trouble: Trouble): Misconduct | undefined {
  switch (trouble.kind) {
    case "fail":
      return trouble.how;
    case "interrupt":
      return trouble.when === "ignored" ? "ignore signals" : undefined;
    case "print":
    case "throw later":
      return trouble.kind;
    default:
      return undefined;
  }
}

/** Whether what went into a task's result may have changed while the task of this index ran. */
export function mayMove(trouble: Trouble, index: number, tasks: number): boolean {
  return (
    trouble.kind === "save source" || (trouble.kind === "edit meanwhile" && trouble.task % tasks === index)
  );
}
