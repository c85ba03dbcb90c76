/**
 * Every option of the command line as data, made from what the Taskfile declares: parameters become options, variants
 * become switches. Parsing, help, the manual page and completion all read this one table.
 */
import type { Parameter, Target, Taskfile } from "../../engine/index.ts";
import { fileFlag, fileKey } from "./secret-value.ts";

type OptionGroup = "variant" | "value" | "program";

/** What completion offers for an option's value. */
type Offer =
  | "files"
  | "directories"
  | "tasks"
  | "nothing"
  | readonly string[]
  /** Takes the project's directory (absolute). */
  | ((root: string) => readonly string[]);

export interface OptionEntry {
  /** `--jobs`. */
  readonly long: string;
  /** `-j`. */
  readonly short?: string;
  /** How the value is called; a switch has none. */
  readonly value?: string;
  /** The value may be left out. */
  readonly optional?: true;
  /** It may be given again. */
  readonly again?: true;
  readonly description: string;
  readonly group: OptionGroup;
  /** Of the program's own options: whether every target follows it, only tasks do, or only commands of the program. */
  readonly concerns?: "all" | "tasks" | "other";
  /** Understood, and shown in no list: another name, or an option that is no longer needed. */
  readonly hidden: boolean;
  readonly offers: Offer;
  /** The environment variable, and key of a configuration file, that says the same. */
  readonly env?: string;
}

/** Every parameter that a target of the Taskfile uses, in the order of the pipeline. */
export function parametersOf(taskfile: Taskfile): readonly Parameter<unknown>[] {
  const found = [
    ...parametersOfTargets(taskfile.targets),
    // One parameter may bring several tasks.
    ...new Set((taskfile.alsoBuilds ?? []).flatMap(([, , wanted]) => (wanted === undefined ? [] : [wanted]))),
  ] as readonly Parameter<unknown>[];
  const version = taskfile.version as Parameter<unknown> | undefined;
  return version === undefined || found.some(({ name }) => name === version.name)
    ? found
    : [...found, version];
}

/** The parameters that these targets use themselves: not those of what they need. */
export function parametersOfTargets(targets: Iterable<Target>): readonly Parameter<unknown>[] {
  const found = new Map<string, Parameter<unknown>>();
  for (const target of targets)
    eachParameter(target, (parameter) => {
      const isOption = parameter.kind !== "derived" && parameter.kind !== "arguments";
      if (isOption && !found.has(parameter.name)) found.set(parameter.name, parameter);
    });
  return [...found.values()];
}

/** Calls `use` with each parameter of a target, its options and others, as often as the target names it. */
export function eachParameter(target: Target, use: (parameter: Parameter<unknown>) => void): void {
  // Of thousands of targets most have none: loops over the names make no list for each.
  for (const name in target.params) {
    const parameter = target.params[name];
    if (parameter !== undefined) use(parameter);
  }
  if (target.kind === "command") return;
  for (const name in target.needs) {
    const need = target.needs[name];
    if (need?.kind === "conditional" && need.condition.kind === "parameter")
      use(need.condition.parameter as Parameter<unknown>);
  }
  for (const name in target.inputs) {
    const input = target.inputs[name];
    const named = input?.kind === "file" ? input.path : input?.root;
    if (named !== undefined && typeof named !== "string") use(named as Parameter<unknown>);
  }
}

/** Every option, in the order in which help lists them. */
export function optionsOf(taskfile: Taskfile): readonly OptionEntry[] {
  return [
    ...parametersOf(taskfile).flatMap(parameterOptions),
    ...Object.entries(taskfile.variants).flatMap(([name, { flags, description }]) =>
      variantOptions(name, flags, description),
    ),
    ...programOptions,
    formatOption(taskfile.targets),
    ...templateOption(taskfile),
    ...flavourOption(taskfile),
    ...closingOptions,
    ...(taskfile.deprecated ?? []).map(({ flags, answer }) => deprecatedOption(flags, answer)),
  ];
}

/** The options of one parameter: its own name, and its other names. */
export function parameterOptions(parameter: Parameter<unknown>): readonly OptionEntry[] {
  const base = {
    ...(parameter.kind === "switch" ? {} : { value: parameter.value ?? "VALUE" }),
    ...(parameter.env === undefined ? {} : { env: parameter.env }),
    ...(parameter.kind === "list" ? { again: true as const } : {}),
    description: parameter.description,
    group: "value" as const,
    offers: offerOf(parameter),
  };
  const own = parameter.short === undefined ? {} : { short: `-${parameter.short}` };
  return [
    { ...base, ...own, long: `--${parameter.name}`, hidden: false },
    ...(parameter.aliases ?? []).map((alias) => ({ ...base, long: `--${alias}`, hidden: true })),
    ...(parameter.kind === "secret" ? [secretFileOption(parameter)] : []),
  ];
}

/** A secret may stand in a file instead of the command line. */
function secretFileOption(secret: Parameter<unknown>): OptionEntry {
  const env = fileKey(secret);
  return {
    long: fileFlag(secret),
    value: "FILE",
    ...(env === undefined ? {} : { env }),
    description: "the same, from the only line of a file (-: standard input)",
    group: "value",
    hidden: false,
    offers: "files",
  };
}

function offerOf(parameter: Parameter<unknown>): Offer {
  if (parameter.choicesIn !== undefined) return (root) => choicesOf(parameter, root);
  if (parameter.choices !== undefined) return parameter.choices;
  if (parameter.kind !== "path") return "nothing";
  return parameter.value === "DIR" ? "directories" : "files";
}

/** The values to offer for a parameter in the project at `root` (absolute), each once. */
export function choicesOf({ choices = [], choicesIn }: Parameter<unknown>, root: string): readonly string[] {
  return [...new Set([...choices, ...(choicesIn?.(root) ?? [])])];
}

/** The first long flag carries the short one; other long flags do the same and are not listed. */
function variantOptions(name: string, flags: readonly string[], description: string): readonly OptionEntry[] {
  const short = flags.find((flag) => !flag.startsWith("--"));
  return flags
    .filter((flag) => flag.startsWith("--"))
    .map((long, index) => ({
      long,
      ...(index === 0 && short !== undefined ? { short } : {}),
      description: `the ${name} variant: ${description}`,
      group: "variant",
      hidden: index > 0,
      offers: "nothing",
    }));
}

/** The formats of `task graph`; the first one is the default. */
export const graphFormats = ["dot", "mermaid", "json", "svg"] as const;

/** Who understands `--format`, and which formats each has. */
export function formatOwners(targets: readonly Target[]): ReadonlyMap<string, readonly string[]> {
  const commands = targets.flatMap((target) =>
    target.kind === "command" && target.formats !== undefined ? [[target.name, target.formats] as const] : [],
  );
  return new Map([["graph", graphFormats], ...commands]);
}

function formatOption(targets: readonly Target[]): OptionEntry {
  const owners = [...formatOwners(targets)];
  const described = owners.map(([name, formats]) => `of \`${name}\`: ${formats.join(", ")}`);
  const offers = [...new Set(owners.flatMap(([, formats]) => formats))];
  return option("--format", `format ${described.join("; ")}`, { value: "FORMAT", offers, concerns: "other" });
}

/** What `init` may begin a project with. */
function templateOption({ templates = {} }: Taskfile): readonly OptionEntry[] {
  const names = Object.keys(templates);
  if (names.length === 0) return [];
  const description = `with init: what the project begins with: ${names.join(", ")}`;
  return [option("--template", description, { value: "NAME", offers: names, concerns: "other" })];
}

/** Which flavour a project that `init` makes keeps to. */
function flavourOption({ flavours = {} }: Taskfile): readonly OptionEntry[] {
  const names = Object.keys(flavours);
  if (names.length === 0) return [];
  const description = `with init: the kind of image that the project makes: ${names.join(", ")}`;
  return [option("--flavour", description, { value: "NAME", offers: names, concerns: "other" })];
}

function deprecatedOption(flags: string, description: string): OptionEntry {
  const [long = flags] = /--\S+/.exec(flags) ?? [];
  const short = /(?:^|[ ,])(-[^-\s,])/.exec(flags)?.[1];
  const own = short === undefined ? {} : { short };
  return { long, ...own, description, group: "program", hidden: true, offers: "nothing" };
}

/** `-j, --jobs <N>`, as help shows it. */
export function flagsOf({ short, long, value, optional }: OptionEntry): string {
  const named = short === undefined ? long : `${short}, ${long}`;
  if (value === undefined) return named;
  return `${named} ${optional === true ? `[${value}]` : `<${value}>`}`;
}

const option = (
  flags: `--${string}` | `-${string}, --${string}`,
  description: string,
  more: Partial<OptionEntry> = {},
): OptionEntry => ({
  ...deprecatedOption(flags, description),
  hidden: false,
  concerns: "tasks",
  ...more,
});

/** Variables of the remote cache: its URL, whether results are uploaded, and a header with credentials. */
export const remoteVariables = {
  url: "RAZOR_MK_REMOTE_CACHE",
  upload: "RAZOR_MK_REMOTE_UPLOAD",
  header: "RAZOR_MK_REMOTE_HEADER",
} as const;

/** The variable that names the executor. */
export const executorVariable = "RAZOR_MK_EXECUTOR";

/** What the program itself understands, whatever the Taskfile says. */
const programOptions: readonly OptionEntry[] = [
  option("-c, --config", "read options from KEY=value lines", {
    value: "FILE",
    offers: "files",
    concerns: "all",
  }),
  option("-j, --jobs", "run at most N tasks at once (default: one per core)", { value: "N" }),
  option("-k, --keep-going", "after a failure continue with tasks that do not depend on it"),
  option("-f, --force", "run TASK, or all tasks, even if nothing changed", {
    value: "TASK",
    optional: true,
    again: true,
    offers: "tasks",
  }),
  option("-n, --dry-run", "show what would run and why, without running it", { concerns: "all" }),
  option("-w, --watch", "rebuild whenever an input changes"),
  option("--on-success", "watch, and run CMD after each successful build", { value: "CMD" }),
  option("--on-failure", "watch, and run CMD after each failed build", { value: "CMD" }),
  option("--boot", "watch, and boot the ISO in QEMU after each successful build"),
  option("-v, --verbose", "show the output of tasks and commands, and stacks of internal errors", {
    concerns: "all",
  }),
  option("-q, --quiet", "print only errors and the result", { concerns: "all" }),
  option("--json", "print events as JSON, one object per line", { concerns: "all" }),
  option("--remote-cache", "take results from the remote cache at URL", {
    value: "URL",
    env: remoteVariables.url,
  }),
  option("--no-remote-cache", "use no remote cache"),
  option("--remote-upload", "store results in the remote cache too, for other machines", {
    env: remoteVariables.upload,
  }),
  option("--remote-upload-wait", "wait at most SECONDS for uploads at the end (default: 10)", {
    value: "SECONDS",
  }),
  option(
    "--against",
    "with why: a result of another machine to compare with, by its key or URL; with report: an image",
    {
      value: "KEY|URL|IMAGE",
      concerns: "other",
    },
  ),
  option("--executor", "where tasks run: local (default), slurm (jobs of a cluster; needs --remote-upload)", {
    value: "NAME",
    env: executorVariable,
    offers: ["local", "slurm"],
  }),
  option("--jobs-remote", "have at most N jobs on the cluster at once (default: 16)", { value: "N" }),
  option("--over", "with matrix: build for each of these values of an option, or of variant", {
    value: "NAME=VALUE,…",
    again: true,
    concerns: "other",
  }),
  option("--audit", "report undeclared files that the tasks' commands and code use"),
  option("--strict", "like --audit, but fail the task"),
  option("--trace", "write a trace of tasks, processes and downloads for chrome://tracing", {
    value: "FILE",
    offers: "files",
  }),
  option("--report", "write a page about the build and the image: times, graph, sizes, contents", {
    value: "FILE",
    offers: "files",
  }),
  option("--summary", "write a summary of the build as one JSON document", {
    value: "FILE",
    offers: "files",
  }),
  option("--since", "with affected: the revision to compare with", {
    value: "REVISION",
    concerns: "other",
  }),
];

/** What help lists last. */
const closingOptions: readonly OptionEntry[] = [
  option("-V, --version", "print the program's version", { concerns: "other" }),
  option("-h, --help", "print this help, or that of a target", { concerns: "all" }),
];
