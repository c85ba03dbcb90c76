/**
 * An OCI image of one layer, as a layout on disk that registries' tools copy and unpack.
 *
 * Format: OCI Image Specification 1.0.2 (`image-layout.md`, `image-index.md`, `manifest.md`, `config.md`, `layer.md`).
 */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { copyFile, mkdir, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { createGunzip } from "node:zlib";

interface OciImage {
  /** Absolute path of the layer, a gzipped tarball. */
  readonly layer: string;
  /** GOARCH, as `go env GOARCH` prints it: `amd64`, `386`. */
  readonly architecture: string;
  /** What `docker run` starts without a command. */
  readonly command: readonly string[];
  /** The name of the image within the layout, `latest` for example. */
  readonly reference: string;
  readonly title: string;
  readonly version: string;
  /** Seconds since 1970. */
  readonly created: number;
}

const mediaType = (name: string): string => `application/vnd.oci.image.${name}`;

interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

/** Writes the layout into the directory `root` (absolute), which is empty. Its bytes depend on the image only. */
export async function writeOciLayout(image: OciImage, root: string): Promise<void> {
  const blobs = path.join(root, "blobs/sha256");
  await mkdir(blobs, { recursive: true });
  const putJson = async (type: string, value: unknown): Promise<Descriptor> => {
    const bytes = Buffer.from(JSON.stringify(value));
    const hex = createHash("sha256").update(bytes).digest("hex");
    await writeFile(path.join(blobs, hex), bytes);
    return { mediaType: mediaType(type), digest: `sha256:${hex}`, size: bytes.length };
  };
  const { packed, plain } = await digestsOf(image.layer);
  await copyFile(image.layer, path.join(blobs, packed));
  const layer: Descriptor = {
    mediaType: mediaType("layer.v1.tar+gzip"),
    digest: `sha256:${packed}`,
    size: (await stat(image.layer)).size,
  };
  const created = new Date(image.created * 1000).toISOString().replace(/\.\d+Z$/, "Z");
  const annotations = {
    "org.opencontainers.image.created": created,
    "org.opencontainers.image.title": image.title,
    "org.opencontainers.image.version": image.version,
  };
  const config = await putJson("config.v1+json", {
    created,
    architecture: image.architecture,
    os: "linux",
    config: { Cmd: image.command, Labels: annotations },
    rootfs: { type: "layers", diff_ids: [`sha256:${plain}`] },
    history: [{ created, created_by: image.title }],
  });
  const manifest = await putJson("manifest.v1+json", {
    schemaVersion: 2,
    mediaType: mediaType("manifest.v1+json"),
    config,
    layers: [layer],
    annotations,
  });
  const reference = { "org.opencontainers.image.ref.name": image.reference };
  const index = {
    schemaVersion: 2,
    mediaType: mediaType("index.v1+json"),
    manifests: [{ ...manifest, annotations: reference }],
  };
  await writeFile(path.join(root, "index.json"), JSON.stringify(index));
  await writeFile(path.join(root, "oci-layout"), JSON.stringify({ imageLayoutVersion: "1.0.0" }));
}

/** The sha256 of a gzipped file, and of what it unpacks to. */
async function digestsOf(file: string): Promise<{ readonly packed: string; readonly plain: string }> {
  const packed = createHash("sha256");
  const plain = createHash("sha256");
  const source = createReadStream(file);
  source.on("data", (chunk) => packed.update(chunk));
  const unpacked = source.pipe(createGunzip());
  source.on("error", (error) => unpacked.destroy(error));
  for await (const chunk of unpacked) plain.update(chunk as Buffer);
  return { packed: packed.digest("hex"), plain: plain.digest("hex") };
}
