/**
 * Why a task is not fresh: a closed set of reasons, and the one sentence for each.
 */
import type { LineChange } from "./line-changes.ts";

export type Reason =
  | { readonly kind: "first-run" }
  | { readonly kind: "forced" }
  | { readonly kind: "uncached" }
  | { readonly kind: "engine-changed" }
  | { readonly kind: "unfinished" }
  | { readonly kind: "code-changed" }
  | {
      readonly kind: "input-changed";
      readonly input: string;
      readonly path: string;
      readonly change: "added" | "removed" | "changed" | "mode changed" | "type changed";
    }
  | {
      readonly kind: "lines-changed";
      readonly input: string;
      readonly path: string;
      readonly lines: readonly LineChange[];
    }
  | { readonly kind: "inputs-changed"; readonly input: string }
  | {
      readonly kind: "parameter-changed";
      readonly name: string;
      readonly from?: string;
      readonly to?: string;
    }
  | { readonly kind: "environment-changed"; readonly name: string }
  | { readonly kind: "tool-changed"; readonly tool: string }
  | { readonly kind: "need-changed"; readonly need: string }
  | { readonly kind: "need-reruns"; readonly need: string }
  | { readonly kind: "declaration-changed" }
  | { readonly kind: "output-missing"; readonly path: string }
  | { readonly kind: "output-edited"; readonly path: string }
  | { readonly kind: "output-unexpected"; readonly path: string }
  | { readonly kind: "store-incomplete"; readonly path: string }
  | { readonly kind: "store-damaged" }
  /** Its result came from the remote cache, without the outputs, which nobody needed then. */
  | { readonly kind: "outputs-elsewhere" };

/** The reason as a clause: `overlay-src/etc/inittab changed`. */
export function describeReason(reason: Reason): string {
  switch (reason.kind) {
    case "first-run":
      return "never built";
    case "forced":
      return "forced";
    case "uncached":
      return "it runs on every build";
    case "engine-changed":
      return "the cache was written by another version";
    case "code-changed":
      return "its code changed";
    case "unfinished":
      return "its last run did not finish";
    case "input-changed":
      return `${reason.path} ${reason.change}`;
    case "lines-changed":
      return describeLines(reason.path, reason.lines);
    case "inputs-changed":
      return `${reason.input} changed`;
    case "parameter-changed":
      return reason.from === undefined || reason.to === undefined
        ? `${reason.name} changed`
        : `${reason.name} changed from ${reason.from} to ${reason.to}`;
    case "environment-changed":
      return `the environment variable ${reason.name} changed`;
    case "tool-changed":
      return `the program ${reason.tool} changed`;
    case "need-changed":
      return `${reason.need} made different outputs`;
    case "need-reruns":
      return `${reason.need} would run again and may make different outputs`;
    case "declaration-changed":
      return "its declaration changed";
    case "output-missing":
      return `${reason.path} is missing`;
    case "output-edited":
      return `${reason.path} was edited`;
    case "output-unexpected":
      return `${reason.path} is not one of its outputs`;
    case "store-incomplete":
      return `the cache no longer holds ${reason.path}`;
    case "store-damaged":
      return "its entry in the cache was damaged";
    case "outputs-elsewhere":
      return "its outputs were left in the remote cache";
  }
}

const linesShown = 3;

/** `lists/gem.list changed: facter added, stomp removed, and 2 more`. */
function describeLines(path: string, lines: readonly LineChange[]): string {
  // The same lines in another order, or other blanks.
  if (lines.length === 0) return `${path} changed`;
  const shown = lines.slice(0, linesShown).map(({ line, change }) => `${line} ${change}`);
  const more = lines.length - linesShown;
  return `${path} changed: ${[...shown, ...(more > 0 ? [`and ${more} more`] : [])].join(", ")}`;
}
