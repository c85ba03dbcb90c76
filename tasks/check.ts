/** Finds what would go wrong on the booted machine, before it is booted. */
import path from "node:path";
import { command } from "../src/engine/index.ts";
import { UsageError } from "../src/errors/index.ts";
import { printName } from "../src/formats/index.ts";
import { findFaults, type ImageFault } from "../src/inspection/index.ts";
import { newestIso } from "./image/newest-iso.ts";
import { withImage } from "./image/opened-image.ts";
import { limitParams } from "./settings/limit-options.ts";

/** Paths of a fault that are shown by name. */
const shownPaths = 5;

export const check = command({
  name: "check",
  takes: "[IMAGE]",
  offers: "files",
  description: "Check an image for scripts, libraries and boot codes that would fail (exit status 1: errors)",
  group: "look",
  params: limitParams,
  needsProject: (words) => words.length === 0,
  failureStatus: 2,
  async run(context) {
    const { words, show, workspace, variant, note } = context;
    const [given, ...more] = words;
    if (more.length > 0) {
      throw new UsageError("`check` takes one image", {
        code: "check-usage",
        hint: "usage: task check [IMAGE]",
      });
    }
    const named = given ?? (await newestIso(workspace, variant));
    if (given === undefined) note(`checking ${path.relative(workspace, named)}, the newest`);
    return await withImage(context, named, async (image) => {
      const faults = await findFaults(image);
      const errors = faults.filter(({ severity }) => severity === "error").length;
      const lines = faults.flatMap(describe);
      const warnings = faults.length - errors;
      show({ image: named, errors, warnings, faults }, [
        ...lines,
        `${counted(errors, "error")}, ${counted(warnings, "warning")}`,
      ]);
      return errors > 0 ? 1 : 0;
    });
  },
});

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

function describe({ severity, message, hint, paths }: ImageFault): readonly string[] {
  const shown = paths.slice(0, shownPaths).map(printName);
  const more = paths.length > shownPaths ? [`and ${paths.length - shownPaths} more`] : [];
  return [
    `${severity}: ${message}`,
    ...(shown.length === 0 ? [] : [`  where: ${[...shown, ...more].join(", ")}`]),
    `  hint: ${hint}`,
  ];
}
