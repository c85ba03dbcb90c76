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
  /** How it is installed. */
  readonly hint: string | undefined;
}

interface Entry {
  readonly for: string;
  /** Absolute paths, one of which is there when the tool is: for what is no program, or of no use without its files. */
  readonly files?: readonly string[];
  /** What makes it print its version; `--version` unless said, and nothing when empty. */
  readonly version?: readonly string[];
}

/** A tool that does not answer within this many milliseconds has no version to tell. */
const patienceMs = 10_000;

/** Names of all tools in the table. */
export const knownTools: readonly string[] = Object.keys(tools);

export async function reportTool(tool: string): Promise<ToolReport> {
  const entry = (tools as Readonly<Record<string, Entry>>)[tool];
  const found =
    entry?.files === undefined ? searchTool(tool).file : entry.files.find((file) => existsSync(file));
  return {
    tool,
    purpose: entry?.for,
    path: found,
    version:
      found === undefined || entry?.files !== undefined
        ? undefined
        : await askVersion(found, entry?.version ?? ["--version"]),
    hint: installAdvice(tool),
  };
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
