/**
 * The source of a build: where its mirror, gem server and extras are, what is pinned, and how things are fetched from
 * it. The fetch steps share this; none of them knows which source it is.
 */

import { readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { constants, copyFile } from "node:fs/promises";
import path from "node:path";
import { type BlobAccess, file, type Progress } from "../src/engine/index.ts";
import { systemErrorCode, UserError } from "../src/errors/index.ts";
import {
  type Artefact,
  type Catalogue,
  defineMirror,
  type FetchEvent,
  fetchArtefacts,
  formatLock,
  type LockLine,
  linesOf,
  type Mirror,
  openCatalogue,
  type Policy,
  parseLock,
  type SourceLock,
  serveDirectory,
  Transport,
  withLines,
} from "../src/fetch/index.ts";
import { frozen, lockFile, mirrorUri, offline, proxyVariables, source } from "./options.ts";

/** Release and architecture of the sample source. */
const sampleMirror = { release: "14.x", arch: "x86_64" } as const;

/** What every fetch step declares. */
export const sourceParams = { source, mirrorUri, frozen, offline } as const;
export const sourceInputs = { sources: file("lists/sources.yaml") } as const;
export const sourceEnv: readonly string[] = proxyVariables;

/** The lines of the lock that a step is about: another step's pins do not make it run again. */
export function lockInput(concerns: (artefact: string) => boolean) {
  return file(lockFile, {
    optional: true,
    revised: true,
    select: (text, value) => {
      // The sample source's pins are a record that no step reads: another variant's do not make this one run again.
      if (value(source) === "sample") return "";
      const lines = [...linesOf(parseLock(text, value(lockFile)), value(source))];
      return JSON.stringify(lines.filter(([name]) => concerns(name)));
    },
  });
}

/** What a fetch step hands over of its own context. */
export interface SourceContext {
  readonly needs: { readonly sample: { readonly mirror: string } | undefined };
  readonly inputs: { readonly sources: string; readonly lock: string };
  readonly params: {
    readonly source: string;
    readonly mirrorUri: string | undefined;
    readonly frozen: boolean;
    readonly offline: boolean;
  };
  readonly env: Readonly<Record<string, string>>;
  readonly scratch: string;
  readonly blobs: BlobAccess;
  readonly signal: AbortSignal;
  readonly progress: (progress: Progress) => void;
  readonly note: (message: string) => void;
}

interface SourceRequest extends Omit<SourceContext, "needs" | "inputs" | "params"> {
  readonly name: string;
  /** Absolute path of `lists/sources.yaml`. */
  readonly sourcesFile: string;
  readonly lockFile: string;
  readonly mirrorUri: string | undefined;
  readonly frozen: boolean;
  readonly offline: boolean;
  /** Absolute path of the sample source's mirror, where that is the source. */
  readonly sampleMirror: string | undefined;
}

/** Locations of one source; extras are undefined where it has none. */
interface SourceLocations {
  readonly mirror: Mirror;
  readonly gems: string;
  readonly extras: Readonly<Record<ExtraName, string | undefined>>;
}

export type ExtraName = "rubygems" | "mcollective" | "open-vm-tools";

export interface Source extends SourceLocations {
  readonly lock: SourceLock;
  readonly policy: Policy;
  readonly transport: Transport;
  readonly catalogue: Catalogue;
  /** Brings artefacts into the store, pins what was not pinned, and returns each one's lock line. */
  fetch(plan: readonly Artefact[]): Promise<ReadonlyMap<string, LockLine>>;
  /** Copies the bytes that a lock line names to a path that does not exist; nothing for an absent file. */
  place(line: LockLine | undefined, target: string): Promise<void>;
}

/** Opens the source, calls `use` with it and closes it whatever happens. */
export async function withSource<T>(context: SourceContext, use: (source: Source) => Promise<T>): Promise<T> {
  const request: SourceRequest = {
    ...context,
    ...context.params,
    name: context.params.source,
    sourcesFile: context.inputs.sources,
    lockFile: context.inputs.lock,
    sampleMirror: context.needs.sample?.mirror,
  };
  const isSample = request.sampleMirror !== undefined;
  const server =
    request.sampleMirror === undefined || request.offline
      ? undefined
      : await serveDirectory(request.sampleMirror);
  const transport = new Transport({
    // The sample source is on this machine: a proxy could not reach it.
    env: isSample ? {} : request.env,
    offline: request.offline,
    signal: request.signal,
    onEvent: (event) => report(event, request),
  });
  try {
    const { sampleMirror: folder } = request;
    const locations =
      folder === undefined ? await readLocations(request) : sampleLocations(server?.url ?? folder, folder);
    return await use(openSource(request, locations, transport));
  } finally {
    await transport.close();
    await server?.close();
  }
}

function openSource(request: SourceRequest, locations: SourceLocations, transport: Transport): Source {
  // The sample source moves with the distribution: its pins are a record, never a demand.
  const isSample = request.sampleMirror !== undefined;
  const lock: SourceLock = isSample ? new Map() : linesOf(loadLock(request.lockFile), request.name);
  const policy: Policy = request.offline ? "offline" : request.frozen && !isSample ? "frozen" : "pin";
  return {
    ...locations,
    lock,
    policy,
    transport,
    catalogue: openCatalogue(locations.mirror, transport),
    fetch: async (plan) => {
      const pinned = new Map<string, LockLine>();
      try {
        const { lines } = await fetchArtefacts(plan, {
          lock,
          store: storeOf(request.blobs),
          staging: path.join(request.scratch, "downloads"),
          transport,
          policy,
          signal: request.signal,
          onPin: (name, line) => pinned.set(name, line),
        });
        return lines;
      } finally {
        // What arrived whole stays pinned, also when another download failed.
        if (pinned.size > 0) pin(request, pinned);
      }
    },
    place: async (line, target) => {
      if (line === undefined || "absent" in line) return;
      await copyFile(
        request.blobs.pathOf(line.sha256),
        target,
        constants.COPYFILE_FICLONE | constants.COPYFILE_EXCL,
      );
    },
  };
}

function storeOf(blobs: BlobAccess) {
  return {
    has: async (sha256: string) => blobs.has(sha256),
    pathOf: (sha256: string) => blobs.pathOf(sha256),
    adopt: (from: string, sha256: string) => blobs.adopt(from, sha256),
  };
}

function loadLock(lockPath: string) {
  try {
    return parseLock(readFileSync(lockPath, "utf8"), lockPath);
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return new Map();
    throw error;
  }
}

/** Synchronous from reading to renaming, so that no other step's pins come between. */
function pin(request: SourceRequest, lines: ReadonlyMap<string, LockLine>): void {
  const lock = withLines(loadLock(request.lockFile), request.name, lines);
  const part = `${request.lockFile}.${process.pid}.tmp`;
  writeFileSync(part, formatLock(lock));
  renameSync(part, request.lockFile);
}

/** `base` is where the mirror is served, `folder` where it lies: a name with a version is found by looking. */
function sampleLocations(base: string, folder: string): SourceLocations {
  const offered = readdirSync(path.join(folder, "extras"));
  const extra = (start: string): string | undefined => {
    const name = offered.find((candidate) => candidate.startsWith(start));
    return name === undefined ? undefined : `${base}/extras/${name}`;
  };
  return {
    mirror: defineMirror(base, sampleMirror.release, sampleMirror.arch),
    gems: `${base}/gems`,
    extras: {
      rubygems: extra("rubygems-"),
      mcollective: extra("mcollective-"),
      "open-vm-tools": extra("mk-open-vm-tools"),
    },
  };
}

/** Reads `lists/sources.yaml`; a source that it does not name is a mirror's URL or folder with the default's rest. */
async function readLocations(request: SourceRequest): Promise<SourceLocations> {
  const { parse } = await import("yaml");
  const where = path.relative(process.cwd(), request.sourcesFile);
  const fail = (message: string, hint: string): UserError =>
    new UserError(message, { code: "source-definition", where, hint });
  let sources: unknown;
  try {
    sources = parse(readFileSync(request.sourcesFile, "utf8"));
  } catch (cause) {
    throw new UserError(`the sources file is not YAML: ${cause instanceof Error ? cause.message : cause}`, {
      code: "source-definition",
      where,
      cause,
    });
  }
  const known = isRecord(sources) ? sources : {};
  const isLocation = /^[a-z]+:\/\//.test(request.name) || request.name.includes("/");
  const definition = known[isLocation ? "tinycore" : request.name];
  if (!isRecord(definition)) {
    const names = [...Object.keys(known), "sample"].join(", ");
    throw fail(
      `there is no source "${request.name}"`,
      `known sources: ${names}; or name a mirror's URL or folder`,
    );
  }
  const text = (key: string): string => {
    const value = definition[key];
    if (typeof value === "string" && value !== "") return value;
    throw fail(
      `the source "${request.name}" has no "${key}"`,
      "add it: a source is mirror, release, arch, gems and extras",
    );
  };
  const extra = (key: ExtraName): string | undefined => {
    const value = definition[key];
    return typeof value === "string" && value !== "none" ? value : undefined;
  };
  const base = request.mirrorUri ?? (isLocation ? request.name : text("mirror"));
  return {
    mirror: defineMirror(absoluteLocation(base), text("release"), text("arch")),
    gems: text("gems"),
    extras: {
      rubygems: extra("rubygems"),
      mcollective: extra("mcollective"),
      "open-vm-tools": extra("open-vm-tools"),
    },
  };
}

/** A URL as it is; a folder's path, which may be relative to where the command was given, made absolute. */
function absoluteLocation(text: string): string {
  return /^[a-z][a-z0-9+.-]*:/i.test(text) ? text : path.resolve(text);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function report(event: FetchEvent, { progress, note }: SourceRequest): void {
  switch (event.type) {
    case "download-progress":
      progress({
        item: event.name,
        done: event.bytes,
        unit: "bytes",
        ...(event.total === undefined ? {} : { total: event.total }),
      });
      break;
    case "download-done":
      if (event.status === "fetched")
        progress({ item: event.name, done: event.bytes, total: event.bytes, unit: "bytes" });
      break;
    case "download-retry":
      note(`${event.name}: ${event.reason}; trying again (${event.attempt + 1} of ${event.attempts})`);
      break;
    case "warning":
      note(event.where === undefined ? event.message : `${event.where}: ${event.message}`);
      break;
    case "download-start":
    case "download-failed":
      break;
  }
}
