/**
 * Where bytes come from: an http(s) URL, a `file:` URL or an absolute path, and how such a text is shown.
 * It opens nothing.
 */
import path from "node:path";
import { fileURLToPath } from "node:url";
import { UserError } from "../../errors/index.ts";

type Location =
  | { readonly kind: "remote"; readonly url: URL }
  | { readonly kind: "local"; readonly path: string };

const schemePattern = /^[a-z][a-z0-9+.-]*:/i;

/**
 * Reads an http:, https: or file: URL or an absolute path. Throws a UserError for anything else; `where` says
 * in which file or option the text stands.
 */
export function parseLocation(text: string, where?: string): Location {
  if (path.isAbsolute(text)) return { kind: "local", path: path.normalize(text) };
  const place = where === undefined ? { where: publicUrl(text) } : { where };
  if (!schemePattern.test(text)) {
    throw new UserError(`"${publicUrl(text)}" is neither a URL nor an absolute path`, {
      code: "bad-location",
      ...place,
      hint: "write http://…, https://…, file:///… or an absolute path",
    });
  }
  if (/^file:(?!\/)/i.test(text)) {
    throw new UserError(`"${publicUrl(text)}" is a file: URL without an absolute path`, {
      code: "bad-location",
      ...place,
      hint: "write file:///directory, or only the path",
    });
  }
  try {
    const url = new URL(text);
    if (url.protocol === "file:") return { kind: "local", path: fileURLToPath(url) };
    if (url.protocol === "http:" || url.protocol === "https:") return { kind: "remote", url };
  } catch (error) {
    throw new UserError(`"${publicUrl(text)}" is not a valid URL`, {
      code: "bad-location",
      hint: "write http://host/path, with special characters percent-encoded",
      ...place,
      cause: error,
    });
  }
  throw new UserError(`cannot download from "${publicUrl(text)}": only http, https and file are supported`, {
    code: "unsupported-scheme",
    hint: "use an http:, https: or file: URL, or an absolute path",
    ...place,
  });
}

/**
 * Reads the place of a directory, below which files are looked for. Throws a UserError for one that `parseLocation`
 * refuses, and for a URL with a query or a fragment: names cannot be put behind those.
 */
export function parseDirectoryLocation(text: string, where?: string): Location {
  const location = parseLocation(text, where);
  if (path.isAbsolute(text)) return location;
  const { search, hash } = new URL(text);
  const part = search !== "" || /\?$/.test(text.replace(/#.*$/s, "")) ? "a query (?)" : "a fragment (#)";
  if (search === "" && hash === "" && !/[?#]/.test(text)) return location;
  throw new UserError(`"${publicUrl(text)}" has ${part}, but file names are appended to it`, {
    code: "bad-location",
    where: where ?? publicUrl(text),
    hint: "write only the directory's URL, with %3F for ? and %23 for # in its name",
  });
}

/** The location of a file next to another one: the same name with `suffix` appended. */
export function besideLocation(text: string, suffix: string): string {
  if (path.isAbsolute(text)) return `${text}${suffix}`;
  const url = new URL(text);
  url.pathname += suffix;
  url.hash = "";
  return url.href;
}

/** Whether reading from this place opens no socket. */
export function isLocal(text: string): boolean {
  return path.isAbsolute(text) || /^file:/i.test(text);
}

/**
 * A place below another: `base` is a URL or an absolute path, each name one or more path segments joined by
 * slashes. Segments are percent-encoded for URLs and taken as they are for paths.
 */
export function joinLocation(base: string, ...names: readonly string[]): string {
  if (path.isAbsolute(base)) return path.join(base, ...names);
  const segments = names.flatMap((name) => name.split("/")).filter((segment) => segment !== "");
  const encoded = segments.map((segment) =>
    encodeURIComponent(segment).replaceAll("%2B", "+").replaceAll("%3A", ":").replaceAll("%40", "@"),
  );
  return [base.replace(/\/+$/, ""), ...encoded].join("/");
}

/** A URL as it may be shown or written down: user name and password are left out, and so is the fragment. */
export function publicUrl(text: string): string {
  if (path.isAbsolute(text)) return text;
  try {
    const url = new URL(text);
    url.username = "";
    url.password = "";
    url.hash = "";
    return url.href;
  } catch {
    return text.replace(/\/\/.*@/s, "//");
  }
}

/** The `Authorization` header that the credentials in a URL stand for, or undefined. */
export function authorizationOf(url: URL): string | undefined {
  if (url.username === "" && url.password === "") return undefined;
  const pair = `${decodeCredential(url.username)}:${decodeCredential(url.password)}`;
  return `Basic ${Buffer.from(pair).toString("base64")}`;
}

function decodeCredential(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
