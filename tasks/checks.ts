/**
 * What `task doctor` looks at beside the machine: whether the source's mirror and the proxies answer. Policy of a build
 * is not here.
 */
import { connect } from "node:net";
import path from "node:path";
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
import { proxyVariables } from "./settings/proxy-variables.ts";
import { kindOf, sourceChoices, withoutMirror } from "./source/kinds/index.ts";
import { readPins } from "./source/source-lock.ts";
import { lockFile, mirrorUri, offline, source, sourcesFile } from "./source/source-options.ts";

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
