/** Where a remote cache is, and what opens it. */
import { UsageError } from "../../errors/index.ts";
import type { ServerLocation } from "../../remote/index.ts";
import { type Credentials, credentialsFor } from "./netrc.ts";

interface LocationDetails {
  readonly instance?: string | undefined;
  readonly header?: string | undefined;
  readonly netrc?: string;
}

/** A name that an instance may have: one path segment. */
const instancePattern = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;

/**
 * The location in a URL (`http:` or `https:`; credentials in it, or else in `netrc`, are sent as HTTP's Basic ones), below it that of
 * `instance`, with a header `Name: value`, such as an authorization. `netrc` is the text of a `.netrc`. `origin` tells who named the URL, for messages. Throws `UsageError`
 * `remote-cache-invalid`, without credentials in it.
 */
export function serverLocation(
  text: string,
  origin: string,
  { instance, header, netrc = "" }: LocationDetails = {},
): ServerLocation {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.search !== "" || url.hash !== "")
    throw new UsageError(`${origin} is not the http or https URL of a remote cache`, {
      code: "remote-cache-invalid",
      hint: "write it as https://cache.example.com/razor-mk, without query or fragment",
    });
  if (instance !== undefined && !instancePattern.test(instance))
    throw new UsageError(`the instance "${instance}" of the remote cache is not a path segment`, {
      code: "remote-cache-invalid",
      hint: "use letters, digits, dots, underscores and hyphens",
    });
  const [, name, value] = /^([A-Za-z0-9-]+): *(\S.*)$/.exec(header?.trim() ?? "") ?? [];
  if (header !== undefined && (name === undefined || value === undefined))
    throw new UsageError("the header of the remote cache has another form than `Name: value`", {
      code: "remote-cache-invalid",
      hint: "write it as Authorization: Bearer TOKEN",
    });
  const credentials =
    url.username === ""
      ? credentialsFor(url.hostname, netrc)
      : { user: decoded(url.username), password: decoded(url.password) };
  const base = url.pathname.replace(/\/+$/, "") + (instance === undefined ? "" : `/${instance}`);
  return {
    origin: url.origin,
    path: base,
    headers: {
      "user-agent": "razor-mk",
      ...(credentials === undefined ? {} : { authorization: basic(credentials) }),
      ...(name === undefined || value === undefined ? {} : { [name.toLowerCase()]: value }),
    },
    shown: `${url.origin}${base}`,
  };
}

/** HTTP's Basic authentication (RFC 7617). */
function basic({ user, password }: Credentials): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
}

/** Percent-encoding undone, where it is one. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
