/** The spec of the installer's package: a template whose fields a build fills in. */
import { readFile } from "node:fs/promises";
import path from "node:path";
import { didYouMean, UserError } from "../../src/errors/index.ts";
import { shownPath } from "../settings/shown-path.ts";
import { installerDirectory } from "./rpm-files.ts";

interface SpecFields {
  readonly version: string;
  /** Seconds since 1970. */
  readonly epoch: number;
}

/**
 * The one spec at the top of the installer's directory (absolute, with its files' relative paths): its name and rendered text; undefined
 * if there is none.
 * @throws UserError `bad-spec`
 */
export async function renderSpec(
  { root, paths }: { readonly root: string; readonly paths: readonly string[] },
  fields: SpecFields,
): Promise<{ readonly name: string; readonly text: string } | undefined> {
  const [name, ...more] = paths.filter((one) => /^[^/]+\.spec$/.test(one));
  if (name === undefined) return undefined;
  if (more.length > 0) {
    throw new UserError(`there are several specs: ${[name, ...more].join(", ")}`, {
      code: "bad-spec",
      where: installerDirectory,
      hint: "keep one spec; it may have several %package sections",
    });
  }
  const file = path.join(root, name);
  const values: Readonly<Record<string, string>> = {
    version: rpmVersion(fields.version),
    date: changelogDate(fields.epoch),
  };
  const text = (await readFile(file, "utf8"))
    .split("\n")
    .map((line, index) =>
      line.replace(/\{\{\s*([\w-]*)\s*\}\}/g, (field, word: string) => {
        const value = Object.hasOwn(values, word) ? values[word] : undefined;
        if (value !== undefined) return value;
        throw new UserError(`there is no field ${field}`, {
          code: "bad-spec",
          where: `${shownPath(file)}:${index + 1}`,
          hint: didYouMean(word, Object.keys(values)) ?? "fields: {{version}}, {{date}}",
        });
      }),
    )
    .join("\n");
  return { name, text };
}

/**
 * A version as rpm takes it: a hyphen separates version and release there. `~` sorts before the end, as a pre-release does (rpm, "Version
 * comparison").
 */
export function rpmVersion(version: string): string {
  return version.replace(/-(alpha|beta|rc)/g, "~$1").replaceAll("-", ".");
}

/** `Sun Sep 13 2020`, as %changelog wants it. */
function changelogDate(epoch: number): string {
  return new Date(epoch * 1000).toUTCString().replace(/^(\w+), (\d+) (\w+) (\d+) .*$/, "$1 $3 $2 $4");
}
