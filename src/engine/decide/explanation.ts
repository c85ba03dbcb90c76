/** Why a task's fingerprint differs from that of its last run: the reasons, found in what was kept of it. */
import type { BoundTask } from "../bind/bound-task.ts";
import { type Digest, displayPath, isDigest } from "../define/names.ts";
import { neededTask } from "../define/need.ts";
import type { ResolvedInput } from "../files/input.ts";
import { compareListings, decodeListing, type Listing } from "../files/listing.ts";
import type { Stamp } from "../state/stamp.ts";
import type { Assessment, DecisionContext } from "./assessment.ts";
import { textOf } from "./kept-inputs.ts";
import { compareLines, withoutCredentials } from "./line-changes.ts";
import type { Reason } from "./reason.ts";

/** Names what differs between the last successful run and now. */
export async function explainParts(
  bound: BoundTask,
  last: Stamp | undefined,
  now: Assessment,
  context: DecisionContext,
): Promise<readonly Reason[]> {
  if (last === undefined) return [{ kind: "first-run" }];
  if (last.fingerprint === now.fingerprint) return [{ kind: "unfinished" }];
  const before = new Map(last.parts);
  const reasons: Reason[] = [];
  for (const [label, value] of now.parts) {
    const old = before.get(label);
    before.delete(label);
    if (old === value) continue;
    const space = label.indexOf(" ");
    const kind = space === -1 ? label : label.slice(0, space);
    const name = label.slice(space + 1);
    if (old === undefined) reasons.push({ kind: "declaration-changed" });
    else reasons.push(...(await explainPart(bound, kind, name, old, value, now, context)));
  }
  if (before.size > 0) reasons.push({ kind: "declaration-changed" });
  // Several parts may change for one reason.
  return [...new Map(reasons.map((reason) => [JSON.stringify(reason), reason])).values()];
}

async function explainPart(
  bound: BoundTask,
  kind: string,
  name: string,
  old: string,
  value: string,
  now: Assessment,
  context: DecisionContext,
): Promise<readonly Reason[]> {
  switch (kind) {
    case "format":
      return [{ kind: "engine-changed" }];
    case "code":
      return [{ kind: "code-changed" }];
    case "param": {
      // What the task's own code calls it is nothing that its user has seen.
      const parameter = bound.task.params[name];
      const known = parameter?.kind === "arguments" ? "the arguments after --" : (parameter?.name ?? name);
      return old.startsWith("secret ") || value.startsWith("secret ")
        ? [{ kind: "parameter-changed", name: known }]
        : [{ kind: "parameter-changed", name: known, from: old, to: value }];
    }
    case "env":
      return [{ kind: "environment-changed", name }];
    case "tool":
      return [{ kind: "tool-changed", tool: name }];
    case "need": {
      const need = bound.task.needs[name];
      return [{ kind: "need-changed", need: need === undefined ? name : neededTask(need).name }];
    }
    case "input":
      return isDigest(old)
        ? explainInput(name, old, now, context)
        : [{ kind: "inputs-changed", input: name }];
    default:
      return [{ kind: "declaration-changed" }];
  }
}

async function explainInput(
  name: string,
  old: Digest,
  now: Assessment,
  context: DecisionContext,
): Promise<readonly Reason[]> {
  const before = context.state.store.readText(old);
  const input = now.inputs.find((one) => one.name === name);
  if (before === undefined || input === undefined) return [{ kind: "inputs-changed", input: name }];
  const listing = decodeListing(before);
  if (listing === undefined) return [{ kind: "inputs-changed", input: name }];
  const lines = await explainLines(input, listing, context);
  if (lines !== undefined) return [lines];
  return compareListings(listing, input.listing).map(({ path, change }) => ({
    kind: "input-changed",
    input: name,
    path,
    change,
  }));
}

/** The lines that changed in a text input; undefined for other inputs, and when the old text is not known. */
async function explainLines(
  input: ResolvedInput,
  before: Listing,
  context: DecisionContext,
): Promise<Reason | undefined> {
  if (input.declaration.kind !== "file" || !input.declaration.byLine) return undefined;
  const [[path, old] = []] = before;
  if (old !== undefined && old.type !== "file") return undefined;
  const oldText = old === undefined ? "" : context.state.store.readText(old.digest);
  if (oldText === undefined) return undefined;
  const lines = compareLines(withoutCredentials(oldText), (await textOf(input)) ?? "");
  if (lines.length === 0) return undefined;
  const shown = path ?? [...input.listing.keys()][0] ?? displayPath(context.state.workspace, input.root);
  return { kind: "lines-changed", input: input.name, path: shown, lines };
}
