/** What can happen to a workspace between two builds. Each edit is numbers, so that a failing run can be made smaller. */
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import * as fc from "fast-check";
import { commonNames, type Recipe, slotPath, variants } from "./recipe.ts";
import { type Tree, writeTree } from "./tree.ts";

const kinds = [
  "write",
  "write",
  "write",
  "rewrite unseen",
  "rewrite unseen",
  "rewrite unseen",
  "replace unseen",
  "replace unseen",
  "save atomically",
  "delete",
  "rename",
  "chmod",
  "touch",
  "link",
  "directory",
  "common",
  "common",
  "remove common",
  "take back",
  "take back",
  "edit output",
  "edit output unseen",
  "edit output unseen",
  "delete output",
  "extra output",
  "chmod output",
  "link output",
  "type of output",
  "forget statuses",
] as const;

export interface Edit {
  readonly kind: (typeof kinds)[number];
  readonly task: number;
  readonly file: number;
  readonly value: number;
}

export const edits: fc.Arbitrary<Edit> = fc.record({
  kind: fc.constantFrom(...kinds),
  task: fc.nat(29),
  file: fc.nat(7),
  value: fc.nat(7),
});

const inputNames = ["a", "b", "c", "x/a", "x/y/b", "d.skip", "e", "x/.hidden"];
const texts = ["alpha.", "beta..", "gamma.", "delta.", "ALPHA.", "omega.", "kappa.", ""];

/** Carries an edit out; `history` holds the input trees of earlier steps. */
export function applyEdit(
  edit: Edit,
  root: string,
  recipes: readonly Recipe[],
  history: readonly Tree[],
): unknown {
  const recipe = recipes[edit.task % recipes.length];
  if (recipe === undefined) return undefined;
  const target = path.join(root, "in", recipe.name, inputNames[edit.file] ?? "a");
  const text = texts[edit.value] ?? "";
  const output = path.join(
    root,
    slotPath(recipe, edit.file % recipe.slots.length, variants[edit.value % 2] ?? "dev"),
  );
  switch (edit.kind) {
    case "write":
      return put(target, text);
    case "rewrite unseen":
      return unseen(target, (old) => writeFileSync(target, swapped(old, edit.value)));
    case "replace unseen":
      return unseen(target, (old) => {
        writeFileSync(`${target}.new`, swapped(old, edit.value));
        renameSync(`${target}.new`, target);
      });
    case "save atomically": {
      clear(target);
      mkdirSync(path.dirname(target), { recursive: true });
      writeFileSync(`${target}~`, text);
      return renameSync(`${target}~`, target);
    }
    case "delete":
      return rmSync(target, { recursive: true, force: true });
    case "rename": {
      const other = path.join(root, "in", recipe.name, inputNames[edit.value] ?? "b");
      if (!isFile(target) || other === target) return undefined;
      clear(other);
      mkdirSync(path.dirname(other), { recursive: true });
      return renameSync(target, other);
    }
    case "chmod":
      return isFile(target) ? chmodSync(target, edit.value % 2 === 0 ? 0o755 : 0o644) : undefined;
    case "touch":
      return isFile(target) ? utimesSync(target, edit.value, edit.value) : undefined;
    case "link":
      clear(target);
      rmSync(target, { force: true });
      mkdirSync(path.dirname(target), { recursive: true });
      return symlinkSync(inputNames[edit.value] ?? "a", target);
    case "directory":
      return lstatSync(target, { throwIfNoEntry: false }) ?? mkdirSync(target, { recursive: true });
    case "common":
      return put(path.join(root, "common", commonNames[edit.file % 2] ?? "a"), text);
    case "remove common":
      return rmSync(path.join(root, "common", commonNames[edit.file % 2] ?? "a"), { force: true });
    case "take back": {
      const earlier = history[history.length - 1 - (edit.value % Math.max(1, history.length))];
      if (earlier === undefined) return undefined;
      rmSync(path.join(root, "in"), { recursive: true, force: true });
      return writeTree(path.join(root, "in"), earlier);
    }
    case "forget statuses":
      return rmSync(path.join(root, ".buildcache/v1/files.log"), { force: true });
    case "delete output":
      return rmSync(someIn(output, edit.value), { recursive: true, force: true });
    case "extra output":
      return lstatSync(output, { throwIfNoEntry: false })?.isDirectory() === true
        ? put(path.join(output, edit.value % 2 === 0 ? "own/extra" : "extra/deep"), text)
        : undefined;
    default:
      return editOutput(edit, someIn(output, edit.value), text);
  }
}

function editOutput(edit: Edit, target: string, text: string): unknown {
  if (!isFile(target)) return undefined;
  switch (edit.kind) {
    case "edit output":
      return writeFileSync(target, text);
    case "edit output unseen":
      return unseen(target, (old) => writeFileSync(target, swapped(old, edit.value)));
    case "chmod output":
      return chmodSync(target, (lstatSync(target).mode & 0o111) === 0 ? 0o755 : 0o644);
    case "link output":
      rmSync(target);
      return symlinkSync("elsewhere", target);
    default:
      rmSync(target);
      return put(path.join(target, "below"), text);
  }
}

/** The output itself, or something in it. */
function someIn(output: string, value: number): string {
  if (lstatSync(output, { throwIfNoEntry: false })?.isDirectory() !== true) return output;
  const names = ["", ...readdirSync(output).sort()];
  return path.join(output, names[value % names.length] ?? "");
}

/**
 * Other bytes, same size, same times: what `touch -r` and `cp -p` leave. Only times of whole seconds can be given back
 * exactly from here, so that the first such edit of a file sets one, and the next is unseen.
 */
function unseen(target: string, write: (old: string) => void): void {
  if (!isFile(target)) return;
  const whole = 1_000_000_000;
  if (lstatSync(target).mtimeMs === whole * 1000) write(readFileSync(target, "utf8"));
  utimesSync(target, whole, whole);
}

function swapped(text: string, value: number): string {
  return text === "" ? "" : `${String.fromCharCode(97 + value)}${text.slice(1)}`;
}

function put(target: string, text: string): void {
  clear(target);
  mkdirSync(path.dirname(target), { recursive: true });
  writeFileSync(target, text);
}

/** Removes whatever would keep a file from standing there. */
function clear(target: string): void {
  for (let directory = path.dirname(target); ; directory = path.dirname(directory)) {
    const status = lstatSync(directory, { throwIfNoEntry: false });
    if (status?.isDirectory() === true) break;
    if (status !== undefined) rmSync(directory);
  }
  const status = lstatSync(target, { throwIfNoEntry: false });
  if (status !== undefined && !status.isFile()) rmSync(target, { recursive: true });
}

function isFile(target: string): boolean {
  return lstatSync(target, { throwIfNoEntry: false })?.isFile() === true;
}
