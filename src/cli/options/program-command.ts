/**
 * The commands of the program itself, beside the Taskfile's targets, as data: help, the manual page and completion are
 * made from it. What each one runs is in `commands/index.ts`.
 */
import type { Example } from "../../engine/index.ts";

export type ProgramWord =
  | "why"
  | "log"
  | "list"
  | "settings"
  | "graph"
  | "affected"
  | "matrix"
  | "cache"
  | "init"
  | "doctor"
  | "completion"
  | "manual";

export interface ProgramCommand {
  readonly name: ProgramWord;
  /** What the words behind the name are: `<target>`. */
  readonly takes?: string;
  /** What completion offers for these words. */
  readonly offers?: "targets" | "tasks" | "directories" | readonly string[];
  readonly description: string;
  /** Long flags that mean something to it. */
  readonly options: readonly string[];
  readonly examples: readonly Example[];
  /** It needs no project around it. */
  readonly anywhere?: true;
  /** It changes files, and cannot say beforehand which. */
  readonly writes?: true;
}

export const programCommands: readonly ProgramCommand[] = [
  {
    name: "why",
    takes: "<target>",
    offers: "tasks",
    description: "show what would rerun, with all reasons",
    options: ["--force", "--json", "--remote-cache", "--against"],
    examples: [{ command: "why iso", does: "show what would rerun, and why" }],
  },
  {
    name: "log",
    takes: "[target]",
    offers: "tasks",
    description: "show what the last build did, why, and what its tasks printed",
    options: ["--json"],
    examples: [{ command: "log iso", does: "what the last build of the ISO printed" }],
  },
  {
    name: "list",
    description: "list the targets (--json for programs)",
    options: ["--json"],
    examples: [{ command: "list --json", does: "print the targets for a program" }],
  },
  {
    name: "settings",
    description: "show every option, its value and where the value comes from",
    options: ["--config", "--json"],
    examples: [
      { command: "settings --prod", does: "what a production build would use, and where it comes from" },
    ],
  },
  {
    name: "graph",
    takes: "[target]",
    offers: "tasks",
    description: "print the task graph, its state and times (--format dot, mermaid, json, svg)",
    options: ["--format"],
    examples: [{ command: "graph iso --format svg", does: "draw the graph of the ISO" }],
  },
  {
    name: "affected",
    description: "list the targets that changes since a revision affect (--since REVISION)",
    options: ["--since", "--json"],
    examples: [
      { command: "affected --since HEAD~3", does: "list the targets that the last three commits affect" },
    ],
  },
  {
    name: "matrix",
    takes: "<target...>",
    offers: "tasks",
    description: "build targets for several variants and options at once (--over), shared steps once",
    options: ["--over", "--dry-run", "--keep-going", "--jobs", "--force", "--json", "--summary", "--trace"],
    examples: [
      {
        command: "matrix iso --over variant=dev,prod,debug --over layout=layered,single",
        does: "build six ISOs, and list them with size, time and sha256",
      },
    ],
  },
  {
    name: "cache",
    takes: "<stats|gc|verify|clear>",
    offers: ["stats", "gc", "verify", "clear"],
    description: "show the size of the cache, shrink, check or empty it",
    writes: true,
    options: ["--json"],
    examples: [{ command: "cache stats", does: "show the size of the cache and its limit" }],
  },
  {
    name: "init",
    takes: "[directory]",
    offers: "directories",
    description: "create a project with lists, an overlay and a Taskfile",
    options: ["--template", "--flavour"],
    examples: [
      { command: "init my-image", does: "create a project for an image of your own" },
      {
        command: "init my-core --flavour remaster",
        does: "a project that is only Tiny Core and what you add",
      },
      { command: "init my-rescue --template rescue", does: "the same for a rescue system, without Razor" },
      {
        command: "init my-prod-image --source sample --prod",
        does: "the same, with these defaults in its Taskfile",
      },
    ],
    anywhere: true,
    writes: true,
  },
  {
    name: "doctor",
    takes: "[target...]",
    offers: "tasks",
    description: "check what a build needs on this machine, and how to install what is missing",
    options: ["--json"],
    examples: [
      { command: "doctor", does: "check this machine" },
      { command: "doctor iso --prod --json", does: "check it for one target and variant, as JSON" },
    ],
    anywhere: true,
  },
  {
    name: "completion",
    takes: "<bash|zsh|fish|install>",
    offers: ["install", "bash", "zsh", "fish"],
    description: "print or install the completion script of your shell",
    options: [],
    examples: [{ command: "completion install", does: "complete targets and options with Tab" }],
    anywhere: true,
    writes: true,
  },
  {
    name: "manual",
    description: "print the manual page in man's format",
    options: [],
    examples: [{ command: "manual | man -l -", does: "read the manual of this project" }],
    anywhere: true,
  },
];

/** Their names. */
export const programWords: readonly ProgramWord[] = programCommands.map(({ name }) => name);

export function isProgramWord(word: string): word is ProgramWord {
  return (programWords as readonly string[]).includes(word);
}
