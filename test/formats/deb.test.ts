import { chmod, mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { beforeAll, describe, expect, test } from "vitest";
import { readDebControl, unpackDeb } from "../../src/formats/index.ts";
import { createShell, ProcessGroups, type Shell } from "../../src/host/index.ts";
import { usesPrograms } from "../support/programs.ts";
import { useWorkspace } from "./workspace.ts";

usesPrograms("ar", "xz");

const workspace = useWorkspace();

const control = `Package: sample
Version: 1.0-1
Architecture: all
Maintainer: Nobody <nobody@example.org>
Depends: libc6 (>= 2.3),
 zlib1g
Description: a sample
 of two lines
`;

/** A package made with ar and tar alone, as deb(5) describes it. */
async function makeDeb(name: string, compression: "gz" | "xz"): Promise<string> {
  const directory = workspace.path(`${name} parts`);
  await mkdir(`${directory}/control`, { recursive: true });
  await mkdir(`${directory}/data/usr/bin`, { recursive: true });
  await writeFile(`${directory}/debian-binary`, "2.0\n");
  await writeFile(`${directory}/control/control`, control);
  await writeFile(`${directory}/control/postinst`, "#!/bin/sh\nexit 1\n");
  await writeFile(
    `${directory}/control/conffiles`,
    "/etc/sample caf\u00e9.conf\nremove-on-upgrade /etc/old.conf\n",
  );
  await writeFile(
    `${directory}/control/triggers`,
    "# none\n\ninterest  /usr/share/icons # all\nactivate ldconfig\n",
  );
  await writeFile(`${directory}/data/usr/bin/tool`, "tool\n");
  await chmod(`${directory}/data/usr/bin/tool`, 0o4755);
  const deb = workspace.path(`${name}.deb`);
  await workspace.$`cd ${directory} && tar -C control -caf control.tar.${compression} . && tar -C data -caf data.tar.${compression} .`;
  await workspace.$`cd ${directory} && ar qc ${deb} debian-binary control.tar.${compression} data.tar.${compression}`;
  return deb;
}

/** A shell in which dpkg-deb cannot be found. */
async function shellWithoutDpkg(): Promise<Shell> {
  const tools = workspace.path("tools");
  await mkdir(tools, { recursive: true });
  await workspace.$`cd ${tools} && for tool in bash ar head gzip xz; do ln -sf "$(command -v $tool)" $tool; done`;
  const plain = await createShell({ cwd: workspace.path(""), groups: new ProcessGroups() });
  return plain({ env: { PATH: tools, LC_ALL: "C" } });
}

describe("a Debian package", () => {
  const shells = new Map<string, Shell>();
  beforeAll(async () => {
    shells.set("dpkg-deb", workspace.$).set("ar and tar", await shellWithoutDpkg());
  });

  for (const tools of ["dpkg-deb", "ar and tar"]) {
    for (const compression of ["gz", "xz"] as const) {
      test(`of ${compression} is unpacked through ${tools}, with the package's modes, and nothing of it runs`, async () => {
        const $ = shells.get(tools) ?? workspace.$;
        const name = `${tools} ${compression}`;
        const deb = await makeDeb(name, compression);
        const into = workspace.path(`${name} out/files`);
        const before = process.umask(0o077);
        try {
          await unpackDeb($, deb, into);
        } finally {
          process.umask(before);
        }
        expect(await readFile(`${into}/usr/bin/tool`, "utf8")).toBe("tool\n");
        expect((await stat(`${into}/usr/bin/tool`)).mode & 0o7777).toBe(0o4755);
        const { fields, scripts, conffiles, triggers } = await readDebControl($, deb);
        expect(conffiles).toEqual(["etc/sample caf\u00e9.conf"]);
        expect(triggers).toEqual(["interest /usr/share/icons", "activate ldconfig"]);
        expect(Object.fromEntries(fields)).toMatchObject({
          Package: "sample",
          Depends: "libc6 (>= 2.3),\nzlib1g",
          Description: "a sample\nof two lines",
        });
        expect([...scripts]).toEqual([["postinst", Buffer.from("#!/bin/sh\nexit 1\n")]]);
        const left = (await readdir(workspace.path(""))).filter((entry) => /parts-/.test(entry));
        expect(left).toEqual([]);
      });
    }

    test(`that is a page is refused by ${tools} with its name`, async () => {
      const deb = workspace.path(`${tools} page.deb`);
      await writeFile(deb, "<html>not found</html>");
      const unpacked = unpackDeb(shells.get(tools) ?? workspace.$, deb, workspace.path("page out"));
      await expect(unpacked).rejects.toMatchObject({ code: "tool-failed", where: deb });
    });
  }
});
