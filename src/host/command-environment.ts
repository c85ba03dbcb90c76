/** The fixed environment of the commands that tasks run. */
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { shellWord } from "../errors/index.ts";
import { fileIn, searchTool } from "./tool-path.ts";

/** The system's program directories, independent of the caller. */
const systemPath = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];

/**
 * The environment of a task's commands, in which nothing is the caller's: `home` (absolute) is made, and is their home and
 * the directory of their temporary files. PATH has the system's directories; where the caller's PATH has one of the `tools`
 * elsewhere, a wrapper before these runs that one, so that no other program comes along with it.
 */
export function commandEnvironment(
  home: string,
  tools: readonly string[],
  extra: Readonly<Record<string, string>> = {},
): Record<string, string> {
  if (!existsSync(home)) mkdirSync(home, { recursive: true, mode: 0o755 });
  const wrappers = path.join(home, ".tools");
  let wrapped = false;
  for (const tool of tools) {
    const { file } = searchTool(tool);
    if (file === undefined || file === fileIn(systemPath, tool)) continue;
    if (!wrapped) mkdirSync(wrappers, { recursive: true });
    wrapped = true;
    // No link: some programs look for their files beside the name that they were called by.
    writeFileSync(path.join(wrappers, tool), `#!/bin/sh\nexec ${shellWord(file)} "$@"\n`, {
      mode: 0o755,
    });
  }
  const PATH = [...(wrapped ? [wrappers] : []), ...systemPath].join(":");
  const user = { USER: "builder", LOGNAME: "builder" };
  return { PATH, HOME: home, TMPDIR: home, ...user, LC_ALL: "C", LANG: "C", TZ: "UTC", ...extra };
}
