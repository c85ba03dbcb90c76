/**
 * Putting a completion script where a shell finds it: a file of our own, and one line in the shell's start file where
 * the shell looks for none by itself. Nothing that is somebody else's is changed.
 */
import { appendFileSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import path from "node:path";
import { shellWord, systemErrorCode, systemReason, UserError } from "../../errors/index.ts";

export const shells = ["bash", "zsh", "fish"] as const;
export type Shell = (typeof shells)[number];

export function isShell(name: string): name is Shell {
  return shells.some((shell) => shell === name);
}

/** How each script begins: a file that begins otherwise is not ours. */
const mark = "# razor-mk: completion for ";

interface Place {
  /** Absolute path of the script. */
  readonly script: string;
  /** Absolute path of the start file that has to read it; fish finds it by itself. */
  readonly startFile?: string;
}

/**
 * Installs the script for the user whose environment this is; again is the same as once. Returns lines that say what
 * was done. Throws `UserError` when something else is in its place, or a file cannot be written.
 */
export function installCompletion(shell: Shell, script: string, env: NodeJS.ProcessEnv): readonly string[] {
  const place = placeOf(shell, env);
  const present = readIfThere(place.script);
  if (present !== undefined && !present.startsWith(mark)) {
    throw new UserError("a file that another program wrote is in the way; it was not changed", {
      code: "completion-taken",
      where: place.script,
      hint: `move it away, or save the output of \`task completion ${shell}\` elsewhere`,
    });
  }
  if (present !== script) write(place.script, script);
  const lines = [present === script ? `${place.script} is already up to date` : `wrote ${place.script}`];
  if (place.startFile !== undefined) lines.push(addToStartFile(place.startFile, place.script));
  return [...lines, `completion works in every new ${shell}`];
}

function placeOf(shell: Shell, env: NodeJS.ProcessEnv): Place {
  const home = env.HOME;
  if (home === undefined || !path.isAbsolute(home)) {
    throw new UserError("HOME does not name a directory to install to", {
      code: "completion-home",
      hint: `set it, or save the output of \`task completion ${shell}\` elsewhere`,
    });
  }
  const data = path.join(env.XDG_DATA_HOME || path.join(home, ".local/share"), "razor-mk");
  switch (shell) {
    case "bash":
      return { script: path.join(data, "completion.bash"), startFile: path.join(home, ".bashrc") };
    case "zsh":
      return {
        script: path.join(data, "completion.zsh"),
        startFile: path.join(env.ZDOTDIR || home, ".zshrc"),
      };
    case "fish":
      return {
        script: path.join(env.XDG_CONFIG_HOME || path.join(home, ".config"), "fish/conf.d/razor-mk.fish"),
      };
  }
}

function addToStartFile(startFile: string, script: string): string {
  const quoted = shellWord(script);
  const line = `[ -r ${quoted} ] && . ${quoted}`;
  const present = readIfThere(startFile) ?? "";
  if (present.split("\n").includes(line)) return `${startFile} already loads it`;
  const gap = present === "" || present.endsWith("\n") ? "" : "\n";
  attempt(startFile, () => {
    mkdirSync(path.dirname(startFile), { recursive: true });
    // Appended, never rewritten: what else is in it, and a link that it may be, stay as they are.
    appendFileSync(startFile, `${gap}${line}\n`);
  });
  return `added a line to ${startFile}: ${line}`;
}

function write(file: string, text: string): void {
  attempt(file, () => {
    mkdirSync(path.dirname(file), { recursive: true });
    const beside = `${file}.${process.pid}.tmp`;
    writeFileSync(beside, text);
    renameSync(beside, file);
  });
}

function attempt(file: string, work: () => void): void {
  try {
    work();
  } catch (error) {
    throw new UserError(`the file cannot be written: ${systemReason(error)}`, {
      code: "completion-unwritable",
      where: file,
      hint: "make the directory writable for your user; nothing else was changed",
      cause: error,
    });
  }
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return undefined;
    throw new UserError(`the file cannot be read: ${systemReason(error)}`, {
      code: "completion-unreadable",
      where: file,
      hint: "make it readable for your user",
      cause: error,
    });
  }
}
