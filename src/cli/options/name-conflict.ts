/** Refuses names of targets and options that are ambiguous on the command line. */
import {
  type CodeIndex,
  type Command,
  type Parameter,
  type Target,
  type Task,
  type Taskfile,
  tasksOf,
} from "../../engine/index.ts";
import { UserError } from "../../errors/index.ts";
import { eachParameter, optionsOf, parameterOptions, parametersOfTargets } from "./option-table.ts";
import { isProgramWord } from "./program-command.ts";

type Locate = CodeIndex["locate"];

/**
 * Throws `UserError` for a target that is called like a command of the program (`name-taken`), and for two options of one
 * name (`option-taken`), with the places of both.
 */
export function checkWords(taskfile: Taskfile, locate: Locate): void {
  const commands = taskfile.targets.filter((target): target is Command => target.kind === "command");
  const targets: readonly (Task | Command)[] = [...tasksOf(taskfile.targets), ...commands];
  for (const target of targets) refuseCommandName(target.name, () => locate(target.definedAt[0]));
  for (const alias of Object.keys(taskfile.aliases ?? {})) refuseCommandName(alias, () => "Taskfile.ts");
  refuseTwoParameters(targets, locate);
  refuseTwoOptions(taskfile, targets, locate);
}

function refuseCommandName(name: string, where: () => string): void {
  if (!isProgramWord(name)) return;
  throw new UserError(`the target "${name}" has the name of a built-in command`, {
    code: "name-taken",
    where: `${where()}, and the command \`task ${name}\``,
    hint: "rename the target: the command hides it",
  });
}

/** Refuses two parameters of one name: an option could set only one of them. */
function refuseTwoParameters(targets: readonly Target[], locate: Locate): void {
  const known = new Map<string, { readonly parameter: Parameter<unknown>; readonly target: Target }>();
  for (const target of targets) {
    eachParameter(target, (parameter) => {
      // Each task that takes the words after `--` has a parameter of its own for them.
      if (parameter.kind === "arguments") return;
      const first = known.get(parameter.name);
      if (first === undefined) known.set(parameter.name, { parameter, target });
      else if (first.parameter !== parameter)
        throw new UserError(`two parameters are named "${parameter.name}"`, {
          code: "option-taken",
          where: `${placeOf(first.target, locate)} and ${placeOf(target, locate)}`,
          hint: "define it once for both, or rename one of them",
        });
    });
  }
}

function placeOf(target: Target, locate: Locate): string {
  return `${target.name} (${locate(target.definedAt[0])})`;
}

function refuseTwoOptions(taskfile: Taskfile, targets: readonly Target[], locate: Locate): void {
  const seen = new Set<string>();
  for (const { long, short } of optionsOf(taskfile)) {
    for (const flag of [long, short]) {
      if (flag === undefined) continue;
      if (seen.has(flag)) {
        const owners = ownersOf(flag, taskfile, targets, locate);
        throw new UserError(`two options have the flag ${flag}`, {
          code: "option-taken",
          where: [...owners, ...(owners.length < 2 ? ["a built-in option"] : [])].join(" and "),
          hint: "rename the parameter or the variant's switch",
        });
      }
      seen.add(flag);
    }
  }
}

/** Describes the parameters and variants of the Taskfile that have a flag. */
function ownersOf(
  flag: string,
  taskfile: Taskfile,
  targets: readonly Target[],
  locate: Locate,
): readonly string[] {
  const parameters = new Map<string, string>();
  for (const target of targets) {
    for (const parameter of parametersOfTargets([target])) {
      const has = parameterOptions(parameter).some(({ long, short }) => long === flag || short === flag);
      if (has && !parameters.has(parameter.name))
        parameters.set(parameter.name, `the parameter "${parameter.name}" of ${placeOf(target, locate)}`);
    }
  }
  const variants = Object.entries(taskfile.variants).filter(([, { flags }]) => flags.includes(flag));
  return [...parameters.values(), ...variants.map(([name]) => `the variant "${name}" (Taskfile.ts)`)];
}
