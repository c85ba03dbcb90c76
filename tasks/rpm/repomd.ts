/** repomd.xml, the index of a repository's metadata (createrepo_c's manual; libdnf reads it with librepo). */
import { UserError } from "../../src/errors/index.ts";
import { childrenOf, parseXml, textOf } from "./xml.ts";

export interface MetadataFile {
  /** `primary`, `filelists`, `modules`, … */
  readonly type: string;
  /** Relative to the repository's directory. */
  readonly href: string;
  /** In hex. */
  readonly sha256: string;
  /** Bytes; undefined if the index does not tell. */
  readonly size: number | undefined;
  /** The element's own text. */
  readonly xml: string;
}

/** What dnf needs to resolve: `filelists` for dependencies on files, `modules` where there are streams. */
const neededTypes = ["primary", "filelists", "modules"];

/**
 * The needed metadata files of a repository.
 * @throws UserError `repository-metadata`
 */
export function parseRepomd(text: string, label: string): readonly MetadataFile[] {
  const document = parseXml(text, "repomd", label, "repository-metadata");
  const root = document.documentElement;
  const files = (root === null ? [] : childrenOf(root, "data")).flatMap((data): readonly MetadataFile[] => {
    const type = data.getAttribute("type") ?? "";
    if (!neededTypes.includes(type)) return [];
    const href = childrenOf(data, "location")[0]?.getAttribute("href") ?? "";
    const checksum = childrenOf(data, "checksum")[0];
    const sha256 = checksum?.textContent?.trim() ?? "";
    if (checksum?.getAttribute("type") !== "sha256" || !/^[0-9a-f]{64}$/.test(sha256))
      throw bad(`${type} has no sha256, and other digests are not enough`, label);
    if (!/^[\w][\w./+~-]*$/.test(href) || href.split("/").includes(".."))
      throw bad(`${type} has the location "${href}"`, label);
    const size = /^\d+$/.test(textOf(data, "size")) ? Number(textOf(data, "size")) : undefined;
    return [{ type, href, sha256, size, xml: data.toString() }];
  });
  if (!files.some(({ type }) => type === "primary")) throw bad("it has no primary metadata", label);
  return files;
}

/** The text of a repomd.xml with these files only. */
export function formatRepomd(files: readonly Pick<MetadataFile, "xml">[], revision: string): string {
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<repomd xmlns="http://linux.duke.edu/metadata/repo" xmlns:rpm="http://linux.duke.edu/metadata/rpm">',
    `  <revision>${revision}</revision>`,
    ...files.map(({ xml }) => `  ${xml}`),
    "</repomd>",
    "",
  ].join("\n");
}

function bad(why: string, label: string): UserError {
  return new UserError(`the repository's index is not usable: ${why}`, {
    code: "repository-metadata",
    where: label,
    hint: "ask the repository's owner to create the metadata with sha256 (createrepo_c's default)",
  });
}
