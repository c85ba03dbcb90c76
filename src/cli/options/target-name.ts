/**
 * The targets of a Taskfile as users know them: names, other names, lines of a list, and what a wrong name may have
 * meant.
 */
import type { OptionValues, Target, Task, Taskfile } from "../../engine/index.ts";
import { didYouMean, UsageError } from "../../errors/index.ts";
import { programWords } from "./program-command.ts";

/** Targets that are listed: commands, and tasks that are not internal. Those of a group follow one another, after those of none. */
export function listedTargets(taskfile: Taskfile): readonly Target[] {
  return groupsOf(taskfile).flatMap(({ targets }) => targets);
}

/** The listed targets by group, in the order in which the Taskfile first names each; targets without a group come first. */
function groupsOf(
  taskfile: Taskfile,
): readonly { readonly title?: string; readonly targets: readonly Target[] }[] {
  const listed = taskfile.targets.filter((target) => target.kind === "command" || !target.internal);
  const titles = [...new Set(listed.flatMap(({ group }) => (group === undefined ? [] : [group])))];
  return [
    { targets: listed.filter(({ group }) => group === undefined) },
    ...titles.map((title) => ({ title, targets: listed.filter(({ group }) => group === title) })),
  ].filter(({ targets }) => targets.length > 0);
}

export function aliasesOf(target: Target, taskfile: Taskfile): readonly string[] {
  return Object.entries(taskfile.aliases ?? {}).flatMap(([alias, of]) => (of === target ? [alias] : []));
}

/** A target as it is listed to users: name with other names, one line of description. */
type TargetLine = readonly [name: string, description: string];

/** The targets as they are listed to users, by group; the group of targets without one has no title. */
export function targetLinesByGroup(
  taskfile: Taskfile,
): readonly { readonly title?: string; readonly lines: readonly TargetLine[] }[] {
  return groupsOf(taskfile).map(({ title, targets }) => ({
    ...(title === undefined ? {} : { title }),
    lines: linesOf(targets, taskfile),
  }));
}

/** The targets as they are listed to users. */
export function targetLines(taskfile: Taskfile): readonly TargetLine[] {
  return linesOf(listedTargets(taskfile), taskfile);
}

function linesOf(targets: readonly Target[], taskfile: Taskfile): readonly TargetLine[] {
  return targets.map((target) => {
    const aliases = aliasesOf(target, taskfile);
    const takes = target.kind === "command" && target.takes !== undefined ? ` ${target.takes}` : "";
    return [
      aliases.length === 0 ? `${target.name}${takes}` : `${target.name} (${aliases.join(", ")})${takes}`,
      target.description,
    ] as const;
  });
}

/** What is done for a target: itself, or what takes its place for what the user gave. */
export function inItsPlace<T extends Target>(target: T, taskfile: Taskfile, given: OptionValues): T | Task {
  return taskfile.replacements?.find((one) => one.of === target && given.has(one.given.name))?.use ?? target;
}

/** Every task of a build of everything: of a task and its replacement the one that what the user gave asks for. */
export function allTasks(taskfile: Taskfile, given: OptionValues): readonly Task[] {
  const replacements = taskfile.replacements ?? [];
  const unused = new Set(replacements.map((one) => (given.has(one.given.name) ? one.of : one.use)));
  return taskfile.targets.filter((target): target is Task => target.kind === "task" && !unused.has(target));
}

/** The target with this name or alias, or undefined. */
export function targetNamed(name: string, taskfile: Taskfile): Target | undefined {
  const aliases = taskfile.aliases ?? {};
  return Object.hasOwn(aliases, name)
    ? aliases[name]
    : taskfile.targets.find((target) => target.name === name);
}

/** The target with this name or alias. Throws `UsageError` with what is close. */
export function findTarget(name: string, taskfile: Taskfile): Target {
  const found = targetNamed(name, taskfile);
  if (found !== undefined) return found;
  const names = [
    ...taskfile.targets.map((target) => target.name),
    ...Object.keys(taskfile.aliases ?? {}),
    ...programWords,
  ];
  const hint = didYouMean(name, names) ?? "`task list` shows the targets, `task --help` the commands";
  throw new UsageError(`there is no target "${name}"`, { code: "target-unknown", hint });
}

/** As `findTarget`, for what only tasks can do. */
export function findTask(name: string, taskfile: Taskfile): Task {
  const target = findTarget(name, taskfile);
  if (target.kind === "task") return target;
  throw new UsageError(`${target.name} is a command, which always runs and has no outputs`, {
    code: "target-command",
    hint: "name a target that makes something, as `task list` shows",
  });
}
