/** What every fetch step declares to use a source. */
import { file, when } from "../../src/engine/index.ts";
import { proxyVariables } from "../settings/proxy-variables.ts";
import { madeKinds } from "./kinds/index.ts";
import {
  downloads,
  downloadsPerServer,
  frozen,
  indexLimit,
  leastRate,
  mirrorUri,
  offline,
  source,
  sourcesFile,
} from "./source-options.ts";

export const sourceParams = {
  source,
  mirrorUri,
  frozen,
  offline,
  downloads,
  downloadsPerServer,
  leastRate,
  indexLimit,
} as const;
export const sourceInputs = { sources: file(sourcesFile, { byLine: true }) } as const;
/** Steps that make a mirror, each needed when its kind of source is asked for. */
export const sourceNeeds = Object.fromEntries(
  madeKinds.map(({ name, needs }) => [name, when(source, name, needs)]),
);
export const sourceEnv: readonly string[] = proxyVariables;
