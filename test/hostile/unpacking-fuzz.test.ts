/**
 * Packages and bundles at random: each is made into something or refused with an explanation, soon, and nothing outside changes.
 */
import { mkdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { gunzipSync, gzipSync } from "node:zlib";
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { UserError } from "../../src/errors/index.ts";
import { makeDebExtension } from "../../tasks/debian/deb-extension.ts";
import { takeBundleApart } from "../../tasks/unpack-bundle.ts";
import { useWorkspace } from "../formats/workspace.ts";
import { cases } from "../support/cases.ts";
import { bundleBytes } from "./bundle-builder.ts";
import { type Canary, makeCanary } from "./canary.ts";
import { debBytes } from "./deb-builder.ts";
import { packCoreIso } from "./iso-builder.ts";
import { paxMember, type TarMember } from "./tar-builder.ts";

const workspace = useWorkspace();
/** Milliseconds for one answer, on a machine with others' work. */
const patience = 20_000;
let host = "";
let canary: Canary;
let before: readonly string[] = [];
let iso = Buffer.alloc(0);

beforeAll(async () => {
  host = workspace.path("host");
  canary = await makeCanary(host);
  before = await canary.look();
  await packCoreIso(workspace.$, workspace.path("Core.iso"));
  iso = await readFile(workspace.path("Core.iso"));
});

/** Paths that meet one another, and what leads out. */
const part = fc.constantFrom(
  "usr",
  "share",
  "local",
  "doc",
  "postinst",
  "hello",
  "etc",
  "a",
  "b",
  "c",
  "d",
  "e",
);
const oddPart = fc.constantFrom("usr", "etc", ".", "..", "", "\udcff");
const joined = (parts: fc.Arbitrary<string>) =>
  fc.array(parts, { minLength: 1, maxLength: 4 }).map((some) => some.join("/"));
const name = fc.oneof(
  { weight: 60, arbitrary: joined(part) },
  { weight: 2, arbitrary: joined(oddPart) },
  {
    weight: 1,
    arbitrary: fc.constantFrom("/etc/passwd", "x".repeat(300), `${"d/".repeat(1800)}f`, "./", "a\nb"),
  },
);
const target = fc.oneof(
  { weight: 6, arbitrary: name },
  { weight: 6, arbitrary: fc.constantFrom("HOST", "/", "/etc/passwd", "/dev/zero", ".") },
  { weight: 1, arbitrary: fc.constantFrom("..", "../../../../host", "") },
);
type Type = Exclude<TarMember["type"], undefined>;
const member: fc.Arbitrary<readonly TarMember[]> = fc
  .record({
    path: name,
    linkpath: target,
    type: fc.oneof(
      {
        weight: 12,
        arbitrary: fc.constantFrom<Type>("File", "File", "Directory", "SymbolicLink", "SymbolicLink"),
      },
      {
        weight: 1,
        arbitrary: fc.constantFrom<Type>("Link", "FIFO", "CharacterDevice", "OldFile", "SparseFile"),
      },
    ),
    mode: fc.constantFrom(0o644, 0o755, 0o600, 0o444, 0, 0o1777),
    body: fc.oneof(fc.string({ maxLength: 40 }), fc.constant("z".repeat(3000))),
    pax: fc.oneof(
      { weight: 12, arbitrary: fc.constant(null) },
      {
        weight: 1,
        arbitrary: fc.dictionary(
          fc.constantFrom("path", "linkpath", "size", "GNU.sparse.major", "SCHILY.xattr.user.x", "mtime"),
          fc.oneof(name, fc.constantFrom("0", "-1", "99999999999", "x")),
          { maxKeys: 2 },
        ),
      },
    ),
  })
  .map(({ type, linkpath, body, pax, ...rest }) => {
    const linked = type === "SymbolicLink" || type === "Link";
    const to = linkpath.replace("HOST", host) || ".";
    const main: TarMember = {
      ...rest,
      type,
      ...(linked ? { linkpath: to } : type === "Directory" ? { size: body.length } : { body }),
    };
    return pax === null ? [main] : [paxMember(pax), main];
  });
const members = fc.array(member, { maxLength: 5 }).map((groups) => groups.flat());

/** Damages of a file: bytes changed, cut off, doubled. */
const damage = fc.array(
  fc.record({
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    kind: fc.constantFrom("set", "cut", "double", "zero"),
    byte: fc.integer({ min: 0, max: 255 }),
  }),
  { minLength: 1, maxLength: 4 },
);

function damaged(bytes: Buffer, damages: readonly { at: number; kind: string; byte: number }[]): Buffer {
  let result = Buffer.from(bytes);
  for (const { at, kind, byte } of damages) {
    const place = Math.floor(at * result.length);
    if (kind === "set" && place < result.length) result[place] = byte;
    else if (kind === "cut") result = Buffer.from(result.subarray(0, place));
    else if (kind === "double")
      result = Buffer.concat([result.subarray(0, place), result.subarray(place >> 1)]);
    else result.fill(0, place, Math.min(place + byte, result.length));
  }
  return result;
}

/** Runs one case in a directory of its own, and holds it to the sentence at the top. */
async function answer(run: (place: string) => Promise<unknown>): Promise<void> {
  const place = workspace.path("case");
  await rm(place, { recursive: true, force: true });
  await mkdir(place);
  const start = performance.now();
  await run(place).catch((error: unknown) => {
    if (!(error instanceof UserError)) throw error;
    expect(error.where).toBeDefined();
    expect(error.hint).toBeDefined();
  });
  expect(performance.now() - start).toBeLessThan(patience);
  expect(await canary.look()).toEqual(before);
}

describe("a package at random", () => {
  const convert = (bytes: Buffer) =>
    answer(async (place) => {
      await mkdir(`${place}/out`);
      await writeFile(`${place}/blob`, bytes);
      await symlink(`${place}/blob`, `${place}/hello.deb`);
      await makeDebExtension(workspace.$, {
        name: "hello",
        deb: `${place}/hello.deb`,
        scratch: `${place}/scratch`,
        outDir: `${place}/out`,
        architecture: "amd64",
        where: "lists/builtin-extensions.lst:1",
        depends: [],
      });
    });

  test("of hostile members is converted or refused, and touches nothing outside", async () => {
    await fc.assert(
      fc.asyncProperty(members, members, async (control, data) => convert(debBytes({ control, data }))),
      cases(40),
    );
  });

  test("that is damaged is converted or refused, and touches nothing outside", async () => {
    const data = [
      { path: "./usr/bin/hello", body: "hello", mode: 0o755 },
      { path: "./usr/share/doc", type: "SymbolicLink" as const, linkpath: host },
    ];
    const whole = debBytes({ control: [{ path: "./postinst", body: "#!/bin/sh\n" }], data });
    await fc.assert(
      fc.asyncProperty(damage, (damages) => convert(damaged(whole, damages))),
      cases(30),
    );
  });
});

describe("a bundle at random", () => {
  const takeApart = (bytes: Buffer) =>
    answer(async (place) => {
      for (const directory of ["boot", "scratch"]) await mkdir(`${place}/${directory}`);
      await writeFile(`${place}/bundle.tar.gz`, bytes);
      const at = (one: string) => `${place}/${one}`;
      await takeBundleApart(
        at("bundle.tar.gz"),
        {
          iso: at("iso"),
          boot: at("boot"),
          core: at("core"),
          listing: at("listing"),
          layer: at("layer"),
          linked: at("linked"),
          password: at("password"),
          conflict: at("conflict"),
          loaders: at("loaders"),
          texts: at("texts"),
        },
        {
          scratch: at("scratch"),
          limits: { maxBytes: 64 * 1024 * 1024 },
          signal: new AbortController().signal,
          note: () => undefined,
        },
      );
    });

  test("of hostile members is taken apart or refused, and touches nothing outside", async () => {
    const tarballs = fc.record({ "a-first": members, "razor-microkernel-overlay": members });
    await fc.assert(
      fc.asyncProperty(tarballs, fc.oneof(fc.constant([]), members), (some, top) =>
        takeApart(bundleBytes({ iso, tarballs: some, top })),
      ),
      cases(60),
    );
  });

  test("that is damaged, within its compression too, is taken apart or refused", async () => {
    const small = bundleBytes({
      iso,
      tarballs: { "razor-microkernel-overlay": [{ path: "etc/a", body: "a" }] },
    });
    const inner = gunzipSync(small);
    await fc.assert(
      fc.asyncProperty(damage, fc.boolean(), (damages, inside) =>
        takeApart(inside ? gzipSync(damaged(inner, damages), { level: 1 }) : damaged(small, damages)),
      ),
      cases(40),
    );
  });
});
