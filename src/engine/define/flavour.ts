/** A Taskfile that keeps to one flavour. */
import { didYouMean, UserError } from "../../errors/index.ts";
import type { Target } from "./command.ts";
import type { Taskfile } from "./taskfile.ts";

/**
 * The Taskfile without the targets of other flavours, and without everything that refers to them.
 * @throws UserError `unknown-flavour`
 */
export function ofFlavour(whole: Taskfile, name: string): Taskfile {
  const flavours = new Map(Object.entries(whole.flavours ?? {}));
  const chosen = flavours.get(name);
  if (chosen === undefined) {
    throw new UserError(`there is no flavour "${name}"`, {
      code: "unknown-flavour",
      hint: didYouMean(name, [...flavours.keys()]) ?? `flavours: ${[...flavours.keys()].join(", ")}`,
    });
  }
  flavours.delete(name);
  const dropped = new Set<Target>([...flavours.values()].flatMap(({ steps }) => steps));
  const keeps = (...targets: readonly Target[]): boolean => targets.every((target) => !dropped.has(target));
  const dropsName = new Set([...dropped].map((target) => target.name));
  const { targets, alsoBuilds = [], replacements = [], examples = [], aliases = {} } = whole;
  return {
    ...whole,
    targets: targets.filter((target) => keeps(target)),
    aliases: {
      ...Object.fromEntries(Object.entries(aliases).filter(([, target]) => keeps(target))),
      ...chosen.aliases,
    },
    alsoBuilds: alsoBuilds.filter(([asked, brings]) => keeps(asked, brings)),
    replacements: replacements.filter(({ of, use }) => keeps(of, use)),
    examples: examples.filter(({ command }) => !dropsName.has(command.split(" ")[0] ?? "")),
  };
}
