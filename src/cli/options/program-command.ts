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
  readonly offers?: "targets" | "tasks" | "folders" | readonly string[];
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
    description: "say what would rerun, and every reason",
    options: ["--force", "--json"],
    examples: [{ command: "why iso", does: "what would rerun, and why" }],
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
    examples: [{ command: "list --json", does: "the targets, for a program" }],
  },
  {
    name: "settings",
    description: "show every option, its value, and who said so",
    options: ["--config", "--json"],
    examples: [
      { command: "settings --prod", does: "what a production build would use, and where it comes from" },
    ],
  },
  {
    name: "graph",
    takes: "[target]",
    offers: "tasks",
    description: "print the task graph (--format dot, mermaid, json, svg)",
    options: ["--format"],
    examples: [{ command: "graph iso --format svg", does: "a drawing of what the ISO is made from" }],
  },
  {
    name: "affected",
    description: "list the targets that a range of commits concerns (--since REVISION)",
    options: ["--since", "--json"],
    examples: [{ command: "affected --since HEAD~3", does: "what the last three commits concern" }],
  },
  {
    name: "cache",
    takes: "<stats|gc|verify|clear>",
    offers: ["stats", "gc", "verify", "clear"],
    description: "show the cache's size, shrink it, check it, or empty it",
    writes: true,
    options: ["--json"],
    examples: [{ command: "cache stats", does: "how large the cache is, and how large it may become" }],
  },
  {
    name: "init",
    takes: "[folder]",
    offers: "folders",
    description: "make a new project, with lists, an overlay and a Taskfile of its own",
    options: [],
    examples: [{ command: "init my-image", does: "a new project that builds an image of its own" }],
    anywhere: true,
    writes: true,
  },
  {
    name: "doctor",
    takes: "[target...]",
    offers: "tasks",
    description: "check what a build needs of this machine, and say how to get what is missing",
    options: ["--json"],
    examples: [
      { command: "doctor", does: "whether this machine has all that a build needs" },
      { command: "doctor iso --prod --json", does: "the same for one target and variant, for a program" },
    ],
    anywhere: true,
  },
  {
    name: "completion",
    takes: "<bash|zsh|fish|install>",
    offers: ["install", "bash", "zsh", "fish"],
    description: "print a script that completes words in your shell, or install it",
    options: [],
    examples: [
      { command: "completion install", does: "complete targets and options with Tab, in your shell" },
    ],
    anywhere: true,
    writes: true,
  },
  {
    name: "manual",
    description: "print the manual page, as man reads it",
    options: [],
    examples: [{ command: "manual | man -l -", does: "the manual of this project's targets" }],
    anywhere: true,
  },
];

/** Their names. */
export const programWords: readonly ProgramWord[] = programCommands.map(({ name }) => name);

export function isProgramWord(word: string): word is ProgramWord {
  return (programWords as readonly string[]).includes(word);
}
