/**
 * What a network boot needs, in a folder that a boot server can offer as it is: kernel, initrd, `iso-metadata.yaml` and an
 * iPXE script. Kernel and initrd are those of the ISO.
 */
import { copyFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { out, task } from "../src/engine/index.ts";
import { defaultLabel, readLabels } from "./image/boot-labels.ts";
import { readLoaderFile } from "./image/boot-menu.ts";
import { metadataOf } from "./iso-template.ts";
import { initrdNeeds, readInitrdMembers } from "./rebuild-iso.ts";
import { epoch, isoVersion } from "./settings/image-options.ts";

export const pxe = task({
  name: "pxe",
  description: "Make the files for network boot: kernel, initrd, metadata, iPXE script",
  group: "build",
  needs: initrdNeeds,
  params: { isoVersion, epoch },
  outputs: {
    folder: out.artifactDirectory(
      ({ variant, value }) => `build-files/rz_mk_${variant}-pxe.${value(isoVersion)}`,
    ),
  },
  async run({ needs, params, outputs, join }) {
    const { initrd, plan } = await readInitrdMembers(needs);
    const place = (name: string): string => path.join(outputs.folder, name);
    const { sha256 } = await join(place(plan.initrd), initrd);
    await copyFile(path.join(needs.core.boot, plan.kernel), place(plan.kernel));
    const metadata = metadataOf(plan, params.isoVersion, Number(params.epoch), sha256);
    await writeFile(place("iso-metadata.yaml"), metadata);
    const menu = (await readLoaderFile(path.join(needs.core.boot, "isolinux"), "isolinux.cfg")).toString(
      "latin1",
    );
    const { args } = defaultLabel(readLabels(menu), menu);
    await writeFile(place("boot.ipxe"), ipxeScript(plan.kernel, plan.initrd, args), "latin1");
  },
});

/** Files are looked for beside the script. Under UEFI the kernel takes the initrd's name from its arguments. */
function ipxeScript(kernel: string, initrd: string, args: readonly string[]): string {
  return [
    "#!ipxe",
    `kernel ${[kernel, `initrd=${initrd}`, ...args].join(" ")}`,
    `initrd ${initrd}`,
    "boot",
    "",
  ].join("\n");
}
