/**
 * What the extensions of two lists need, and what those need: loaded from the lock and, for what it does not
 * know, from a catalogue. It does not order anything.
 */
import { didYouMean, UserError } from "../../errors/index.ts";
import type { SettingNames } from "../http/setting-names.ts";
import type { ListEntry } from "../pins/list.ts";
import type { SourceLock } from "../pins/lock.ts";
import { type Policy, pinnedEntry, policyFor, refuseUnpinned, type Wanted } from "../pins/pinning.ts";
import type { Catalogue } from "./catalogue.ts";
import { fillKernel, type Group, type Root, rootOf } from "./kernel-name.ts";
import { extensionLocation, type Mirror } from "./mirror.ts";

export interface ExtensionNode {
  readonly name: string;
  /** Direct dependencies as upstream writes them, and with the kernel's release filled in. */
  readonly deps: readonly string[];
  readonly needs: readonly string[];
  readonly md5: string | undefined;
  /** Which of the mirror's files says so; undefined when it is pinned. */
  readonly md5Source: string | undefined;
  readonly size: number | undefined;
  /** Whether the project makes it: there is nothing to fetch. */
  readonly isOwn: boolean;
  /** The first list line that leads here, and the way from there. */
  readonly where: string;
  readonly way: Way;
}

/** A name and the way to what needs it: links, because chains of dependencies may be long and share their tails. */
interface Way {
  readonly name: string;
  readonly from: Way | undefined;
}

export interface ExtensionGraph {
  readonly roots: readonly Root[];
  readonly nodes: ReadonlyMap<string, ExtensionNode>;
  /** False when something was left out because of the kernel. */
  readonly isWhole: boolean;
  /** The project's own extensions of which the mirror is known to have one, too, with where they are defined. */
  readonly replaced?: ReadonlyMap<string, string>;
}

/** An extension that the project makes itself: it takes the place of the mirror's. */
export interface OwnExtension {
  /** Direct dependencies, `-KERNEL` not filled in. */
  readonly deps: readonly string[];
  /** The file or directory that defines it, for messages. */
  readonly where: string;
  /** Name of the mirror's extension whose dependencies it has instead. */
  readonly like?: string;
}

export interface GraphInput {
  readonly builtin: readonly ListEntry[];
  readonly mirrored: readonly ListEntry[];
  /** The kernel's release: the directory name under `lib/modules` in the Core ISO's initrd. */
  readonly kernel: string | undefined;
  readonly mirror: Mirror;
  readonly lock: SourceLock;
  /** Asked only for what the lock does not know. */
  readonly catalogue: Catalogue;
  readonly policy: Policy;
  /** The project's own extensions, by file name with the kernel's release filled in. */
  readonly own?: ReadonlyMap<string, OwnExtension>;
  /** What the settings are called, for hints. */
  readonly settings?: SettingNames;
  /** False for the listed extensions alone, without what they depend on. */
  readonly follow?: boolean;
  /** True to leave out, here and below, whatever the kernel's release decides about; `kernel` is not looked at. */
  readonly anyKernel?: boolean;
  /** Told of what the policy forbids to ask for, instead of an error: to name it together with what else is missing. */
  readonly onUnpinned?: (wanted: Wanted) => void;
}

/**
 * Follows the dependencies of every entry. Throws a UserError for a name that the mirror does not have (naming
 * who wants it and what may have been meant), a list entry for another kernel, and, when the policy forbids to
 * ask, one for all that would have had to be asked.
 */
export async function loadExtensions(given: GraphInput): Promise<ExtensionGraph> {
  // A pinned extension may need one that the mirror no longer has: then its current dependencies are asked for.
  const asked = new Map<string, readonly string[]>();
  for (;;) {
    try {
      return await loadWith(given, asked);
    } catch (error) {
      if (!(error instanceof MissingExtensions)) throw error;
      const again = error.missing.filter((pending) => mayAskAgain(pending, { ...given, asked }));
      if (again.length === 0) throw await unknownExtensions(error.missing, given);
      for (const { where, way } of again) {
        const parent = way.from?.name ?? "";
        const now = await given.catalogue.find(parent, chain(where, way.from ?? way));
        asked.set(parent, now?.deps ?? pinnedExtension(given, parent)?.deps ?? []);
      }
    }
  }
}

type Asked = ReadonlyMap<string, readonly string[]>;

/** Whether the dependency comes from a pin, so that the mirror's current list may differ. */
function mayAskAgain(pending: Pending, input: GraphInput & { readonly asked: Asked }): boolean {
  const parent = pending.way.from?.name;
  return parent !== undefined && !input.asked.has(parent) && pinnedExtension(input, parent) !== undefined;
}

function pinnedExtension({ lock, mirror }: GraphInput, name: string) {
  const place = { name, url: extensionLocation(mirror, name), tail: extensionTail(mirror, name) };
  return pinnedEntry(lock, place);
}

/** Follows all dependencies: those in `asked` where the mirror was asked again, else those of the pins. */
async function loadWith(given: GraphInput, asked: Asked): Promise<ExtensionGraph> {
  const input = { ...given, policy: policyFor(given.mirror.base, given.policy), asked };
  let isWhole = true;
  const kept = (name: string): boolean => {
    const leftOut = input.anyKernel === true && /-(KERNEL|\d+(\.\d+)+-tinycore(64)?)\.(tcz|deb)$/.test(name);
    isWhole &&= !leftOut;
    return !leftOut;
  };
  const rootsOf = (entries: readonly ListEntry[], group: Group): readonly Root[] =>
    entries.filter(({ name }) => kept(name)).map((entry) => rootOf(entry, group, input.kernel));
  const roots = [...rootsOf(input.builtin, "builtin"), ...rootsOf(input.mirrored, "mirror")];
  const converted = new Set<string>();
  for (const root of roots) if (root.kind === "deb") converted.add(convertedName(root.name));
  refuseClashes(roots, converted);

  const nodes = new Map<string, ExtensionNode>();
  const unpinned: Wanted[] = [];
  const missing: Pending[] = [];
  const seen = new Set<string>(converted);
  // Wave by wave, so that a mirror without indexes is asked for many at once.
  let wave: Pending[] = [];
  const enqueue = (pending: Pending): void => {
    if (seen.has(pending.name)) return;
    seen.add(pending.name);
    wave.push(pending);
  };
  for (const { name, kind, where } of roots)
    if (kind === "tcz") enqueue({ name, where, way: { name, from: undefined } });
  while (wave.length > 0) {
    const current = wave;
    wave = [];
    const loaded = await Promise.all(current.map((pending) => loadNode(pending, input, kept)));
    for (const [index, node] of loaded.entries()) {
      const pending = current[index];
      if (pending !== undefined && node === "unpinned") unpinned.push(wantedOf(pending));
      if (pending !== undefined && node === "missing") missing.push(pending);
      if (typeof node === "string") continue;
      nodes.set(node.name, node);
      if (input.follow === false) continue;
      for (const name of node.needs) enqueue({ name, where: node.where, way: { name, from: node.way } });
    }
  }
  if (missing.length > 0) throw new MissingExtensions(missing);
  if (input.onUnpinned === undefined) refuseUnpinned(unpinned, input.policy, input.settings);
  else for (const wanted of unpinned) input.onUnpinned(wanted);
  return { roots, nodes, isWhole, replaced: await replacedExtensions(nodes, input) };
}

/** Nothing is asked for the answer: a mirror that all pins make superfluous may be gone. */
async function replacedExtensions(
  nodes: ReadonlyMap<string, ExtensionNode>,
  input: GraphInput,
): Promise<ReadonlyMap<string, string>> {
  const own = [...nodes.values()].filter(({ isOwn }) => isOwn).map(({ name }) => name);
  const wasAsked = own.length > 0 && [...nodes.values()].some(({ md5Source }) => md5Source !== undefined);
  const offered = new Set(wasAsked ? await input.catalogue.names() : []);
  return new Map(
    own
      .filter((name) => offered.has(name) || pinnedExtension(input, name) !== undefined)
      .map((name) => [name, input.own?.get(name)?.where ?? ""]),
  );
}

/** The extension that a package in a list becomes. */
export function convertedName(deb: string): string {
  return deb.replace(/\.deb$/, ".tcz");
}

/** `lists/builtin.lst:3`, followed by the names between it and what is wanted, the last ones when there are many. */
export function chain(where: string, way: Way): string {
  const names: string[] = [];
  let link = way.from;
  for (; link !== undefined && names.length < 6; link = link.from) names.unshift(link.name);
  return [where, ...(link === undefined ? [] : ["…"]), ...names].join(" → ");
}

interface Pending {
  readonly name: string;
  readonly where: string;
  readonly way: Way;
}

function wantedOf(pending: Pending): Wanted {
  return { name: pending.name, where: chain(pending.where, pending.way) };
}

function refuseClashes(roots: readonly Root[], converted: ReadonlySet<string>): void {
  for (const root of roots) {
    if (root.kind !== "tcz" || !converted.has(root.name)) continue;
    const deb = roots.find((other) => other.kind === "deb" && convertedName(other.name) === root.name);
    throw new UserError(
      `${root.name} is listed twice: ${deb?.name} (${deb?.where}) becomes ${root.name}, too`,
      {
        code: "duplicate-extension",
        where: root.where,
        hint: "remove one of the two lines",
      },
    );
  }
}

/** `unpinned` when the lock does not know it and the policy forbids to ask; `missing` when the mirror does not have it. */
async function loadNode(
  pending: Pending,
  input: GraphInput & { readonly asked: Asked },
  kept: (dependency: string) => boolean,
): Promise<ExtensionNode | "unpinned" | "missing"> {
  const { name, where, way } = pending;
  const own = input.own?.get(name);
  if (own?.like !== undefined) {
    const model = await loadNode({ ...pending, name: own.like }, { ...input, own: new Map() }, kept);
    return typeof model === "string" ? model : { ...model, name, isOwn: true };
  }
  if (own !== undefined) {
    const needs = own.deps.filter(kept).map((dep) => fillKernel(dep, input.kernel, own.where));
    const unknown = { md5: undefined, md5Source: undefined, size: undefined };
    return { name, where, way, deps: own.deps, needs, ...unknown, isOwn: true };
  }
  const pinned = pinnedExtension(input, name);
  const rest = { name, where, way, isOwn: false };
  if (pinned !== undefined) {
    const deps = input.asked.get(name) ?? pinned.deps ?? [];
    const needs = deps.filter(kept).map((dep) => fillKernel(dep, input.kernel, where));
    return { ...rest, deps, needs, md5: pinned.md5, md5Source: undefined, size: pinned.size };
  }
  if (input.policy !== "pin") return "unpinned";
  const found = await input.catalogue.find(name, chain(where, way));
  // Without indexes it is unknown whether the mirror has it; without an md5 it probably has not.
  const isDoubtful = found?.md5 === undefined && mayAskAgain(pending, input);
  if (found === undefined || isDoubtful) return "missing";
  const needs = found.deps.filter(kept).map((dep) => fillKernel(dep, input.kernel, where));
  const { deps, md5, md5Source, size } = found;
  return { ...rest, deps, needs, md5, md5Source, size };
}

/** The mirror does not have these extensions. */
class MissingExtensions extends Error {
  readonly missing: readonly Pending[];

  constructor(missing: readonly Pending[]) {
    super(missing.map(({ name }) => name).join(", "));
    this.missing = missing;
  }
}

/** One error for all of them: they are corrected together. */
async function unknownExtensions(
  missing: readonly Pending[],
  { catalogue, own = new Map() }: GraphInput,
): Promise<UserError> {
  const [first, ...others] = missing;
  const names = [...own.keys(), ...(await catalogue.names())];
  if (first !== undefined && others.length === 0) return unknownExtension(first, names, own);
  const described = missing.map(({ name, where, way }) => {
    const meant = way.from === undefined ? didYouMean(name, names) : undefined;
    return `${name} (${chain(where, way)}${meant === undefined ? "" : `; ${meant}`})`;
  });
  return new UserError(`the mirror does not have ${missing.length} extensions: ${described.join(", ")}`, {
    code: "unknown-extension",
    where: first?.where ?? "",
    hint: "check the names, and whether this release of the mirror has them",
  });
}

function unknownExtension(
  pending: Pending,
  names: readonly string[],
  own: ReadonlyMap<string, OwnExtension>,
): UserError {
  const parent = pending.way.from?.name;
  const meant = didYouMean(pending.name, names);
  if (parent === undefined) {
    return new UserError(`the mirror has no extension ${pending.name}`, {
      code: "unknown-extension",
      where: pending.where,
      hint: meant ?? "check the name, and whether this release of the mirror has it",
    });
  }
  const definition = own.get(parent);
  if (definition !== undefined) {
    return new UserError(
      `${parent} needs ${pending.name}, which neither the mirror nor the project has (${chain(pending.where, pending.way)})`,
      {
        code: "missing-dependency",
        where: definition.where,
        hint: meant ?? "correct the name in its dependencies",
      },
    );
  }
  return new UserError(
    `${parent} needs ${pending.name}, which the mirror does not have (${chain(pending.where, pending.way)})`,
    {
      code: "missing-dependency",
      where: pending.where,
      hint: `use a complete mirror: without the dependency ${parent} would not work`,
    },
  );
}

/** Where an extension is below any mirror. */
export function extensionTail(mirror: Mirror, name: string): string {
  return `${mirror.release}/${mirror.arch}/tcz/${name}`;
}
