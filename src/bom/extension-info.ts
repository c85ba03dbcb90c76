/**
 * The `.info` file of an extension: what its maker says of it.
 *
 * Format of Tiny Core's mirrors: `Key: value`, where a line that begins with a blank continues the one above.
 */

export interface ExtensionInfo {
  readonly version?: string;
  readonly description?: string;
  readonly homepage?: string;
  /** The words of `Copying-policy`, one licence each. */
  readonly licences: readonly string[];
  /** Packages of a distribution that it was made from. */
  readonly packages: readonly { readonly name: string; readonly version: string }[];
}

/** The line of `Comments` that this project writes before the packages; see `tasks/debian/extension-metadata.ts`. */
const packagesFollow = "Made from these packages:";

export function parseExtensionInfo(text: string): ExtensionInfo {
  const fields = fieldsOf(text);
  const first = (key: string): string => fields.get(key)?.find((line) => line !== "") ?? "";
  const comments = fields.get("comments") ?? [];
  const begin = comments.indexOf(packagesFollow);
  const packages = begin === -1 ? [] : comments.slice(begin + 1).flatMap(packageOf);
  const [version, description, homepage] = [first("version"), first("description"), first("original-site")];
  return {
    ...(version === "" ? {} : { version }),
    ...(description === "" ? {} : { description }),
    ...(/^https?:\/\/\S+$/.test(homepage) ? { homepage } : {}),
    licences: (fields.get("copying-policy") ?? []).join(" ").split(/[,;]/),
    packages,
  };
}

/** The lines of each field, by its name in small letters. */
function fieldsOf(text: string): ReadonlyMap<string, readonly string[]> {
  const fields = new Map<string, string[]>();
  let lines: string[] = [];
  for (const line of text.split(/\r?\n/)) {
    const [, key, value] = /^([A-Za-z][\w -]*?)\s*:(.*)$/.exec(line) ?? [];
    if (key !== undefined && value !== undefined) {
      lines = [value.trim()];
      if (!fields.has(key.toLowerCase())) fields.set(key.toLowerCase(), lines);
    } else if (/^\s/.test(line)) lines.push(line.trim());
  }
  return fields;
}

function packageOf(line: string): readonly { readonly name: string; readonly version: string }[] {
  const [, name, version] = /^([a-z0-9][a-z0-9.+-]*) ([0-9][A-Za-z0-9.+:~-]*)$/.exec(line) ?? [];
  return name === undefined || version === undefined ? [] : [{ name, version }];
}
