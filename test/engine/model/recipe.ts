/**
 * Random tasks: what each reads and makes, as a pure function that both the running task and the model call. It knows
 * nothing of when a task runs.
 */
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import * as fc from "fast-check";
import {
  file,
  files,
  inVariants,
  out,
  type Parameter,
  param,
  type Secret,
  type Task,
  task,
} from "../../../src/engine/index.ts";
import { encodeTree, fileNode, readTree, type Tree, type TreeNode, writeTree } from "./tree.ts";

export type SlotKind = "file" | "directory" | "artifact" | "variant-artifact";

export interface Recipe {
  readonly name: string;
  /** Indices of earlier recipes; `onlyIn` makes the need conditional. */
  readonly needs: readonly { readonly index: number; readonly onlyIn: string | undefined }[];
  readonly shared: boolean;
  readonly layout: "pattern" | "root" | "braces";
  readonly common:
    | { readonly name: string; readonly how: "needed" | "optional" | "first letter" }
    | undefined;
  readonly parameter: string | undefined;
  readonly secret: boolean;
  readonly env: boolean;
  readonly slots: readonly SlotKind[];
  /** Forgets most of what it read, so that different inputs give the same outputs. */
  readonly blurred: boolean;
}

/** Everything a task may look at. */
export interface Seen {
  readonly own: Tree;
  readonly common: string | undefined;
  readonly parameter: string | undefined;
  readonly secret: string | undefined;
  readonly env: string | undefined;
  readonly variant: string | undefined;
  readonly needs: Readonly<Record<string, readonly Tree[] | undefined>>;
}

export const variants = ["dev", "prod"] as const;
export const parameterNames = ["p0", "p1", "p2"] as const;
export const commonNames = ["a", "b"] as const;

export function encodeSeen(seen: Seen): string {
  const needs = Object.entries(seen.needs).map(([name, trees]) => [name, trees?.map(encodeTree) ?? null]);
  return JSON.stringify({ ...seen, own: encodeTree(seen.own), needs });
}

/** The outputs of a recipe, one tree for each slot. */
export function evaluate(recipe: Recipe, seen: Seen): readonly Tree[] {
  const text = encodeSeen(seen);
  const word = recipe.blurred
    ? `${recipe.name} ${text.length % 3}`
    : `${recipe.name} ${createHash("sha256").update(text).digest("hex")}`;
  const executable = [...seen.own.values()].some((node) => node.kind === "file" && node.executable);
  return recipe.slots.map((kind): Tree => {
    if (kind !== "directory") return new Map([["", fileNode(word, executable)]]);
    const tree = new Map<string, TreeNode>([
      ["", { kind: "directory" }],
      ["empty", { kind: "directory" }],
      ["latest", { kind: "link", target: "word" }],
      ["word", fileNode(word, executable)],
    ]);
    for (const [name, node] of seen.own) {
      for (let folder = path.dirname(name); folder !== "."; folder = path.dirname(folder))
        tree.set(`own/${folder}`, { kind: "directory" });
      tree.set("own", { kind: "directory" });
      tree.set(`own/${name}`, recipe.blurred && node.kind === "file" ? fileNode("", node.executable) : node);
    }
    return tree;
  });
}

export function slotPath(recipe: Recipe, slot: number, variant: string): string {
  const name = `${recipe.name}-${slot}`;
  switch (recipe.slots[slot]) {
    case "artifact":
      return `build/${name}`;
    case "variant-artifact":
      return `build/${variant}/${name}`;
    default:
      return `.buildcache/v1/out/${recipe.shared ? "shared" : variant}/${recipe.name}/s${slot}`;
  }
}

function outputOf(recipe: Recipe, slot: number): Task["outputs"][string] {
  switch (recipe.slots[slot]) {
    case "directory":
      return out.directory(`s${slot}`);
    case "artifact":
      return out.artifact(slotPath(recipe, slot, ""));
    case "variant-artifact":
      return out.artifact(({ variant }) => slotPath(recipe, slot, variant));
    default:
      return out.file(`s${slot}`);
  }
}

/** How the test steers running tasks. */
export interface Steering {
  /** Called when a task begins and after it wrote its outputs, before it returns. */
  readonly at: (name: string, phase: "begin" | "written") => void;
  /** How a task shall fail now. */
  readonly failure: (name: string) => "early" | "late" | "stray" | "missing" | undefined;
}

const parameters = new Map<string, Parameter<string>>(
  parameterNames.map((name) => [name, param.text({ name, description: "", value: "TEXT", default: "0" })]),
);
const secretParameter = param.secret({ name: "secret", description: "", default: undefined });

/** The recipes as tasks of the engine. */
export function tasksOf(recipes: readonly Recipe[], steering: () => Steering): readonly Task[] {
  const tasks: Task[] = [];
  for (const recipe of recipes) {
    const needs = recipe.needs.map(({ index, onlyIn }) => {
      const needed = tasks[index];
      if (needed === undefined) throw new Error("a recipe needs a later one");
      return [`n${index}`, onlyIn === undefined ? needed : inVariants([onlyIn], needed)] as const;
    });
    const folder = `in/${recipe.name}`;
    const own = {
      pattern: () => files(`${folder}/**`, { optional: true, ignore: ["**/*.skip"], links: "keep" }),
      root: () => files("**", { root: folder, optional: true, ignore: ["**/*.skip"], links: "keep" }),
      braces: () =>
        files(`${folder}/{[a-d]*,x/**}`, { optional: true, ignore: ["**/*.skip"], links: "keep" }),
    }[recipe.layout]();
    const common =
      recipe.common === undefined
        ? {}
        : {
            common: file(`common/${recipe.common.name}`, {
              optional: recipe.common.how === "optional",
              ...(recipe.common.how === "first letter" ? { select: (text: string) => text.slice(0, 1) } : {}),
            }),
          };
    const parameter = recipe.parameter === undefined ? undefined : parameters.get(recipe.parameter);
    tasks.push(
      task({
        name: recipe.name,
        description: "",
        variants: recipe.shared ? "shared" : "each",
        needs: Object.fromEntries(needs),
        inputs: { own, ...common },
        params: {
          ...(parameter === undefined ? {} : { parameter }),
          ...(recipe.secret ? { secret: secretParameter } : {}),
        },
        env: recipe.env ? ["MODEL"] : [],
        outputs: Object.fromEntries(recipe.slots.map((_, slot) => [`s${slot}`, outputOf(recipe, slot)])),
        run: (context) => run(recipe, context as unknown as RunContext, steering()),
      }) as Task,
    );
  }
  return tasks;
}

interface RunContext {
  readonly needs: Readonly<Record<string, Readonly<Record<string, string>> | undefined>>;
  readonly inputs: {
    readonly own: { readonly root: string; readonly paths: readonly string[] };
    readonly common?: string;
  };
  readonly params: { readonly parameter?: string; readonly secret?: Secret };
  readonly env: Readonly<Record<string, string>>;
  readonly outputs: Readonly<Record<string, string>>;
  readonly variant: string;
}

function run(recipe: Recipe, context: RunContext, steering: Steering): void {
  const own = new Map<string, TreeNode>();
  for (const relative of context.inputs.own.paths) {
    const node = readTree(path.join(context.inputs.own.root, relative)).get("");
    const name = recipe.layout === "root" ? relative : path.relative(`in/${recipe.name}`, relative);
    if (node !== undefined) own.set(name, node);
  }
  const common = context.inputs.common === undefined ? undefined : readText(context.inputs.common);
  const seen: Seen = {
    own,
    common: recipe.common?.how === "first letter" ? common?.slice(0, 1) : common,
    parameter: context.params.parameter,
    secret: context.params.secret?.reveal(),
    env: context.env.MODEL,
    variant: recipe.shared ? undefined : context.variant,
    needs: Object.fromEntries(
      Object.entries(context.needs).map(([name, slots]) => [
        name,
        slots && Object.values(slots).map(readTree),
      ]),
    ),
  };
  steering.at(recipe.name, "begin");
  const failure = steering.failure(recipe.name);
  if (failure === "early") throw new Error("fails before it writes anything");
  for (const [slot, tree] of evaluate(recipe, seen).entries()) {
    if (failure === "missing" && slot === recipe.slots.length - 1 && recipe.slots[slot] !== "directory")
      continue;
    writeTree(context.outputs[`s${slot}`] ?? "", tree);
  }
  if (failure === "stray") writeFileSync(path.join(path.dirname(context.outputs.s0 ?? ""), "stray"), "");
  if (failure === "late") throw new Error("fails after it wrote everything");
  steering.at(recipe.name, "written");
}

function readText(absolute: string): string | undefined {
  try {
    return readFileSync(absolute, "utf8");
  } catch {
    return undefined;
  }
}

const seed = fc.record({
  needs: fc.uniqueArray(
    fc.record({
      back: fc.integer({ min: 1, max: 8 }),
      onlyIn: fc.constantFrom(undefined, undefined, undefined, ...variants),
    }),
    {
      maxLength: 3,
      selector: ({ back }) => back,
    },
  ),
  shared: fc.boolean(),
  layout: fc.constantFrom("pattern", "root", "braces"),
  common: fc.option(
    fc.record({
      name: fc.constantFrom(...commonNames),
      how: fc.constantFrom("needed", "optional", "first letter"),
    }),
    { nil: undefined, freq: 2 },
  ),
  parameter: fc.option(fc.constantFrom(...parameterNames), { nil: undefined, freq: 2 }),
  secret: fc.integer({ min: 0, max: 5 }).map((n) => n === 5),
  env: fc.integer({ min: 0, max: 5 }).map((n) => n === 5),
  slots: fc.array(fc.constantFrom("file", "directory", "artifact", "variant-artifact"), {
    minLength: 1,
    maxLength: 2,
  }),
  blurred: fc.integer({ min: 0, max: 2 }).map((n) => n === 2),
} as const);

/** Graphs of up to 30 recipes; most are small, so that many can be tried. */
export const graphs: fc.Arbitrary<readonly Recipe[]> = fc
  .oneof(
    { weight: 6, arbitrary: fc.array(seed, { minLength: 1, maxLength: 7 }) },
    { weight: 1, arbitrary: fc.array(seed, { minLength: 8, maxLength: 30 }) },
  )
  .map((seeds) => {
    const recipes: Recipe[] = [];
    for (const [index, one] of seeds.entries()) {
      const needs = one.needs
        .map(({ back, onlyIn }) => ({ index: index - back, onlyIn: one.shared ? undefined : onlyIn }))
        .filter((need) => need.index >= 0)
        // What all variants share cannot need what differs between them.
        .filter((need) => !one.shared || recipes[need.index]?.shared === true);
      // An output that differs by variant, at one path for all of them, belongs to a task made for each.
      const slots = one.slots.map(
        (kind): SlotKind => (one.shared && kind === "variant-artifact" ? "artifact" : kind),
      );
      recipes.push({ ...one, name: `t${index}`, needs, slots });
    }
    return recipes;
  });
