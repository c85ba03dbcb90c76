/**
 * What may come next on a command line that is being typed. The shells' scripts beside it ask, and
 * put the answer into their shell's form.
 */
import type { Target, Taskfile } from "../../engine/index.ts";
import { type OptionEntry, optionsOf } from "../options/option-table.ts";
import { type ProgramCommand, programCommands } from "../options/program-command.ts";
import { aliasesOf, listedTargets, targetNamed } from "../options/target-name.ts";

interface Candidate {
  readonly word: string;
  readonly description: string;
}

type Answer =
  | { readonly kind: "words"; readonly candidates: readonly Candidate[] }
  | { readonly kind: "files" | "directories" };

interface Question {
  /** The words before the one that is typed, without the program's name. */
  readonly before: readonly string[];
  /** What is typed of the word. */
  readonly current: string;
  /** Undefined outside of a project: then only commands that need none are offered. */
  readonly taskfile: Taskfile | undefined;
  /** The project's directory (absolute). */
  readonly root: string;
}

const nothing: Answer = { kind: "words", candidates: [] };

/** Every candidate fits what is typed; a value behind `--flag=` comes with the flag. */
export function answer({ before, current, taskfile, root }: Question): Answer {
  const options = taskfile === undefined ? [] : optionsOf(taskfile);
  if (before.includes("--")) return words(targetsOffered(taskfile), current);
  const asked = options.find((option) => takesValue(option) && isFlag(option, before.at(-1)));
  if (asked !== undefined && asked.optional !== true)
    return offered(asked.offers, { taskfile, root, current });
  const [, flag, value = ""] = /^(--[^=]+)=(.*)$/s.exec(current) ?? [];
  if (flag !== undefined) {
    const option = options.find((one) => takesValue(one) && one.long === flag);
    return option === undefined
      ? nothing
      : withFlag(flag, offered(option.offers, { taskfile, root, current: value }));
  }
  if (current.startsWith("-")) return words(flagsOffered(options, before), current);
  if (asked !== undefined) return offered(asked.offers, { taskfile, root, current });
  return offered(wordsOffered(plainWords(before, options), taskfile), { taskfile, root, current });
}

const takesValue = ({ value }: OptionEntry): boolean => value !== undefined;

function isFlag({ short, long }: OptionEntry, word: string | undefined): boolean {
  return word !== undefined && (word === short || word === long);
}

/** Words that are neither options nor their values. */
function plainWords(before: readonly string[], options: readonly OptionEntry[]): readonly string[] {
  return before.filter((word, index) => {
    if (word.startsWith("-")) return false;
    const last = before[index - 1];
    return !options.some((option) => takesValue(option) && option.optional !== true && isFlag(option, last));
  });
}

/** Shown options that were not given yet; what does the same as another one only when it is begun to be typed. */
function flagsOffered(options: readonly OptionEntry[], before: readonly string[]): readonly Candidate[] {
  const left = options.filter(
    (option) => option.again === true || !before.some((word) => isFlag(option, word)),
  );
  const shown = left.filter(({ hidden }) => !hidden);
  return [...shown, ...left.filter(({ hidden }) => hidden)].flatMap(
    ({ short, long, description, hidden }) => [
      { word: long, description, rank: hidden ? 1 : 0 },
      ...(short === undefined || hidden ? [] : [{ word: short, description, rank: 0 }]),
    ],
  );
}

type Offered = OptionEntry["offers"] | NonNullable<ProgramCommand["offers"]> | readonly Candidate[];

function wordsOffered(before: readonly string[], taskfile: Taskfile | undefined): Offered {
  const [first, ...rest] = before;
  if (first === undefined) return [...targetsOffered(taskfile), ...commandsOffered(taskfile)];
  const command = programCommands.find(({ name }) => name === first);
  if (command !== undefined) return rest.length > 0 ? "nothing" : (command.offers ?? "nothing");
  const target = taskfile === undefined ? undefined : targetNamed(first, taskfile);
  if (target?.kind !== "command" || target.takes === undefined) return "targets";
  return target.offers ?? "nothing";
}

function offered(offers: Offered, { taskfile, root, current }: Omit<Question, "before">): Answer {
  switch (offers) {
    case "files":
    case "directories":
      return { kind: offers };
    case "nothing":
      return nothing;
    case "targets":
      return words(targetsOffered(taskfile), current);
    case "tasks":
      return words(targetsOffered(taskfile, "task"), current);
    default: {
      const names = typeof offers === "function" ? offers(root) : offers;
      const listed = names.map((one) => (typeof one === "string" ? { word: one, description: "" } : one));
      const found = words(listed, current);
      // Where names are offered a path may do too, as with a source.
      return found.candidates.length === 0 && current.includes("/") ? { kind: "files" } : found;
    }
  }
}

function targetsOffered(taskfile: Taskfile | undefined, kind?: Target["kind"]): readonly Candidate[] {
  if (taskfile === undefined) return [];
  return listedTargets(taskfile)
    .filter((target) => kind === undefined || target.kind === kind)
    .flatMap((target) =>
      [target.name, ...aliasesOf(target, taskfile)].map((word) => ({
        word,
        description: target.description,
      })),
    );
}

function commandsOffered(taskfile: Taskfile | undefined): readonly Candidate[] {
  return programCommands
    .filter(({ anywhere }) => taskfile !== undefined || anywhere === true)
    .map(({ name, description }) => ({ word: name, description }));
}

/** Those that begin with what is typed; hidden ones only when no other does. */
function words(
  all: readonly (Candidate & { readonly rank?: number })[],
  current: string,
): Extract<Answer, { kind: "words" }> {
  const fitting = all.filter(({ word }) => word.startsWith(current));
  const best = fitting.filter(({ rank = 0 }) => rank === 0);
  return { kind: "words", candidates: best.length > 0 ? best : fitting };
}

function withFlag(flag: string, found: Answer): Answer {
  if (found.kind !== "words") return found;
  return {
    kind: "words",
    candidates: found.candidates.map(({ word, description }) => ({ word: `${flag}=${word}`, description })),
  };
}
