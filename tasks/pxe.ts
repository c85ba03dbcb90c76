/**
 * What a network boot needs, in a directory that a boot server can offer as it is: kernel, initrd, `iso-metadata.yaml` and an
 * iPXE script. Kernel, initrd and metadata are those of the ISO, at the same paths.
 */
import { copyFile, mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { out, task } from "../src/engine/index.ts";
import { defaultLabel } from "../src/formats/index.ts";
import { readBootMenu } from "./image/boot-menu.ts";
import { bootPath, metadataOf } from "./image/image-identity.ts";
import { ipxeScript, servedName } from "./image/ipxe-script.ts";
import { initrdNeeds, readInitrdMembers } from "./rebuild-iso.ts";
import { epoch, isoVersion } from "./settings/image-options.ts";

export const pxe = task({
  name: "pxe",
  description: "Make the files for network boot: kernel, initrd, metadata, iPXE script",
  group: "build",
  needs: initrdNeeds,
  params: { isoVersion, epoch },
  outputs: {
    directory: out.artifactDirectory(
      ({ variant, value }) => `build-files/rz_mk_${variant}-pxe.${value(isoVersion)}`,
    ),
  },
  async run({ needs, params, outputs, join }) {
    const { initrd, plan } = await readInitrdMembers(needs);
    const place = (name: string): string => path.join(outputs.directory, name);
    await mkdir(path.dirname(place(bootPath(plan.initrd))));
    const { sha256 } = await join(place(bootPath(plan.initrd)), initrd);
    await copyFile(path.join(needs.core.boot, plan.kernel), place(bootPath(plan.kernel)));
    const metadata = metadataOf(plan, params.isoVersion, Number(params.epoch), sha256);
    await writeFile(place("iso-metadata.yaml"), metadata);
    const { args, initrds } = defaultLabel(await readBootMenu(needs.core.boot));
    for (const file of initrds.filter((one) => one !== `/boot/${plan.initrd}`)) {
      await copyFile(
        path.join(needs.core.boot, path.posix.relative("/boot", file)),
        place(bootPath(servedName(file))),
      );
    }
    const served = initrds.map((file) => bootPath(servedName(file)));
    const script = ipxeScript(bootPath(plan.kernel), served, args);
    await writeFile(place("boot.ipxe"), script, "latin1");
  },
});
