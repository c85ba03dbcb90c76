/** An image put together by hand from the sample base, the overlay and extensions that the test makes. */
import { chmod, mkdir, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import {
  bytesContent,
  FileTree,
  joinLayers,
  packSquashfs,
  rootOwned,
  treeFromDirectory,
  writeLayer,
} from "../src/formats/index.ts";
import type { Shell } from "../src/host/index.ts";
import { usesPrograms } from "./support/programs.ts";

usesPrograms("dpkg-deb", "openssl");

export interface TestImage {
  readonly $: Shell;
  /** Absolute; images are made in it. */
  readonly directory: string;
  /** Absolute path of the base's unpacked ISO. */
  readonly unpacked: string;
  /** Absolute path of a directory laid out as `/tmp/builtin`. */
  readonly extensions: string;
  /** Absolute path of `overlay-src`. */
  readonly overlay: string;
  readonly epoch: number;
}

/** Adds the overlay and the extensions to the base's initrd, as layers. */
export async function buildImage(
  { $, directory, unpacked, extensions, overlay, epoch: mtime }: TestImage,
  variant: { readonly password?: string; readonly autologin?: boolean },
): Promise<{ readonly kernel: string; readonly initrd: string }> {
  const loaded = new FileTree().addDirectory("tmp", { mtime, mode: 0o1777 });
  loaded.addTree(await treeFromDirectory(extensions, { mtime }), "tmp/builtin").ensureParents({ mtime });

  const own = await treeFromDirectory(overlay, {
    mtime,
    policy: (path, entry) => ({ ...rootOwned(path, entry), ...(path === "tmp" ? { mode: 0o1777 } : {}) }),
  });
  const replace = async (path: string, from: string, to: string, mode = 0o644): Promise<void> => {
    const text = (await own.read(path)).toString().replace(from, to);
    own.addFile(path, bytesContent(text), { mtime, mode });
  };
  const { password } = variant;
  const hash = password === undefined ? "*" : (await $`openssl passwd -6 ${password}`).stdout.trim();
  await replace("etc/shadow", "tc:*:", `tc:${hash}:`, 0o600);
  if (variant.autologin === true) {
    await replace("etc/inittab", "/sbin/getty 38400 tty1", "/sbin/getty -nl /sbin/autologin 38400 tty1");
    await replace("etc/inittab", "/etc/init.d/serial-console", "/etc/init.d/serial-console autologin");
  }
  own.addFile("tmp/mk-version.yaml", bytesContent("mk_version: 1.2.3\n"), { mtime });

  const layers = [join(directory, "extensions.gz"), join(directory, "overlay.gz")] as const;
  await writeLayer(loaded, layers[0], { level: 1 });
  await writeLayer(own, layers[1]);
  const initrd = join(directory, "image.gz");
  await joinLayers([join(unpacked, "boot/corepure64.gz"), ...layers], initrd);
  return { kernel: join(unpacked, "boot/vmlinuz64"), initrd };
}

export interface ExtensionOptions {
  readonly $: Shell;
  readonly directory: string;
  readonly kernelRelease: string;
  readonly packages: Readonly<Record<string, string>>;
  readonly epoch: number;
}

/** Makes extensions that each need something of the boot scripts; returns a directory laid out as `/tmp/builtin`. */
export async function makeExtensions(options: ExtensionOptions): Promise<string> {
  const { $, directory, kernelRelease, packages } = options;
  const builtin = join(directory, "builtin");
  await mkdir(join(builtin, "optional"), { recursive: true });
  const script = (text: string): string => `#!/bin/sh\n${text}\n`;

  // Needs another one that no list names, brings a file that is there already and a link into the other one.
  await makeExtension(options, builtin, "greeting", {
    depends: "words.tcz \n\n",
    files: {
      "usr/local/bin/greeting": script("echo hello"),
      "usr/local/bin/alias-of-words": "-> words",
      "usr/local/tce.installed/greeting": script("id -u >/tmp/started"),
      "etc/shells": "spoilt\n",
    },
  });
  await makeExtension(options, builtin, "words", { files: { "usr/local/bin/words": script("echo words") } });
  await makeExtension(options, builtin, "broken", {
    depends: "words.tcz\nmissing.tcz\n",
    files: { "usr/local/bin/broken": script("") },
  });
  await makeExtension(options, builtin, "late", {
    depends: "driver-KERNEL.tcz\n",
    files: { "usr/local/bin/late": script("") },
  });
  await makeExtension(options, builtin, "copied", { files: { "usr/local/bin/copied": script("") } });

  // A module that the base's tables do not know in advance.
  const driver = join(directory, `driver-${kernelRelease}`);
  const module = join(driver, "lib/modules", kernelRelease, "kernel/drivers/net/dummy.ko");
  await mkdir(dirname(module), { recursive: true });
  const names = Object.keys(packages).filter((name) => name.startsWith("linux-"));
  for (const name of names) {
    const scratch = join(directory, `modules of ${name}`);
    await mkdir(scratch);
    await $`dpkg-deb --fsys-tarfile ${packages[name] ?? ""} | tar -x -C ${scratch} --wildcards ${"*/drivers/net/dummy.ko*"}`.nothrow();
    await $`find ${scratch} -name ${"dummy.ko*"} -exec mv {} ${dirname(module)} ${";"}`;
  }
  await packSquashfs($, driver, join(builtin, `optional/driver-${kernelRelease}.tcz`), {
    epoch: options.epoch,
  });

  await writeFile(
    join(builtin, "onboot.lst"),
    "# in this order\n\ngreeting.tcz and more words\nbroken.tcz\ncopied.tcz # of its own\nlate.tcz\n",
  );
  await writeFile(join(builtin, "copy2fs.lst"), "copied.tcz\n");
  return builtin;
}

/** A file's text that begins with `-> ` makes a symbolic link; what is below `bin` or `tce.installed` is executable. */
async function makeExtension(
  { $, directory, epoch }: ExtensionOptions,
  builtin: string,
  name: string,
  { files, depends }: { readonly files: Readonly<Record<string, string>>; readonly depends?: string },
): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    const file = join(directory, name, path);
    await mkdir(dirname(file), { recursive: true });
    if (text.startsWith("-> ")) await symlink(text.slice(3), file);
    else {
      await writeFile(file, text);
      await chmod(file, /\/(bin|tce\.installed)\//.test(path) ? 0o755 : 0o644);
    }
  }
  await packSquashfs($, join(directory, name), join(builtin, `optional/${name}.tcz`), { epoch });
  if (depends !== undefined) await writeFile(join(builtin, `optional/${name}.tcz.dep`), depends);
}
