/** Extensions of the project's own among those of a mirror: found first, never fetched, their dependencies followed. */
import { afterEach, beforeEach, expect, it } from "vitest";
import {
  extensionArtifacts,
  type GraphInput,
  loadExtensions,
  type Mirror,
  openCatalogue,
  orderExtensions,
  parseExtensionList,
} from "../../src/fetch/index.ts";
import { type Shelf, stock } from "./tiny-mirror.ts";
import { openWorkshop, rejection, type Workshop } from "./workshop.ts";

const shelf: Shelf = { bash: ["readline"], readline: [], disks: ["mine"], "scsi-3.0.21-tinycore": [] };

let shop: Workshop;
let mirror: Mirror;
beforeEach(async () => {
  shop = await openWorkshop();
  mirror = await stock(shop, shelf, { indexes: true });
});
afterEach(() => shop.close());

function load(
  list: string,
  own: Readonly<Record<string, readonly string[]>>,
  more: Partial<GraphInput> = {},
) {
  return loadExtensions({
    builtin: parseExtensionList(list, "lists/b.lst").entries,
    mirrored: [],
    kernel: "3.0.21-tinycore",
    mirror,
    lock: new Map(),
    catalogue: openCatalogue(mirror, shop.transport({ offline: more.policy === "offline" })),
    policy: "pin",
    own: new Map(
      Object.entries(own).map(([name, deps]) => [
        `${name}.tcz`,
        { deps: deps.map((dep) => `${dep}.tcz`), where: `extensions/${name}` },
      ]),
    ),
    ...more,
  });
}

it("closures cross between both, in either direction", async () => {
  const { builtin } = orderExtensions(
    await load("disks.tcz", { mine: ["bash", "driver-KERNEL"], "driver-3.0.21-tinycore": ["scsi-KERNEL"] }),
  );
  expect(builtin.map(({ name }) => name)).toEqual([
    "readline.tcz",
    "bash.tcz",
    "scsi-3.0.21-tinycore.tcz",
    "driver-3.0.21-tinycore.tcz",
    "mine.tcz",
    "disks.tcz",
  ]);
  const fetched = extensionArtifacts(mirror, builtin, builtin).map(({ name }) => name);
  expect(fetched).not.toContain("mine.tcz");
  expect(fetched).not.toContain("mine.tcz.info");
  expect(fetched).toContain("bash.tcz");
});

it("one of the mirror's name takes its place, with a note and its own dependencies", async () => {
  const { builtin, warnings } = orderExtensions(await load("bash.tcz\nreadline.tcz", { bash: [] }));
  expect(builtin.map(({ name }) => name)).toEqual(["bash.tcz", "readline.tcz"]);
  expect(warnings).toEqual([
    { message: "the project's own bash.tcz takes the place of the mirror's", where: "extensions/bash" },
  ]);
});

it("need no pin and no mirror", async () => {
  const graph = await load("mine.tcz", { mine: [] }, { policy: "offline" });
  expect(orderExtensions(graph).builtin.map(({ name }) => name)).toEqual(["mine.tcz"]);
});

it("that need what nobody has are named with the file that says so, and what may be meant", async () => {
  expect(await rejection(load("mine.tcz", { mine: ["bahs"] }))).toMatchObject({
    code: "missing-dependency",
    where: "extensions/mine",
    message:
      "mine.tcz needs bahs.tcz, which neither the mirror nor the project has (lists/b.lst:1 → mine.tcz)",
    hint: expect.stringContaining("bash.tcz"),
  });
});

it("are meant by misspelt names of lists, too", async () => {
  expect(await rejection(load("helo.tcz", { hello: [] }))).toMatchObject({
    code: "unknown-extension",
    hint: expect.stringContaining("hello.tcz"),
  });
});

it("that need each other are loaded, and the circle is named", async () => {
  const { builtin, warnings } = orderExtensions(await load("a.tcz", { a: ["b"], b: ["a"] }));
  expect(builtin.map(({ name }) => name)).toEqual(["b.tcz", "a.tcz"]);
  expect(warnings).toEqual([{ message: "dependency cycle: a.tcz → b.tcz → a.tcz", where: "lists/b.lst:1" }]);
});
