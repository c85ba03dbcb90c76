/** A package.json, as far as a new project needs it. */
import { readFileSync } from "node:fs";
import path from "node:path";

interface Manifest {
  readonly name?: string;
  readonly type?: string;
  readonly bin?: Readonly<Record<string, string>>;
  readonly engines?: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

/** That of a directory; undefined where there is none, or where it is no JSON object. */
export function readManifest(directory: string): Manifest | undefined {
  return readObject(path.join(directory, "package.json"));
}

/** The object in a JSON file; undefined where the file is missing or holds something else. */
export function readObject(file: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(readFileSync(file, "utf8"));
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** As npm writes it. */
export function jsonText(value: object): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
