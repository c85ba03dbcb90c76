/** Secrets have tight modes in the image, whatever a checkout made of them. */
import { describe, expect, it } from "vitest";
import { FileTree } from "../../src/formats/index.ts";
import { imagePolicy, inheritDirectories, recordedModes } from "../../tasks/image/image-tree.ts";
import { holdsKey } from "../../tasks/image/tight-modes.ts";

const onDisk = { type: "file", executable: false, diskMode: 0o644 } as const;
const directoryOnDisk = { type: "directory", executable: true, diskMode: 0o755 } as const;

describe("a file of the image", () => {
  it.each([
    ["etc/sudoers", 0o440],
    ["etc/sudoers.d/wheel", 0o440],
    ["usr/local/etc/sudoers.d/wheel", 0o440],
    ["etc/shadow", 0o600],
    ["etc/shadow-", 0o600],
    ["etc/gshadow", 0o600],
    ["etc/security/opasswd", 0o600],
    ["root/.ssh/id_ed25519", 0o600],
    ["root/.ssh/authorized_keys", 0o600],
    ["opt/deploy/id_rsa", 0o600],
    ["usr/local/etc/ssh/ssh_host_ed25519_key", 0o600],
    ["etc/wireguard/peers/a", 0o600],
    ["opt/wg0.conf", 0o600],
    ["usr/local/etc/ssl/private/site", 0o600],
    ["usr/local/etc/nginx/site.key", 0o600],
    ["usr/local/key.pem", 0o600],
    ["opt/server-key.pem", 0o600],
    ["root/.netrc", 0o600],
    ["etc/ppp/chap-secrets", 0o600],
    ["etc/wpa_supplicant.conf", 0o600],
    ["usr/local/etc/mcollective/server.cfg", 0o600],
  ])("%s has the mode %o", (path, mode) => {
    expect(imagePolicy(path, onDisk).mode).toBe(mode);
    expect(recordedModes(path, onDisk).mode).toBe(mode);
  });

  it.each([
    "etc/sudoers.dist",
    "usr/local/etc/ssl/certs/ca.pem",
    "opt/pubkey.pem",
    "opt/id_rsa.pub",
    "usr/local/etc/ssh/ssh_host_ed25519_key.pub",
    "usr/share/doc/shadow",
    "opt/keyboard.conf",
    "etc/passwd",
  ])("%s is readable by all", (path) => {
    expect(imagePolicy(path, onDisk).mode).toBe(0o644);
  });

  it.each(["root/.ssh", "etc/wireguard", "etc/ssl/private", "root/.gnupg"])(
    "in the directory %s is out of others' reach",
    (path) => {
      expect(imagePolicy(path, directoryOnDisk)).toMatchObject({ mode: 0o700, uid: 0, gid: 0 });
      const core = new FileTree().addDirectory(path, { mtime: 0, mode: 0o755 });
      const own = new FileTree().addDirectory(path, { mtime: 0, mode: 0o700 });
      expect(inheritDirectories(own, core).get(path)).toMatchObject({ mode: 0o700 });
    },
  );

  it("below tc's .ssh is tc's, since sshd reads it as that user", () => {
    const owner = { uid: 1001, gid: 50 };
    expect(imagePolicy("home/tc/.ssh", directoryOnDisk)).toEqual({ mode: 0o700, ...owner });
    expect(imagePolicy("home/tc/.ssh/authorized_keys", onDisk)).toEqual({ mode: 0o600, ...owner });
    expect(imagePolicy("home/tc/.profile", onDisk)).toEqual({ mode: 0o644, uid: 0, gid: 0 });
  });

  it("from a tarball keeps the mode that the tarball records, unless it is a secret", () => {
    const file = { type: "file", executable: true, diskMode: 0o711 } as const;
    expect(recordedModes("usr/local/bin/tool", file)).toEqual({ mode: 0o711, uid: 0, gid: 0 });
    expect(recordedModes("etc/shadow", file).mode).toBe(0o600);
    expect(recordedModes("usr/local/bin", { ...directoryOnDisk, diskMode: 0o700 }).mode).toBe(0o755);
  });
});

describe("a .pem file", () => {
  it.each(["PRIVATE KEY", "RSA PRIVATE KEY", "ENCRYPTED PRIVATE KEY", "OPENSSH PRIVATE KEY"])(
    "with a %s among certificates holds a key",
    (label) => {
      const text = `-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n-----BEGIN ${label}-----\ny\n`;
      expect(holdsKey(Buffer.from(text))).toBe(true);
    },
  );

  it("of certificates and public keys holds none", () => {
    const text = "-----BEGIN CERTIFICATE-----\nx\n-----BEGIN PUBLIC KEY-----\nnot a PRIVATE KEY\n";
    expect(holdsKey(Buffer.from(text))).toBe(false);
  });
});
