/**
 * The rules of SPDX 2.3 for documents, as far as a bill of materials has fields for them.
 *
 * Sources: the specification, clauses 6 to 11, and `schemas/spdx-schema-2-3.json` beside it: which fields there are, which must be,
 * and the words that a field may have.
 */
import { createHash } from "node:crypto";
import { Ajv } from "ajv";
import parseExpression from "spdx-expression-parse";

const text = { type: "string", minLength: 1 };
const id = { type: "string", pattern: "^SPDXRef-[A-Za-z0-9.-]+$" };
const list = (items: object, minItems = 0): object => ({ type: "array", items, minItems });
const object = (required: object, optional: object = {}): object => ({
  type: "object",
  properties: { ...required, ...optional },
  required: Object.keys(required),
  additionalProperties: false,
});

const checksums = list(
  object({
    algorithm: { enum: ["SHA1", "SHA256"] },
    checksumValue: { type: "string", pattern: "^([0-9a-f]{40}|[0-9a-f]{64})$" },
  }),
  1,
);
const purposes = ["APPLICATION", "ARCHIVE", "FILE", "FIRMWARE", "LIBRARY", "OPERATING_SYSTEM", "OTHER"];

const schema = object(
  {
    spdxVersion: { const: "SPDX-2.3" },
    dataLicense: { const: "CC0-1.0" },
    SPDXID: { const: "SPDXRef-DOCUMENT" },
    name: text,
    documentNamespace: { type: "string", pattern: "^[a-z]+:[^#\\s]+$" },
    creationInfo: object({
      created: { type: "string", pattern: "^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\dZ$" },
      creators: list({ type: "string", pattern: "^(Tool|Organization|Person): \\S+" }, 1),
    }),
  },
  {
    documentDescribes: list(id, 1),
    packages: list(
      object(
        { SPDXID: id, name: text, downloadLocation: text },
        {
          ...{ versionInfo: text, packageFileName: text, filesAnalyzed: { type: "boolean" }, checksums },
          packageVerificationCode: object({
            packageVerificationCodeValue: { type: "string", pattern: "^[0-9a-f]{40}$" },
          }),
          ...{ homepage: text, summary: text, licenseConcluded: text, licenseDeclared: text },
          ...{ licenseInfoFromFiles: list(text, 1), copyrightText: text },
          externalRefs: list(
            object({
              referenceCategory: { enum: ["OTHER", "PERSISTENT-ID", "SECURITY", "PACKAGE-MANAGER"] },
              referenceType: text,
              referenceLocator: { type: "string", pattern: "^\\S+$" },
            }),
          ),
          primaryPackagePurpose: { enum: purposes },
        },
      ),
      1,
    ),
    files: list(
      object(
        { SPDXID: id, fileName: { type: "string", pattern: "^\\./" }, checksums },
        { licenseConcluded: text, licenseInfoInFiles: list(text, 1), copyrightText: text },
      ),
    ),
    relationships: list(
      object({
        spdxElementId: id,
        relatedSpdxElement: id,
        relationshipType: { enum: ["CONTAINS", "DEPENDS_ON", "DESCRIBES"] },
      }),
    ),
    hasExtractedLicensingInfos: list(
      object(
        { licenseId: { type: "string", pattern: "^LicenseRef-[A-Za-z0-9.-]+$" }, extractedText: text },
        { name: text },
      ),
    ),
  },
);

export interface SpdxDocument {
  readonly documentNamespace: string;
  readonly packages: readonly {
    readonly SPDXID: string;
    readonly name: string;
    readonly filesAnalyzed: boolean;
    readonly licenseConcluded: string;
    readonly licenseDeclared: string;
    readonly packageVerificationCode?: { readonly packageVerificationCodeValue: string };
  }[];
  readonly files: readonly {
    readonly SPDXID: string;
    readonly fileName: string;
    readonly checksums: readonly { readonly algorithm: string; readonly checksumValue: string }[];
  }[];
  readonly relationships: readonly {
    readonly spdxElementId: string;
    readonly relationshipType: string;
    readonly relatedSpdxElement: string;
  }[];
  readonly hasExtractedLicensingInfos?: readonly { readonly licenseId: string }[];
}

/** What breaks the rules; empty for a good document. */
export function spdxFaults(content: string): readonly string[] {
  const document = JSON.parse(content) as SpdxDocument;
  const ajv = new Ajv({ allErrors: true, strict: true });
  if (!ajv.validate(schema, document))
    return (ajv.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
  const { packages, files, relationships, hasExtractedLicensingInfos = [] } = document;
  const faults: string[] = [];
  const ids = ["SPDXRef-DOCUMENT", ...[...packages, ...files].map(({ SPDXID }) => SPDXID)];
  const known = new Set(ids);
  if (known.size < ids.length) faults.push("two elements have one identifier");
  for (const { spdxElementId, relatedSpdxElement } of relationships)
    for (const one of [spdxElementId, relatedSpdxElement])
      if (!known.has(one)) faults.push(`${one} is related, but not in the document`);
  const licences = new Set(hasExtractedLicensingInfos.map(({ licenseId }) => licenseId));
  for (const { name, licenseConcluded, licenseDeclared } of packages) {
    for (const expression of [licenseConcluded, licenseDeclared]) {
      if (expression === "NOASSERTION" || expression === "NONE") continue;
      try {
        parseExpression(expression);
      } catch {
        faults.push(`${name}: ${expression} is no expression`);
      }
      for (const [reference] of expression.matchAll(/LicenseRef-[A-Za-z0-9.-]+/g))
        if (!licences.has(reference)) faults.push(`${name}: ${reference} has no text`);
    }
  }
  // 7.8: a package whose files were not analysed contains none; 7.9: the code of one that has files.
  const analysed = packages.filter(({ filesAnalyzed }) => filesAnalyzed);
  for (const { SPDXID, filesAnalyzed } of packages) {
    const contains = relationships.filter((one) => one.spdxElementId === SPDXID);
    const hasFiles = contains.some((one) => files.some((file) => file.SPDXID === one.relatedSpdxElement));
    if (hasFiles !== filesAnalyzed) faults.push(`${SPDXID}: filesAnalyzed is ${filesAnalyzed}`);
  }
  for (const { packageVerificationCode, name } of analysed) {
    const sums = files.map(
      ({ checksums }) => checksums.find((one) => one.algorithm === "SHA1")?.checksumValue,
    );
    const code = createHash("sha1").update(sums.sort().join("")).digest("hex");
    if (packageVerificationCode?.packageVerificationCodeValue !== code)
      faults.push(`${name}: another verification code`);
  }
  return faults;
}
