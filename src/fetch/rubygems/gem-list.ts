/**
 * Lists of gems: `name [requirement…]` a line. It does not know which gems exist.
 */
import { UserError } from "../../errors/index.ts";
import { contentLines, excerpt } from "../pins/list.ts";
import { type GemRequirement, parseGemRequirement } from "./gem-requirement.ts";

export interface GemRequest {
  readonly name: string;
  readonly requirement: GemRequirement;
  /** `file:line`, for messages. */
  readonly where: string;
}

/** RubyGems allows letters, digits, `.`, `_` and `-`; more would not be safe in a path. */
const namePattern = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,99}$/;

export function isGemName(text: string): boolean {
  return namePattern.test(text) && !text.includes("..");
}

/**
 * Reads a `gem.list`, with the freedoms of extension lists (comments, blanks, CRLF, BOM). `file` is how the
 * list is called in messages. Throws a UserError naming file and line. A gem listed twice has to satisfy both
 * lines.
 */
export function parseGemList(text: string, file: string): readonly GemRequest[] {
  const requests: GemRequest[] = [];
  for (const line of contentLines(text)) {
    const where = `${file}:${line.number}`;
    const [, name = "", rest = ""] = /^(\S+)\s*(.*)$/s.exec(line.text) ?? [];
    if (!isGemName(name)) {
      throw new UserError(`"${excerpt(name)}" is not the name of a gem`, {
        code: "bad-gem-name",
        where,
        hint: "write a name and optionally a requirement: json_pure >= 1.7.7",
      });
    }
    const requirement = parseGemRequirement(rest);
    if (requirement === undefined) {
      throw new UserError(`"${excerpt(rest)}" is not a valid requirement for ${name}`, {
        code: "bad-gem-requirement",
        where,
        hint: "write it as >= 1.7.7, as ~> 1.2, or as several separated by commas",
      });
    }
    requests.push({ name, requirement, where });
  }
  return requests;
}
