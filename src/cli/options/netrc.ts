/**
 * Credentials of a host in `.netrc`, as curl reads it. Source: curl's documentation, "The .netrc file format": tokens separated by
 * blanks, in double quotes with backslash escapes where they contain blanks; `macdef` up to an empty line; lines that begin with #.
 */

export interface Credentials {
  readonly user: string;
  readonly password: string;
}

const escapes: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t" };

/**
 * The first credentials for the host; undefined where there are none. The entry `default` is not used: it would send somebody's
 * password to whatever server a Taskfile names.
 */
export function credentialsFor(host: string, netrc: string): Credentials | undefined {
  const text = netrc.replace(/^[ \t]*#.*$/gm, "").replace(/^[ \t]*macdef .*\n(.+\n?)*/gm, "");
  const tokens = [...text.matchAll(/"((?:[^"\\]|\\.)*)"|\S+/g)].map(([token, quoted]) =>
    quoted === undefined
      ? token
      : quoted.replace(/\\(.)/g, (_, character) => escapes[character] ?? character),
  );
  let isMeant = false;
  let user: string | undefined;
  let password: string | undefined;
  for (let index = 0; index < tokens.length; index += 1) {
    const token = tokens[index];
    const begins = token === "machine" || token === "default";
    if (begins && isMeant) break;
    if (token === "machine") isMeant = tokens[++index]?.toLowerCase() === host.toLowerCase();
    else if (token === "login" && isMeant) user = tokens[++index];
    else if (token === "password" && isMeant) password = tokens[++index];
    else if (token === "login" || token === "password" || token === "account") index += 1;
  }
  return user === undefined && password === undefined
    ? undefined
    : { user: user ?? "", password: password ?? "" };
}
