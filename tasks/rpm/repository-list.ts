/** lists/repositories.yaml: where packages come from, and which keys vouch for them. */
import { isMap, isScalar, isSeq, LineCounter, parseDocument } from "yaml";
import { didYouMean, UserError } from "../../src/errors/index.ts";
import { parseDirectoryLocation } from "../../src/fetch/index.ts";

export interface Repository {
  /** Letters, digits and `. _ -`: part of file names and of dnf's configuration. */
  readonly id: string;
  /** http(s) or file: URL, or a path, of the directory with `repodata`. */
  readonly url: string;
  /** Whether each package must be signed by one of the keys. */
  readonly gpgcheck: boolean;
  /** Whether repomd.xml must be signed by one of the keys. */
  readonly signedMetadata: boolean;
  /** Files with public keys, relative to the project's directory for keys. */
  readonly keys: readonly string[];
  /** `file:line`, for messages. */
  readonly where: string;
}

const settings = ["url", "keys", "gpgcheck", "metadata-signature"];

/**
 * The repositories, in the order of the file; `label` is its name in messages.
 * @throws UserError `repository-list`
 */
export function parseRepositories(text: string, label: string): readonly Repository[] {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  const fail = (offset: number, message: string, hint = example): never => {
    throw new UserError(message, {
      code: "repository-list",
      where: `${label}:${lines.linePos(offset).line}`,
      hint,
    });
  };
  const [problem] = document.errors;
  if (problem !== undefined)
    return fail(problem.pos[0], `the file is not YAML: ${firstLine(problem.message)}`);
  if (document.contents === null) return [];
  if (!isMap(document.contents)) return fail(0, "the file is not a list of repositories by id");
  return document.contents.items.map(({ key, value }) => {
    const at = isScalar(key) ? (key.range?.[0] ?? 0) : 0;
    const id = isScalar(key) ? String(key.value) : "";
    if (!/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(id) || id.includes(".."))
      return fail(at, `"${id}" cannot be the id of a repository`, "use letters, digits and . _ -");
    if (!isMap(value)) return fail(at, `the repository ${id} has no settings`);
    const given = new Map<string, { readonly value: unknown; readonly at: number }>();
    for (const { key: name, value: setting } of value.items) {
      const nameAt = isScalar(name) ? (name.range?.[0] ?? at) : at;
      const word = isScalar(name) ? String(name.value) : "";
      if (!settings.includes(word)) {
        const hint = didYouMean(word, settings) ?? `settings: ${settings.join(", ")}`;
        return fail(nameAt, `a repository has no setting "${word}"`, hint);
      }
      const plain = isScalar(setting) ? setting.value : isSeq(setting) ? setting.toJSON() : undefined;
      given.set(word, { value: plain, at: nameAt });
    }
    const flag = (name: string): boolean => {
      const setting = given.get(name);
      if (setting === undefined) return true;
      if (typeof setting.value === "boolean") return setting.value;
      return fail(setting.at, `${name} is neither true nor false`);
    };
    const url = given.get("url");
    if (typeof url?.value !== "string") return fail(url?.at ?? at, `the repository ${id} has no url`);
    parseDirectoryLocation(url.value, `${label}:${lines.linePos(url.at).line}`);
    const gpgcheck = flag("gpgcheck");
    const signedMetadata = flag("metadata-signature");
    const keys = keysOf(given.get("keys")?.value);
    const isPlain = keys?.every((name) => !/^\/|(^|\/)\.\.(\/|$)/.test(name));
    if (keys === undefined || isPlain !== true)
      return fail(given.get("keys")?.at ?? at, `keys of ${id} are not names of files in keys/`);
    if (keys.length === 0 && (gpgcheck || signedMetadata)) {
      return fail(
        at,
        `the repository ${id} has no keys, so nothing that comes from it could be verified`,
        "name its public keys, keys: [FILE], or say gpgcheck: false and metadata-signature: false",
      );
    }
    return {
      id,
      url: url.value,
      gpgcheck,
      signedMetadata,
      keys,
      where: `${label}:${lines.linePos(at).line}`,
    };
  });
}

const example = "write ID:, and below it url: URL and keys: [FILE], each indented";

/** Undefined for anything else than a text or a list of texts. */
function keysOf(value: unknown): readonly string[] | undefined {
  if (value === undefined || value === null) return [];
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  return list.every((one) => typeof one === "string" && one !== "") ? list.map(String) : undefined;
}

function firstLine(text: string): string {
  return text.split("\n")[0]?.replace(/:?\s*$/, "") ?? "";
}
