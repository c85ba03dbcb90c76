/** Package URLs of components. Source: the purl specification and its types `gem`, `deb` and `generic`. */

/** Of a file that belongs to no package manager; `url` where it was downloaded from, the digest in hex. */
export async function genericPurl(
  name: string,
  version: string | undefined,
  { url, sha256 }: { readonly url?: string | undefined; readonly sha256?: string | undefined },
): Promise<string> {
  const qualifiers = {
    ...(sha256 === undefined ? {} : { checksum: `sha256:${sha256}` }),
    ...(url === undefined ? {} : { download_url: url }),
  };
  return await purl("generic", undefined, name, version, qualifiers);
}

/** `platform` is `ruby` for a gem without machine code. */
export async function gemPurl(name: string, version: string, platform: string): Promise<string> {
  return await purl("gem", undefined, name, version, platform === "ruby" ? {} : { platform });
}

/** Ubuntu puts its name into the versions of packages that it changed; the others are Debian's. */
export async function debPurl(name: string, version: string): Promise<string> {
  return await purl("deb", version.includes("ubuntu") ? "ubuntu" : "debian", name, version, {});
}

async function purl(
  type: string,
  namespace: string | undefined,
  name: string,
  version: string | undefined,
  qualifiers: Readonly<Record<string, string>>,
): Promise<string> {
  const { PackageURL } = await import("packageurl-js");
  return new PackageURL(type, namespace, name, version, qualifiers, undefined).toString();
}
