/** `lists/accounts.yaml`: what it makes of the image's accounts, and what it refuses, with the line. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { bytesContent, FileTree } from "../../src/formats/index.ts";
import { readAccountList } from "../../tasks/image/account-list.ts";
import { addAccounts } from "../../tasks/image/accounts.ts";
import { usesPrograms } from "../support/programs.ts";

usesPrograms("ssh-keygen", "visudo");

const mtime = 1_600_000_000;

function treeOf(files: Readonly<Record<string, string>>): FileTree {
  const tree = new FileTree();
  for (const [name, text] of Object.entries(files)) tree.addFile(name, bytesContent(text), { mtime });
  return tree.ensureParents({ mtime });
}

const core = {
  "bin/sh": "",
  "etc/passwd": "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/bin/false\n",
  "etc/group": "root:x:0:\nstaff:x:50:\nnogroup:x:65534:\nvideo:x:44:tc\n",
  "etc/shadow": "root:*:13525:0:99999:7:::\n",
  "etc/sudoers": "# Core\nroot\tALL=(ALL) ALL\ntc\tALL=NOPASSWD: ALL\n",
  "etc/skel/.profile": "export EDITOR=vi\n",
};
const overlay = {
  "etc/passwd": "root:x:0:0:root:/root:/bin/sh\ntc:x:1001:50:Linux User,,,:/home/tc:/bin/sh\n",
  "etc/shadow": "root:*:19000:0:99999:7:::\ntc:*:19000:0:99999:7:::\n",
};

async function merged(text: string, variant = "dev"): Promise<FileTree> {
  const tree = treeOf(overlay);
  const coreTree = treeOf(core);
  await addAccounts(tree, await readAccountList(text, "lists/accounts.yaml"), {
    ...{ core: coreTree, variant, mtime, hashes: { bob: "$6$salt$ofbob" } },
    has: (name) => tree.has(name) || coreTree.has(name),
  });
  return tree.ensureParents({ mtime });
}

const textIn = async (tree: FileTree, name: string) => (await tree.read(name)).toString("utf8");

const key =
  "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHUPsvwXZGpCLkDL25Wlt+YqvF0KVfJdJxC0GbFZxV7D eve@example.org";
const hash =
  "$6$saltsalt$qFmFH.bQmmtXzyBY0s9v7Oicd2z4XSIecDzlB5KiA2/jctKu9YterLp8wwnSq.qc.eoxqOmSuNp2xS0ktL3nh/";

describe("accounts", () => {
  it("takes the hash of a password that is in a file or drawn from the step that makes it", async () => {
    const tree = await merged("users: [{name: bob, password: {random: 16}}]");
    expect(await textIn(tree, "etc/shadow")).toContain("\nbob:$6$salt$ofbob:19000:");
    await expect(merged("users: [{name: bob, password: {random: 4}}]")).rejects.toMatchObject({
      message: "the length of a drawn password must be an integer from 12 to 64",
    });
  });

  it("adds a user with group, home, key and password, and leaves every other line as it is", async () => {
    const tree = await merged(`
users:
  - name: eve
    gecos: Ève Example
    groups: [video]
    password: {hash: "${hash}"}
    keys: ["${key}"]
    sudo: nopasswd
`);
    expect(await textIn(tree, "etc/passwd")).toBe(
      `${overlay["etc/passwd"]}eve:x:1002:50:Ève Example:/home/eve:/bin/sh\n`,
    );
    expect(await textIn(tree, "etc/shadow")).toBe(`${overlay["etc/shadow"]}eve:${hash}:19000:0:99999:7:::\n`);
    expect(await textIn(tree, "etc/group")).toBe(
      core["etc/group"].replace("video:x:44:tc", "video:x:44:tc,eve"),
    );
    expect(await textIn(tree, "etc/sudoers")).toBe(`${core["etc/sudoers"]}eve\tALL=(ALL) NOPASSWD: ALL\n`);
    expect(await textIn(tree, "home/eve/.ssh/authorized_keys")).toBe(`${key}\n`);
    expect(await textIn(tree, "home/eve/.profile")).toBe(core["etc/skel/.profile"]);
    const modes = [
      "home/eve",
      "home/eve/.profile",
      "home/eve/.ssh",
      "home/eve/.ssh/authorized_keys",
      "etc/shadow",
    ];
    expect(
      modes.map((name) => {
        const { mode, uid, gid } = tree.get(name) ?? {};
        return [name, mode?.toString(8), uid, gid];
      }),
    ).toEqual([
      ["home/eve", "755", 1002, 50],
      ["home/eve/.profile", "644", 1002, 50],
      ["home/eve/.ssh", "700", 1002, 50],
      ["home/eve/.ssh/authorized_keys", "600", 1002, 50],
      ["etc/shadow", "600", 0, 0],
    ]);
    expect(tree.get("etc/sudoers")).toMatchObject({ mode: 0o440, uid: 0 });
  });

  it("writes sudoers that visudo accepts, and keys that ssh-keygen reads", async () => {
    const tree = await merged(`
groups: [{name: wheel, gid: 200}]
users:
  - {name: eve, group: wheel, sudo: all, keys: ["${key}"]}
  - {name: tc, sudo: none}
`);
    const directory = mkdtempSync(path.join(tmpdir(), "accounts test "));
    try {
      const sudoers = path.join(directory, "sudoers");
      writeFileSync(sudoers, await tree.read("etc/sudoers"), { mode: 0o440 });
      expect(execFileSync("visudo", ["-c", "-f", sudoers], { encoding: "utf8" })).toContain("parsed OK");
      const keys = path.join(directory, "authorized_keys");
      writeFileSync(keys, await tree.read("home/eve/.ssh/authorized_keys"));
      expect(execFileSync("ssh-keygen", ["-l", "-f", keys], { encoding: "utf8" })).toMatch(
        /^256 SHA256:.*ED25519/,
      );
    } finally {
      rmSync(directory, { recursive: true });
    }
    expect(await textIn(tree, "etc/sudoers")).toBe("# Core\nroot\tALL=(ALL) ALL\neve\tALL=(ALL) ALL\n");
    expect(await textIn(tree, "etc/passwd")).toContain("eve:x:1002:200::/home/eve:/bin/sh\n");
  });

  it("gives keys to a user that is there, who then owns the whole home", async () => {
    const tree = await merged(`users: [{name: tc, keys: ["${key}"]}, {name: root, keys: ["${key}"]}]`);
    expect(await textIn(tree, "etc/passwd")).toBe(overlay["etc/passwd"]);
    expect(tree.get("home/tc")).toMatchObject({ uid: 1001, gid: 50, mode: 0o755 });
    expect(tree.get("home/tc/.ssh/authorized_keys")).toMatchObject({ uid: 1001, gid: 50, mode: 0o600 });
    expect(tree.get("root/.ssh")).toMatchObject({ uid: 0, mode: 0o700 });
  });

  it("removes a user from every file", async () => {
    const tree = await merged("remove: [tc]");
    expect(await textIn(tree, "etc/passwd")).toBe("root:x:0:0:root:/root:/bin/sh\n");
    expect(await textIn(tree, "etc/shadow")).toBe("root:*:19000:0:99999:7:::\n");
    expect(await textIn(tree, "etc/group")).toBe(core["etc/group"].replace(":44:tc", ":44:"));
    expect(await textIn(tree, "etc/sudoers")).toBe("# Core\nroot\tALL=(ALL) ALL\n");
  });

  it("touches no file that has nothing to change", async () => {
    const tree = await merged("users: []");
    expect(tree.paths()).toEqual(treeOf(overlay).paths());
  });
});

describe("a wrong line of accounts.yaml", () => {
  const cases: Readonly<Record<string, readonly [text: string, line: number, message: string]>> = {
    "not YAML": ["users:\n  - {name: x", 2, "the file is not YAML: "],
    "a list": ["- users", 1, "the file has no keys"],
    "an unknown key": ["users:\n  - name: eve\n    pasword: locked", 3, '"pasword" is not a key of accounts'],
    "no name": ["users:\n  - uid: 5", 2, "a user needs a name"],
    "a name with capitals": ["users:\n  - name: Eve", 2, '"name" must be a name of small letters'],
    "uid 0": ["users:\n  - name: eve\n    uid: 0", 3, '"uid" must be an integer from 1 to 65533'],
    "a uid of Core's": ["users:\n  - name: eve\n    uid: 1001", 3, "the uid 1001 belongs to tc"],
    "another uid for one that is there": [
      "users:\n  - name: tc\n    uid: 7",
      3,
      "tc has the uid 1001 already",
    ],
    "an unknown group": ["users:\n  - name: eve\n    groups:\n      - audio", 4, "there is no group audio"],
    "an unknown primary group": ["users:\n  - name: eve\n    group: eve", 3, "there is no group eve"],
    "a group that is there": ["groups:\n  - name: staff", 2, "the group staff is there already"],
    "a gid that is there": ["groups:\n  - name: own\n    gid: 50", 3, "the gid 50 belongs to staff"],
    "a shell that is absent": ["users:\n  - name: eve\n    shell: /bin/zsh", 3, "the image has no /bin/zsh"],
    "a password as text": [
      "users:\n  - name: eve\n    password: secret",
      3,
      "a password must be locked, or have a hash, a file or a length to draw",
    ],
    "a hash that is none": [
      "users:\n  - name: eve\n    password: {hash: secret}",
      3,
      "the hash is not of a form of crypt(5)",
    ],
    "a private key": [
      "users:\n  - name: eve\n    keys:\n      - -----BEGIN",
      4,
      "this is not a public key of ssh",
    ],
    "a key of another type": [
      `users:\n  - name: eve\n    keys:\n      - ${key.replace("ed25519", "rsa")}`,
      4,
      "this is not a public key of ssh",
    ],
    "a user twice": ["users:\n  - name: eve\n  - name: eve", 3, "the user eve is there twice"],
    "a user to remove that is not there": ["remove:\n  - eve", 2, "there is no user eve"],
    "a colon in a name": [
      'users:\n  - name: eve\n    gecos: "a:b"',
      3,
      '"gecos" must be one line without a colon',
    ],
  };

  it.each(Object.entries(cases))("is refused: %s", async (_, [text, line, message]) => {
    const refused = await merged(text).then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(refused).toMatchObject({
      code: "accounts",
      where: `lists/accounts.yaml:${line}`,
      message: expect.stringContaining(message),
      hint: expect.stringMatching(/./),
    });
  });

  it("is refused in production when it has a password", async () => {
    const text = `users:\n  - name: eve\n    password: {hash: "${hash}"}`;
    await expect(merged(text, "prod")).rejects.toMatchObject({
      where: "lists/accounts.yaml:3",
      message: "eve has a password, which a production image does not allow",
    });
    const locked = await merged(`users: [{name: eve, password: locked, keys: ["${key}"]}]`, "prod");
    expect(await textIn(locked, "etc/shadow")).toContain("\neve:*:");
  });
});
