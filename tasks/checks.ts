/**
 * What `task doctor` looks at beside the machine: whether the source's mirror and the proxies answer, and what unpacks the Core ISO's
 * initrd. Policy of a build is not here.
 */
import { existsSync } from "node:fs";
import { connect } from "node:net";
import path from "node:path";
import { fileURLToPath } from "node:url";
import type { Check, CheckContext, Finding } from "../src/engine/index.ts";
import { messageOf } from "../src/errors/index.ts";
import {
  coreFiles,
  entryOf,
  publicUrl,
  releaseLocation,
  type SourceLock,
  Transport,
} from "../src/fetch/index.ts";
import { reportTool } from "../src/host/index.ts";
import { initrdPackers } from "./image/core-iso.ts";
import { proxyVariables } from "./settings/proxy-variables.ts";
import { kindOf, sourceChoices, withoutMirror } from "./source/kinds/index.ts";
import { absoluteLocation } from "./source/kinds/source-name.ts";
import { readPins } from "./source/source-lock.ts";
import { isoUrl, lockFile, mirrorUri, offline, source, sourcesFile } from "./source/source-options.ts";

/** Milliseconds that a server may take for a first answer. */
const patienceMs = 5000;

/** Asks the mirror for the checksum of the Core ISO: a small file that every one has. */
export const mirrorAnswers: Check = {
  name: "mirror",
  concerns: source,
  run: async ({ value, workspace, env, isStored, signal }): Promise<Finding> => {
    const name = await value(source);
    const { withoutUpstream, open } = kindOf(name);
    if (withoutUpstream !== undefined) return { status: "good", text: withoutUpstream.doctor };
    const cached = async (why: string): Promise<Finding> => {
      const pins = readPins(path.resolve(workspace, await value(lockFile)), name);
      return cachedFinding(why, pins, isStored);
    };
    if (await value(offline)) return cached("not checked: --offline is given");
    const { locations, close } = await open({
      name,
      made: undefined,
      sourcesFile: path.join(workspace, sourcesFile),
      mirrorUri: await value(mirrorUri),
      offline: false,
      choices: sourceChoices,
    });
    const { mirror } = locations;
    const url = releaseLocation(mirror, `${coreFiles(mirror.arch).iso}.md5.txt`);
    const limits = { attempts: 1, connectMs: patienceMs, idleMs: patienceMs };
    const transport = new Transport({ env, signal, limits });
    try {
      await transport.read({ name: "the mirror", url, kind: "any" });
      return { status: "good", text: `${publicUrl(mirror.base)} answers` };
    } catch (error) {
      return cached(`the mirror does not answer: ${messageOf(error)}`);
    } finally {
      await transport.close();
      await close();
    }
  },
};

/** What a build can do without the mirror: all, where the cache has every pinned file. */
function cachedFinding(why: string, pins: SourceLock, isStored: CheckContext["isStored"]): Finding {
  const digests = [...pins.keys()].flatMap((artifact) => entryOf(pins, artifact)?.sha256 ?? []);
  const lacking = digests.filter((sha256) => !isStored(sha256)).length;
  const hint = `name another with --source or --tcl-mirror-uri; ${withoutMirror} needs none`;
  if (digests.length === 0) return { status: "missing", text: `${why}; nothing of it is pinned yet`, hint };
  if (lacking === 0) return { status: "advice", text: `${why}; what is pinned is all in the cache`, hint };
  const text = `${why}; ${lacking} of ${digests.length} pinned files are not in the cache`;
  return { status: "missing", text, hint };
}

/** Looks for the programs that the Core ISO's initrd needs, if the ISO is here: a file that `--tcl-iso-url` names, or a pinned one. */
export const initrdUnpacks: Check = {
  name: "initrd",
  concerns: isoUrl,
  run: async (context): Promise<Finding> => {
    const isos = await coreIsosHere(context);
    if (isos.size === 0) {
      const text = "the Core ISO is not here yet; a few need xz or zstd";
      return { status: "good", text };
    }
    const needs = new Map<string, string>();
    for (const [name, iso] of isos) for (const tool of await initrdPackers(iso, name)) needs.set(tool, name);
    const reports = await Promise.all([...needs.keys()].map(reportTool));
    const missing = reports.find(({ path }) => path === undefined);
    if (missing !== undefined) {
      const text = `${needs.get(missing.tool)} has an initrd that ${missing.tool} unpacks, which is not installed`;
      return { status: "missing", text, ...(missing.hint === undefined ? {} : { hint: missing.hint }) };
    }
    const by = reports.map(({ tool }) => tool).join(" and ");
    return {
      status: "good",
      text: `${[...isos.keys()].join(", ")}: ${by === "" ? "no other program" : by} unpacks it`,
    };
  },
};

/** Absolute paths of the Core ISOs that a build would use, by their names, as far as they are on this machine. */
async function coreIsosHere({
  value,
  workspace,
  storedFile,
}: CheckContext): Promise<ReadonlyMap<string, string>> {
  const given = await value(isoUrl);
  const location = given === undefined ? undefined : absoluteLocation(given, workspace);
  const local = location?.startsWith("file:") ? fileURLToPath(location) : location;
  if (local !== undefined && path.isAbsolute(local))
    return new Map(existsSync(local) ? [[path.basename(local), local]] : []);
  const pins = readPins(path.resolve(workspace, await value(lockFile)), await value(source));
  const found = new Map<string, string>();
  for (const name of pins.keys()) {
    if (!name.endsWith(".iso") || (location !== undefined && name !== path.posix.basename(location)))
      continue;
    const file = storedFile(entryOf(pins, name)?.sha256 ?? "");
    if (file !== undefined) found.set(name, file);
  }
  return found;
}

/** Connects to each proxy that the environment names. */
export const proxiesAnswer: Check = {
  name: "proxy",
  run: async ({ env }): Promise<Finding> => {
    const named = proxyVariables.filter((name) => !/^no_/i.test(name) && (env[name] ?? "") !== "");
    if (named.length === 0) return { status: "good", text: "none is set" };
    const failures: string[] = [];
    for (const name of named) {
      const failure = await failureOf(env[name] ?? "");
      if (failure !== undefined) failures.push(`${name}: ${failure}`);
    }
    if (failures.length === 0) return { status: "good", text: `${named.join(", ")}: accepts connections` };
    const hint = "correct or unset the variable; no_proxy lists hosts to reach without a proxy";
    return { status: "missing", text: failures.join("; "), hint };
  },
};

async function failureOf(proxy: string): Promise<string | undefined> {
  const text = /^[a-z][a-z0-9+.-]*:\/\//i.test(proxy) ? proxy : `http://${proxy}`;
  if (!URL.canParse(text)) return "not a URL";
  const { hostname, port, protocol } = new URL(text);
  const defaultPort = protocol === "https:" ? 443 : 80;
  return new Promise((resolve) => {
    const host = hostname.replace(/^\[|\]$/g, "");
    const socket = connect({ host, port: Number(port || defaultPort) });
    const end = (failure: string | undefined): void => {
      socket.destroy();
      resolve(failure);
    };
    socket.setTimeout(patienceMs, () => end(`${publicUrl(text)} does not answer`));
    socket.once("connect", () => end(undefined));
    socket.once("error", (error) => end(`${publicUrl(text)} cannot be reached: ${error.message}`));
  });
}
