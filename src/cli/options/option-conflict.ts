/** Options that contradict one another, or that the command named with them cannot follow. */

import type { Target } from "../../engine/index.ts";
import { UsageError } from "../../errors/index.ts";
import type { Request } from "./command-line.ts";
import { formatOwners } from "./option-table.ts";
import { isProgramWord, programCommands } from "./program-command.ts";

/** Throws `UsageError` that names both sides of the first contradiction. */
export function refuseConflicts(request: Request, targets: readonly Target[]): void {
  const { words, dryRun, watch, quiet, verbose, json, trace, summary, report } = request;
  const watching =
    request.onSuccess !== undefined
      ? "--on-success"
      : request.onFailure !== undefined
        ? "--on-failure"
        : request.boot
          ? "--boot"
          : "--watch";
  if (dryRun && watch) throw conflict("--dry-run", watching, "a dry run builds nothing");
  if (dryRun && trace !== undefined) throw conflict("--dry-run", "--trace", "a dry run writes nothing");
  if (dryRun && summary !== undefined) throw conflict("--dry-run", "--summary", "a dry run writes nothing");
  if (dryRun && report !== undefined) throw conflict("--dry-run", "--report", "a dry run writes nothing");
  if (watch && report !== undefined)
    throw conflict(watching, "--report", "write it after a build: task report");
  if (quiet && verbose) throw conflict("--quiet", "--verbose", "omit one of them");
  const outputs = [
    ...(json ? ["--json"] : []),
    ...(trace === "-" ? ["--trace -"] : []),
    ...(summary === "-" ? ["--summary -"] : []),
  ];
  const [one, other] = outputs;
  if (one !== undefined && other !== undefined)
    throw conflict(one, other, "both write to standard output; name a file for one of them");

  const [first = ""] = words;
  const owned: readonly (readonly [string, string | undefined, readonly string[]])[] = [
    ["--since", request.since, ["affected"]],
    ["--format", request.format, [...formatOwners(targets).keys()]],
    ["--over", request.over[0], ["matrix"]],
  ];
  for (const [option, value, owners] of owned)
    if (value !== undefined && !owners.includes(first))
      throw new UsageError(`${option} is an option of ${owners.map((owner) => `\`${owner}\``).join(", ")}`, {
        code: "option-conflict",
        hint: `omit it, or use \`task ${owners[0]} --help\` to see how it is used`,
      });
  if (!isProgramWord(first)) return;
  if (watch)
    throw new UsageError(`\`${first}\` cannot be watched`, {
      code: "option-conflict",
      hint: `omit ${watching}`,
    });
  if (dryRun && programCommands.some(({ name, writes }) => name === first && writes === true))
    throw new UsageError(`\`${first}\` has no dry run`, {
      code: "option-conflict",
      hint: "omit --dry-run, or the command",
    });
}

function conflict(one: string, other: string, why: string): UsageError {
  return new UsageError(`${one} and ${other} exclude each other`, { code: "option-conflict", hint: why });
}
