import { readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { UserError } from "../src/errors/index.ts";
import { parseDependencies } from "../tasks/debian/apt-records.ts";
import { downloadPackages } from "../tasks/debian/downloads.ts";
import type { PackageWishes } from "../tasks/debian/package-closure.ts";
import { planPackages } from "../tasks/debian/packages.ts";
import { useWorkshop } from "./sample-source-workshop.ts";

const workshop = useWorkshop();

function wishes(parts: Partial<PackageWishes>): PackageWishes {
  return { base: [], closed: [], alone: [], satisfied: new Set(), ...parts };
}

async function failureOf(promise: Promise<unknown>): Promise<UserError> {
  try {
    await promise;
  } catch (error) {
    return error as UserError;
  }
  throw new Error("it did not fail");
}

describe("planning the packages", () => {
  it("says to run apt-get update when apt has no package lists", async () => {
    const error = await failureOf(planPackages({ $: workshop.$, wanted: wishes({ closed: ["bash"] }) }));
    expect(error.code).toBe("no-package-lists");
    expect(error.hint).toContain("apt-get update");
  });

  it("takes what a package needs, and leaves out the base and what counts as present", async () => {
    await workshop.offer(
      { name: "libc6" },
      { name: "shell", depends: "libc6 (>= 2), libtinfo6:any, configurator | configurator-2.0" },
      { name: "libtinfo6", version: "1:6.4-4", depends: "libc6" },
      { name: "configurator" },
      { name: "lonely", depends: "libtinfo6, unknown" },
    );
    const wanted = wishes({
      base: ["libc6"],
      closed: ["shell"],
      alone: ["lonely"],
      satisfied: new Set(["configurator-2.0"]),
    });
    const plan = await planPackages({ $: workshop.$, wanted });
    expect(plan.packages.map(({ name, depends }) => [name, ...depends])).toEqual([
      ["libc6"],
      ["libtinfo6"],
      ["lonely"],
      ["shell", "libtinfo6"],
    ]);
    expect(plan.base).toEqual(["libc6"]);
    const library = plan.packages.find(({ name }) => name === "libtinfo6");
    expect(library).toMatchObject({ version: "1:6.4-4", fileName: "libtinfo6_1%3a6.4-4_all.deb" });
    expect(library?.uri).toMatch(/^file:/);
    expect(await planPackages({ $: workshop.$, wanted })).toEqual(plan);
  });

  it("takes what is optional where the distribution has it", async () => {
    await workshop.offer({ name: "a" }, { name: "b", depends: "a" });
    const wanted = wishes({ closed: ["a"], optional: ["b", "missing"] });
    const plan = await planPackages({ $: workshop.$, wanted });
    expect(plan.packages.map(({ name, depends }) => [name, ...depends])).toEqual([["a"], ["b"]]);
  });

  it("takes the first alternative that exists, or a package that provides one", async () => {
    await workshop.offer(
      { name: "a", depends: "missing | b, virtual" },
      { name: "b" },
      { name: "provider-2", provides: "virtual" },
      { name: "provider-1", provides: "virtual (= 1)" },
    );
    const plan = await planPackages({ $: workshop.$, wanted: wishes({ closed: ["newer-name | a"] }) });
    expect(plan.packages.find(({ name }) => name === "a")?.depends).toEqual(["b", "provider-1"]);
  });

  it("finds the kernel and its modules behind the package that names the newest kernel", async () => {
    await workshop.offer(
      { name: "linux-image-generic", depends: "linux-image-6.8.0-1-generic, firmware" },
      { name: "linux-image-6.8.0-1-generic", depends: "kmod, linux-modules-6.8.0-1-generic" },
      { name: "linux-modules-6.8.0-1-generic" },
      { name: "firmware" },
      { name: "kmod" },
    );
    const plan = await planPackages({
      $: workshop.$,
      wanted: wishes({ base: ["linux-image-amd64 | linux-image-generic"] }),
    });
    expect(plan.base).toEqual(["linux-image-6.8.0-1-generic", "linux-modules-6.8.0-1-generic"]);
  });

  it("names the package that the distribution lacks, and who needs it", async () => {
    await workshop.offer({ name: "a", depends: "nowhere | neither" });
    const error = await failureOf(planPackages({ $: workshop.$, wanted: wishes({ closed: ["a"] }) }));
    expect(error.code).toBe("unknown-package");
    expect(error.message).toContain("nowhere | neither, needed by a");
  });

  it("reads dependency fields with versions, architectures and alternatives", () => {
    expect(parseDependencies("libc6 (>= 2.36), perl:any, a | b-2.0 (<< 3) , c [amd64]")).toEqual([
      ["libc6"],
      ["perl"],
      ["a", "b-2.0"],
      ["c"],
    ]);
  });
});

describe("downloading the packages", () => {
  it("brings the planned files, checks them, and leaves alone what is there", async () => {
    await workshop.offer({ name: "one" }, { name: "two", version: "2:1-1" });
    const plan = await planPackages({ $: workshop.$, wanted: wishes({ closed: ["one", "two"] }) });
    const dir = workshop.path("down loads");
    const files = await downloadPackages({ $: workshop.$, plan, dir });
    expect(Object.keys(files)).toEqual(["one", "two"]);
    expect(files.two).toBe(join(dir, "two_2%3a1-1_all.deb"));
    expect((await readdir(dir)).sort()).toEqual(["one_1.0-1_all.deb", "two_2%3a1-1_all.deb"]);

    const before = await stat(join(dir, "one_1.0-1_all.deb"));
    const original = await readFile(join(dir, "two_2%3a1-1_all.deb"));
    await writeFile(join(dir, "two_2%3a1-1_all.deb"), "damaged");
    await downloadPackages({ $: workshop.$, plan, dir });
    expect((await stat(join(dir, "one_1.0-1_all.deb"))).ino).toBe(before.ino);
    expect(await readFile(join(dir, "two_2%3a1-1_all.deb"))).toEqual(original);
  });

  it("refuses other bytes than planned, and leaves nothing of them", async () => {
    await workshop.offer({ name: "one" });
    const plan = await planPackages({ $: workshop.$, wanted: wishes({ closed: ["one"] }) });
    const [one] = plan.packages;
    if (one === undefined) throw new Error("no plan");
    const other = { ...plan, packages: [{ ...one, sha256: "0".repeat(64) }] };
    const dir = workshop.path("refused");
    const error = await failureOf(downloadPackages({ $: workshop.$, plan: other, dir }));
    expect(error.code).toBe("package-mismatch");
    expect(error.message).toContain(one.sha256);
    expect(await readdir(dir)).toEqual([]);
  });

  it("says what apt said when a package is gone", async () => {
    await workshop.offer({ name: "one" });
    const plan = await planPackages({ $: workshop.$, wanted: wishes({ closed: ["one"] }) });
    await workshop.offer({ name: "other" });
    const error = await failureOf(downloadPackages({ $: workshop.$, plan, dir: workshop.path("gone") }));
    expect(error.code).toBe("package-download");
    expect(error.message).toContain("one");
    expect(await readdir(workshop.path("gone"))).toEqual([]);
  });
});
