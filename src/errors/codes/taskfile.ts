import type { ErrorArea } from "./explanation.ts";

/** Definitions of tasks, and the graph that they form. */
export const taskfileErrors = {
  "definition-invalid": {
    meaning: "A property of a task has the wrong type or value.",
    remedy: "Correct the property as the hint shows.",
  },
  "graph-cycle": {
    meaning: "Tasks need each other in a dependency cycle.",
    remedy: "Remove one of the needs that the message lists.",
  },
  "graph-variants": {
    meaning: "A task that all variants share needs a task that exists once per variant.",
    remedy: 'Declare the needed task as `variants: "shared"`, or the other as `variants: "each"`.',
  },
  "name-invalid": {
    meaning: "A task, target, output or variant has a name that is not allowed.",
    remedy:
      "Use letters, digits, dots, dashes, underscores and plus signs, with a letter or digit first. Colons separate the parts of a task's name.",
  },
  "output-conflict": {
    meaning: "Two tasks declare the same output, or outputs that overlap.",
    remedy: "Rename one of the outputs: every path has exactly one owner.",
  },
  "output-is-input": {
    meaning: "A task's input matches one of its own outputs.",
    remedy: "Exclude the output in the input's patterns, or place it elsewhere.",
  },
  "output-is-others-input": {
    meaning: "A task reads the output of another task that it does not need.",
    remedy: "Add the other task to its needs, or exclude the path in the input's patterns.",
  },
  "output-outside": {
    meaning: "The path of an output leaves its directory.",
    remedy: "Write a relative path without `..`.",
  },
  "output-reserved": {
    meaning: "A task declares an output where sources, the Taskfile or the cache are.",
    remedy: "Place the output elsewhere.",
  },
  "parameter-undeclared": {
    meaning: "The path of an output uses a parameter that its task does not declare.",
    remedy: "Add the parameter to the task's `params`.",
  },
  "pool-unknown": {
    meaning: "A task is in a pool that the Taskfile does not define.",
    remedy: "Use a pool of the Taskfile, or define this one: `pools: { {pool}: 4 }`.",
  },
  "slot-unknown": {
    meaning: "A task needs an output that the other task does not declare.",
    remedy: "Use one of the outputs that the hint lists.",
  },
  "task-duplicate": {
    meaning: "Two tasks have the same name.",
    remedy: "Rename one of them.",
  },
  "taskfile-defaults": {
    meaning:
      "The `defaults` of the Taskfile set an option that does not exist, or a value that the option refuses.",
    remedy: "Correct the entry that the message names.",
  },
  "taskfile-invalid": {
    meaning: "The Taskfile's default export, targets, variants or pools are not valid.",
    remedy: "Correct the property as the hint shows. The default export is made with `taskfile({ … })`.",
  },
} satisfies ErrorArea;
