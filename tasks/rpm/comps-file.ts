/** comps.xml: the groups of a tree, as dnf and the installer read them (libcomps, "comps.rng"). */
import type { Element } from "@xmldom/xmldom";
import { didYouMean, UserError } from "../../src/errors/index.ts";
import { childrenOf, parseXml, textOf } from "./xml.ts";

/** How a package belongs to a group; `mandatory` and `default` ones are installed with it. */
const memberTypes = ["mandatory", "default", "optional", "conditional"] as const;
type MemberType = (typeof memberTypes)[number];

export interface CompsGroup {
  readonly id: string;
  readonly name: string;
  readonly members: readonly {
    readonly name: string;
    readonly type: MemberType;
    /** `comps.xml:LINE`. */
    readonly where: string;
  }[];
}

/**
 * The groups by their ids, checked: each has an id of its own and a name, its packages have known types, and environments and
 * categories name groups that exist. `label` is the file's name in messages.
 * @throws UserError `bad-comps`
 */
export function parseComps(text: string, label: string): ReadonlyMap<string, CompsGroup> {
  const { documentElement: root } = parseXml(text, "comps", label, "bad-comps");
  const groups = new Map<string, CompsGroup>();
  if (root === null) return groups;
  const at = (element: Element): string => `${label}:${element.lineNumber ?? 1}`;
  for (const element of childrenOf(root, "group")) {
    const id = textOf(element, "id");
    if (!/^[A-Za-z0-9][A-Za-z0-9._+-]*$/.test(id)) throw bad(`a group has the id "${id}"`, at(element));
    if (groups.has(id)) throw bad(`there are two groups with the id ${id}`, at(element));
    const name = textOf(element, "name");
    if (name === "") throw bad(`the group ${id} has no name`, at(element));
    const lists = childrenOf(element, "packagelist");
    const members = lists
      .flatMap((list) => childrenOf(list, "packagereq"))
      .map((member) => memberOf(member, at(member)));
    groups.set(id, { id, name, members });
  }
  for (const [outer, inner] of [
    ["environment", "grouplist"],
    ["environment", "optionlist"],
    ["category", "grouplist"],
  ] as const) {
    for (const element of childrenOf(root, outer)) {
      if (textOf(element, "id") === "") throw bad(`the ${outer} has no id`, at(element));
      for (const reference of childrenOf(element, inner).flatMap((list) => childrenOf(list, "groupid"))) {
        const id = reference.textContent?.trim() ?? "";
        if (groups.has(id)) continue;
        throw bad(`there is no group ${id}`, at(reference), didYouMean(id, [...groups.keys()]));
      }
    }
  }
  return groups;
}

function memberOf(element: Element, where: string): CompsGroup["members"][number] {
  const name = element.textContent?.trim() ?? "";
  if (!/^[A-Za-z0-9][A-Za-z0-9._+-]*$/.test(name)) throw bad(`"${name}" is not the name of a package`, where);
  // libcomps takes a package without a type for a mandatory one.
  const given = element.getAttribute("type") ?? "mandatory";
  const type = memberTypes.find((one) => one === given);
  if (type !== undefined) return { name, type, where };
  throw bad(`${name} has the type "${given}"`, where, `types: ${memberTypes.join(", ")}`);
}

function bad(message: string, where: string, hint = "correct comps.xml; task comps checks it"): UserError {
  return new UserError(message, { code: "bad-comps", where, hint });
}
