/** How an image introduces itself: the ISO's names, and a file in its root that describes kernel and initrd. */
import { fillName, type ImageNames } from "./image-names.ts";
import { isoMetadata, volumeId } from "./iso-metadata.ts";

/** What the ISO around an initrd was made with. */
export interface IsoPlan {
  /** Size of the initrd in bytes, and its file name in the boot directory. */
  readonly initrdSize: number;
  readonly initrd: string;
  readonly kernel: string;
  /** sha256 in hex. */
  readonly kernelSha256: string;
}

export interface ImageIdentity {
  /** The ISO's volume id; `note` says that it was truncated. */
  readonly volume: { readonly id: string; readonly note?: string };
  /** The ISO's application id. */
  readonly application: string;
  /** A file of the ISO that follows the initrd, if the flavour has one. */
  readonly description?: ImageDescription;
}

export interface ImageDescription {
  /** Relative to the ISO's root. */
  readonly path: string;
  /** The file's bytes, always as many; `initrdSha256` in hex. */
  readonly bytes: (plan: IsoPlan, initrdSha256: string) => Buffer;
}

/** The path of a boot file, such as the kernel, from the root of the ISO or of the directory for network boot. */
export function bootPath(name: string): string {
  return `boot/${name}`;
}

/** A Razor Microkernel: a Razor server reads `iso-metadata.yaml`. `epoch` is seconds since 1970. */
export function microkernelIdentity(version: string, epoch: number): ImageIdentity {
  return {
    volume: volumeId(version),
    application: "Razor Microkernel",
    description: {
      path: "iso-metadata.yaml",
      bytes: (plan, initrdSha256) => metadataOf(plan, version, epoch, initrdSha256),
    },
  };
}

/** `iso-metadata.yaml`; always of the same size, whatever the initrd's digest. */
export function metadataOf(plan: IsoPlan, version: string, epoch: number, initrdSha256: string): Buffer {
  const { kernelSha256 } = plan;
  const [kernel, initrd] = [bootPath(plan.kernel), bootPath(plan.initrd)];
  return Buffer.from(isoMetadata({ version, kernel, kernelSha256, initrd, initrdSha256, epoch }));
}

/** What fills the names of an image. */
type NameValues = Readonly<Record<"version" | "variant" | "arch", string>>;

/** The identity with the names that a project gives. @throws UserError `image-names` for one that is too long */
export function named(identity: ImageIdentity, names: ImageNames, values: NameValues): ImageIdentity {
  const { volume, application } = names;
  return {
    ...identity,
    ...(volume === undefined
      ? {}
      : { volume: { id: fillName(volume, values, { key: "volume", most: 32 }) } }),
    ...(application === undefined
      ? {}
      : { application: fillName(application, values, { key: "application", most: 128 }) }),
  };
}

/** A remastered Core keeps the volume id of Core's ISO. */
export function remasterIdentity(volume: string): ImageIdentity {
  return { volume: { id: volume }, application: "Tiny Core Linux, remastered" };
}
