/**
 * Debian packages: their files and their control data, through dpkg-deb or else ar and tar.
 * It knows nothing of repositories or of installing.
 *
 * Format: deb(5): an ar archive of `debian-binary`, `control.tar[.*]`, `data.tar[.*]`.
 */
import { mkdir, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { UserError } from "../errors/index.ts";
import type { Shell } from "../host/index.ts";
import { printName } from "./names.ts";
import { withTool } from "./tool-failure.ts";

export interface DebControl {
  /** Fields of the control file by name, e.g. `Package`, `Depends`; continuation lines joined with "\n". */
  readonly fields: ReadonlyMap<string, string>;
  /** Maintainer scripts that are present: `preinst`, `postinst`, `prerm`, `postrm`. */
  readonly scripts: ReadonlyMap<string, string>;
}

const scriptNames = ["preinst", "postinst", "prerm", "postrm"] as const;

/**
 * Unpacks a package's files into `dir` (both absolute; `dir` is made when missing); nothing of it is run.
 * @throws UserError `tool-failed`, `tool-missing`, `bad-deb`
 */
export async function unpackDeb($: Shell, deb: string, dir: string): Promise<void> {
  await mkdir(dir, { recursive: true });
  if (await hasDpkgDeb($)) {
    await withTool(unpacking("dpkg-deb", deb), () => $`dpkg-deb --extract ${deb} ${dir}`);
  } else await unpackMember($, deb, "data", dir);
}

/**
 * A package's control file and maintainer scripts (text, UTF-8). Scratch files lie beside the package while it is read.
 * @throws UserError as `unpackDeb`
 */
export async function readDebControl($: Shell, deb: string): Promise<DebControl> {
  const scratch = await mkdtemp(`${deb}.control-`);
  try {
    if (await hasDpkgDeb($)) {
      await withTool(unpacking("dpkg-deb", deb), () => $`dpkg-deb --control ${deb} ${scratch}`);
    } else await unpackMember($, deb, "control", scratch);
    const present = new Set(await readdir(scratch));
    const fields = parseFields(await readFile(`${scratch}/control`, "utf8"));
    const scripts = new Map<string, string>();
    for (const name of scriptNames) {
      if (present.has(name)) scripts.set(name, await readFile(`${scratch}/${name}`, "utf8"));
    }
    return { fields, scripts };
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

function unpacking(tool: string, deb: string) {
  return {
    tool,
    what: "unpack the Debian package",
    where: deb,
    hint: "check that it was downloaded whole",
  };
}

async function hasDpkgDeb($: Shell): Promise<boolean> {
  return (await $({ nothrow: true })`command -v dpkg-deb`).exitCode === 0;
}

async function unpackMember($: Shell, deb: string, stem: "data" | "control", dir: string): Promise<void> {
  const listed = await withTool(unpacking("ar", deb), () => $`ar t ${deb}`);
  // Some archivers write the names with a slash at the end.
  const members = listed.stdout.split("\n").map((name) => name.replace(/\/$/, ""));
  const member = members.find((name) => name === `${stem}.tar` || name.startsWith(`${stem}.tar.`));
  if (member === undefined) {
    throw new UserError(`the Debian package has no ${stem}.tar`, {
      code: "bad-deb",
      where: printName(deb),
      hint: "check that it was downloaded whole",
    });
  }
  const scratch = await mkdtemp(`${deb}.ar-`);
  try {
    await withTool(unpacking("ar", deb), () => $({ cwd: scratch })`ar x ${deb} ${member}`);
    // -p: the modes of the package, not of the umask; owners stay the caller's as far as they can.
    await withTool(unpacking("tar", deb), () => {
      return $`tar --extract -p --no-same-owner --file ${`${scratch}/${member}`} --directory ${dir}`;
    });
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** RFC 822-like paragraphs: deb-control(5). */
function parseFields(text: string): ReadonlyMap<string, string> {
  const fields = new Map<string, string>();
  let current: string | undefined;
  for (const line of text.split("\n")) {
    const [, name, value] = /^([^\s:]+):[ \t]*(.*)$/.exec(line) ?? [];
    if (name !== undefined) {
      current = name;
      fields.set(name, (value ?? "").trim());
    } else if (current !== undefined && /^[ \t]/.test(line)) {
      fields.set(current, `${fields.get(current) ?? ""}\n${line.trim()}`);
    }
  }
  return fields;
}
