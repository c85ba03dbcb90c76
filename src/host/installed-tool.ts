/**
 * Which of the known tools are installed, and in which version. It knows them from tools.json and installs none.
 */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { installAdvice } from "./install-hint.ts";
import { toolEnvironment } from "./tool-environment.ts";
import { searchTool } from "./tool-path.ts";
import tools from "./tools.json" with { type: "json" };

export interface ToolReport {
  readonly tool: string;
  /** To be read after "for"; undefined for a tool that is not in the table. */
  readonly purpose: string | undefined;
  /** Absolute path; undefined when it is not installed. */
  readonly path: string | undefined;
  /** As the tool tells it; undefined when it tells none. */
  readonly version: string | undefined;
  /**
   * The first version that has what is asked of it, where `version` is an older one: squashfs-tools have -root-uid from 4.5
   * and unsquashfs -quiet from 4.4 (CHANGES), xorriso all_file_dates from 1.4.6 (ChangeLog), git rev-parse --path-format
   * from 2.31 (release notes).
   */
  readonly tooOldFor: string | undefined;
  /** How it is installed. */
  readonly hint: string | undefined;
}

interface Entry {
  readonly for: string;
  /** Names that distributions have for it; by default its own. */
  readonly names?: readonly string[];
  /** Absolute paths, one of which is there when the tool is: for what is no program, or of no use without its files. */
  readonly files?: readonly string[];
  /** The minimum version. */
  readonly least?: string;
  /** What makes it print its version; `--version` unless said, and nothing when empty. */
  readonly version?: readonly string[];
}

/** A tool that does not answer within this many milliseconds has no version to tell. */
const patienceMs = 10_000;

/** Names of all tools in the table. */
export const knownTools: readonly string[] = Object.keys(tools);

/** The name of a program in the tool table, which may differ from a distribution's name. */
export function tableName(tool: string): string {
  const entries: Readonly<Record<string, Entry>> = tools;
  return knownTools.find((name) => entries[name]?.names?.includes(tool)) ?? tool;
}

/** The table's tools that consist of files, such as boot code, of which at least one is read; paths are absolute. */
export function toolsOfFiles(isRead: (file: string) => boolean): readonly string[] {
  const entries: Readonly<Record<string, Entry>> = tools;
  return knownTools.filter((name) => entries[name]?.files?.some(isRead));
}

export async function reportTool(tool: string): Promise<ToolReport> {
  const entry = (tools as Readonly<Record<string, Entry>>)[tool];
  const found =
    entry?.files === undefined ? searchTool(tool).file : entry.files.find((file) => existsSync(file));
  const version =
    found === undefined || entry?.files !== undefined
      ? undefined
      : await askVersion(found, entry?.version ?? ["--version"]);
  const { least } = entry ?? {};
  const tooOldFor =
    version !== undefined && least !== undefined && isOlder(version, least) ? least : undefined;
  return { tool, purpose: entry?.for, path: found, version, tooOldFor, hint: installAdvice(tool) };
}

/** Whether a version is older than another, compared number by number: 4.10 is newer than 4.9. */
export function isOlder(version: string, than: string): boolean {
  const own = version.match(/\d+/g)?.map(Number) ?? [];
  for (const [index, number] of (than.match(/\d+/g) ?? []).map(Number).entries()) {
    const difference = (own[index] ?? 0) - number;
    if (difference !== 0) return difference < 0;
  }
  return false;
}

/** Some print their version on standard error, or with another status than 0. */
function askVersion(file: string, args: readonly string[]): Promise<string | undefined> {
  if (args.length === 0) return Promise.resolve(undefined);
  return new Promise((resolve) => {
    const options = { env: toolEnvironment(), timeout: patienceMs, maxBuffer: 1024 * 1024 };
    const child = execFile(file, args, options, (_error, stdout, stderr) => {
      resolve(/\d+(?:\.\d+)+[\w.+~-]*/.exec(`${stdout}\n${stderr}`)?.[0]);
    });
    child.stdin?.end();
  });
}
