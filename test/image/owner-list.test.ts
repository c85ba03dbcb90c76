/** `lists/owners.lst`: owners, modes and devices by line, and what is refused. */
import { describe, expect, it } from "vitest";
import { bytesContent, FileTree } from "../../src/formats/index.ts";
import { addDevices, applyOwners, parseOwnerList } from "../../tasks/image/owner-list.ts";

const mtime = 1_600_000_000;

function treeOf(files: Readonly<Record<string, string>>): FileTree {
  const tree = new FileTree();
  for (const [name, text] of Object.entries(files)) tree.addFile(name, bytesContent(text), { mtime });
  return tree.ensureParents({ mtime });
}

const core = treeOf({
  "etc/passwd": "root:x:0:0:\ntc:x:1001:50:\n",
  "etc/group": "root:x:0:\nstaff:x:50:\n",
});

async function owned(list: string) {
  const tree = treeOf({
    "etc/passwd": "root:x:0:0:\nlp:x:7:7:\ntc:x:1001:50:\n",
    "home/tc/.ashrc": "",
    "home/tc/bin/run": "",
    "usr/local/bin/tool": "",
  });
  tree.addSymlink("home/tc/link", "/usr/local/bin/tool", { mtime });
  const lines = parseOwnerList(list, "lists/owners.lst");
  addDevices(tree, lines, mtime);
  const withModes = await applyOwners(tree.ensureParents({ mtime }), lines, core);
  const at = (path: string) => {
    const { mode, uid, gid } = tree.get(path) ?? {};
    return `${mode?.toString(8)} ${uid}:${gid}`;
  };
  return { tree, withModes, at };
}

describe("owners.lst", () => {
  it("gives owners by the image's names or by number, and modes where a line has one; a later line wins", async () => {
    const { at, withModes } = await owned(`
# the home
home/tc          tc:staff
home/tc/**       tc:staff 0700   # all of it
/usr/local/bin/tool  root:50 4755
home/tc/.ashrc   lp:staff
`);
    // `/**` is the directory, too.
    expect(at("home/tc")).toBe("700 1001:50");
    expect(at("home/tc/bin")).toBe("700 1001:50");
    expect(at("home/tc/bin/run")).toBe("700 1001:50");
    expect(at("home/tc/.ashrc")).toBe("700 7:50");
    expect(at("usr/local/bin/tool")).toBe("4755 0:50");
    // A link has no mode of its own.
    expect(at("home/tc/link")).toBe("777 1001:50");
    expect([...withModes].sort()).toEqual([
      "home/tc",
      "home/tc/.ashrc",
      "home/tc/bin",
      "home/tc/bin/run",
      "usr/local/bin/tool",
    ]);
  });

  it("makes devices", async () => {
    const { tree, at } = await owned("dev/ttyS1 c 4 65 0660 root:staff\ndev/loop9 b 7 9 600 root:root\n");
    expect(tree.get("dev/ttyS1")).toMatchObject({ type: "char", major: 4, minor: 65 });
    expect(tree.get("dev/loop9")).toMatchObject({ type: "block", major: 7, minor: 9 });
    expect([at("dev/ttyS1"), at("dev/loop9")]).toEqual(["660 0:50", "600 0:0"]);
  });

  it.each([
    ["home/tc", 1, "the line is not an owner of a path"],
    ["\nhome/tc tc", 2, "the line is not an owner of a path"],
    ["home/tc tc:staff 99", 1, "the line is not an owner of a path"],
    ["../etc/passwd root:root", 1, "the line is not an owner of a path"],
    ["dev/* c 1 3 666 root:root", 1, "the line is not an owner of a path"],
    ["home/tc eve:staff", 1, "the image's etc/passwd has no eve"],
    ["home/tc tc:audio", 1, "the image's etc/group has no audio"],
    ["home/eve/** tc:staff", 1, "no file of the overlay matches home/eve/**"],
    [
      "usr/local/bin/tool c 1 3 666 root:root",
      1,
      "the overlay has usr/local/bin/tool already, and it is no such device",
    ],
  ])("is refused with its line: %j", async (list, line, message) => {
    await expect(owned(list)).rejects.toMatchObject({
      code: "owners",
      where: `lists/owners.lst:${line}`,
      message,
      hint: expect.stringMatching(/./),
    });
  });
});
