/** What somebody who can write the cache, and nothing else, can put into it. */
import { createHash } from "node:crypto";
import { appendFileSync, mkdirSync, writeFileSync } from "node:fs";
import { crc32 } from "node:zlib";
import { type AbsolutePath, State } from "../../src/engine/index.ts";
import { v1 } from "./state-rig.ts";

export const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

/** Appends a record as the engine does. */
export function record(root: string, log: string, key: string, value: string): void {
  const body = Buffer.from(`${key}\t${value}`);
  const sum = crc32(body).toString(16).padStart(8, "0");
  appendFileSync(v1(root, log), Buffer.concat([Buffer.from(`${sum} `), body, Buffer.from("\n")]));
}

export interface StampText {
  outputs: string;
  parts: [string, string][];
  [key: string]: unknown;
}

/** The stamps that a build left, by the name of their task. */
export function stamps(root: string): ReadonlyMap<string, StampText & { fingerprint: string }> {
  const found = [...new State(root as AbsolutePath).stamps.results()].map(({ stamp }) => stamp);
  return new Map(
    found.map((stamp) => [
      new Map(stamp.parts).get("task") ?? "",
      JSON.parse(JSON.stringify(stamp)) as StampText & { fingerprint: string },
    ]),
  );
}

/** Puts a blob into the store. */
export function blob(root: string, text: string, suffix = ""): string {
  const digest = sha256(text);
  mkdirSync(v1(root, "store", digest.slice(0, 2)), { recursive: true });
  writeFileSync(v1(root, "store", digest.slice(0, 2), digest.slice(2) + suffix), text, { flag: "w" });
  return digest;
}
