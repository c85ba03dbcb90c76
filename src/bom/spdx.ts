/**
 * A bill as SPDX 2.3 JSON.
 *
 * Source: the SPDX specification 2.3 (clauses 6 to 11) and its `schemas/spdx-schema-2-3.json`. What is not known is `NOASSERTION`; a licence
 * in words becomes a `LicenseRef` with these words as its text (clause 10).
 */
import { createHash } from "node:crypto";
import type { Bill, BillFile, Component, ComponentKind, Licence } from "./bill.ts";
import { contentUuid, topComponents } from "./identity.ts";

/** An SPDX identifier: letters, digits, `.` and `-` (3.2). Anything else becomes its number in hex, so that names stay apart. */
function spdxId(kind: string, name: string): string {
  const safe = name.replace(/[^A-Za-z0-9.]/g, (letter) => `-${(letter.codePointAt(0) ?? 0).toString(16)}-`);
  return `SPDXRef-${kind}-${safe}`;
}

const imageId = "SPDXRef-Image";
const filesId = "SPDXRef-Files";

const purposes: Readonly<Record<ComponentKind, string>> = {
  core: "OPERATING_SYSTEM",
  kernel: "OPERATING_SYSTEM",
  extension: "APPLICATION",
  gem: "LIBRARY",
  deb: "LIBRARY",
  extra: "APPLICATION",
};

/** The document's text; the same bill gives the same bytes. */
export function formatSpdx(bill: Bill): string {
  const { image, tool } = bill;
  const names = new LicenceNames();
  const packages = [
    {
      ...{ SPDXID: imageId, name: image.name },
      ...(bill.version === undefined ? {} : { versionInfo: bill.version }),
      ...{ packageFileName: image.name, downloadLocation: "NOASSERTION", filesAnalyzed: false },
      ...{ checksums: [{ algorithm: "SHA256", checksumValue: image.sha256 }] },
      ...{ licenseConcluded: "NOASSERTION", licenseDeclared: "NOASSERTION", copyrightText: "NOASSERTION" },
      primaryPackagePurpose: "OPERATING_SYSTEM",
    },
    ...bill.components.map((one) => packageOf(one, names)),
    ...(bill.files.length === 0 ? [] : [filesPackage(bill)]),
  ];
  const document = {
    spdxVersion: "SPDX-2.3",
    dataLicense: "CC0-1.0",
    SPDXID: "SPDXRef-DOCUMENT",
    name: image.name,
    documentNamespace: `urn:uuid:${contentUuid(bill)}`,
    creationInfo: {
      created: new Date(bill.time * 1000).toISOString().replace(/\.\d+Z$/, "Z"),
      creators: [`Tool: ${tool.name}-${tool.version}`],
    },
    documentDescribes: [imageId],
    packages,
    files: bill.files.map(fileOf),
    relationships: relationshipsOf(bill),
    ...(names.extracted.length === 0 ? {} : { hasExtractedLicensingInfos: names.extracted }),
  };
  return `${JSON.stringify(document, undefined, 2)}\n`;
}

function packageOf(component: Component, names: LicenceNames): object {
  const { id, kind, name, version, description, homepage, file, url, sha256, purl, licences } = component;
  return {
    ...{ SPDXID: packageId(id), name },
    ...(version === undefined ? {} : { versionInfo: version }),
    ...(file === undefined ? {} : { packageFileName: file }),
    ...{ downloadLocation: url ?? "NOASSERTION", filesAnalyzed: false },
    ...(homepage === undefined ? {} : { homepage }),
    ...(sha256 === undefined ? {} : { checksums: [{ algorithm: "SHA256", checksumValue: sha256 }] }),
    licenseConcluded: "NOASSERTION",
    licenseDeclared: names.expressionOf(licences),
    copyrightText: "NOASSERTION",
    ...(description === undefined ? {} : { summary: description }),
    ...(purl === undefined
      ? {}
      : {
          externalRefs: [
            { referenceCategory: "PACKAGE-MANAGER", referenceType: "purl", referenceLocator: purl },
          ],
        }),
    primaryPackagePurpose: purposes[kind],
  };
}

/** The image's own files: a package whose files are described (`filesAnalyzed`) has a verification code over them (7.9). */
function filesPackage({ files }: Bill): object {
  const sums = files.map(({ sha1 }) => sha1).sort();
  return {
    ...{ SPDXID: filesId, name: "files of the image's own", downloadLocation: "NOASSERTION" },
    filesAnalyzed: true,
    packageVerificationCode: {
      packageVerificationCodeValue: createHash("sha1").update(sums.join("")).digest("hex"),
    },
    licenseConcluded: "NOASSERTION",
    licenseInfoFromFiles: ["NOASSERTION"],
    licenseDeclared: "NOASSERTION",
    copyrightText: "NOASSERTION",
  };
}

function packageId(id: string): string {
  return spdxId("Package", id);
}

function fileId(path: string): string {
  return spdxId("File", path);
}

function fileOf({ path, sha1, sha256 }: BillFile): object {
  return {
    SPDXID: fileId(path),
    fileName: `./${path}`,
    checksums: [
      { algorithm: "SHA1", checksumValue: sha1 },
      { algorithm: "SHA256", checksumValue: sha256 },
    ],
    licenseConcluded: "NOASSERTION",
    licenseInfoInFiles: ["NOASSERTION"],
    copyrightText: "NOASSERTION",
  };
}

function relationshipsOf(bill: Bill): readonly object[] {
  const related = (spdxElementId: string, relationshipType: string, relatedSpdxElement: string) => ({
    spdxElementId,
    relationshipType,
    relatedSpdxElement,
  });
  return [
    related("SPDXRef-DOCUMENT", "DESCRIBES", imageId),
    ...bill.components.map(({ id }) => related(imageId, "CONTAINS", packageId(id))),
    ...(bill.files.length === 0 ? [] : [related(imageId, "CONTAINS", filesId)]),
    ...bill.files.map(({ path }) => related(filesId, "CONTAINS", fileId(path))),
    ...topComponents(bill).map((id) => related(imageId, "DEPENDS_ON", packageId(id))),
    ...bill.components.flatMap(({ id, needs, contains }) => [
      ...needs.map((other) => related(packageId(id), "DEPENDS_ON", packageId(other))),
      ...contains.map((other) => related(packageId(id), "CONTAINS", packageId(other))),
    ]),
  ];
}

/** Licences in words, each with a name of its own in the document. */
class LicenceNames {
  readonly #ids = new Map<string, string>();

  get extracted(): readonly object[] {
    return [...this.#ids].map(([name, licenseId]) => ({ licenseId, name, extractedText: name }));
  }

  /** All of the licences; `AND` claims no choice that the source does not state. */
  expressionOf(licences: readonly Licence[]): string {
    if (licences.length === 0) return "NOASSERTION";
    const terms = licences.map((licence) => {
      if (licence.kind === "id") return licence.id;
      if (licence.kind === "named") return this.#reference(licence.name);
      return licences.length === 1 ? licence.expression : `(${licence.expression})`;
    });
    return terms.join(" AND ");
  }

  #reference(name: string): string {
    const known = this.#ids.get(name);
    if (known !== undefined) return known;
    const id = `LicenseRef-${this.#ids.size + 1}`;
    this.#ids.set(name, id);
    return id;
  }
}
