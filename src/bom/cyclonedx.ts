/** A bill as CycloneDX 1.6 JSON (ECMA-424). The library knows the format; here the bill is put into its model. */
import type { Models } from "@cyclonedx/cyclonedx-library";
import type { Bill, Component, ComponentKind, Licence } from "./bill.ts";
import { contentUuid, topComponents } from "./identity.ts";

type Library = typeof import("@cyclonedx/cyclonedx-library");

/** The document's text; the same bill gives the same bytes. */
export async function formatCycloneDx(bill: Bill): Promise<string> {
  const library = await import("@cyclonedx/cyclonedx-library");
  const { Models, Enums, Serialize, Spec } = library;
  const { name, size, sha256 } = bill.image;
  const image = new Models.Component(Enums.ComponentType.OperatingSystem, name, {
    bomRef: "image",
    ...(bill.version === undefined ? {} : { version: bill.version }),
    hashes: new Models.HashDictionary([[Enums.HashAlgorithm["SHA-256"], sha256]]),
    properties: properties(library, { size }),
  });
  const tool = new Models.Component(Enums.ComponentType.Application, bill.tool.name, {
    version: bill.tool.version,
  });
  const made = new Map(bill.components.map((one) => [one.id, componentOf(library, one)]));
  for (const { id, needs, contains } of bill.components) {
    for (const other of [...needs, ...contains]) {
      const target = made.get(other);
      if (target !== undefined) made.get(id)?.dependencies.add(target.bomRef);
    }
  }
  for (const id of topComponents(bill)) {
    const target = made.get(id);
    if (target !== undefined) image.dependencies.add(target.bomRef);
  }
  const components = new Models.ComponentRepository(made.values());
  if (bill.files.length > 0) components.add(filesComponent(library, bill));
  const document = new Models.Bom({
    serialNumber: `urn:uuid:${contentUuid(bill)}`,
    metadata: new Models.Metadata({
      timestamp: new Date(bill.time * 1000),
      tools: new Models.Tools({ components: new Models.ComponentRepository([tool]) }),
      component: image,
    }),
    components,
  });
  const serializer = new Serialize.JsonSerializer(new Serialize.JSON.Normalize.Factory(Spec.Spec1dot6));
  return `${serializer.serialize(document, { sortLists: false, space: 2 })}\n`;
}

const types: Readonly<Record<ComponentKind, keyof Library["Enums"]["ComponentType"]>> = {
  core: "OperatingSystem",
  kernel: "OperatingSystem",
  extension: "Application",
  gem: "Library",
  deb: "Library",
  extra: "Application",
};

function componentOf(library: Library, component: Component): Models.Component {
  const { Models, Enums } = library;
  const { id, kind, name, version, description, purl, sha256, licences, url, homepage, file, size } =
    component;
  const references = new Models.ExternalReferenceRepository();
  if (url !== undefined)
    references.add(new Models.ExternalReference(url, Enums.ExternalReferenceType.Distribution));
  if (homepage !== undefined)
    references.add(new Models.ExternalReference(homepage, Enums.ExternalReferenceType.Website));
  return new Models.Component(Enums.ComponentType[types[kind]], name, {
    bomRef: id,
    ...(version === undefined ? {} : { version }),
    ...(description === undefined ? {} : { description }),
    ...(purl === undefined ? {} : { purl }),
    hashes: new Models.HashDictionary(sha256 === undefined ? [] : [[Enums.HashAlgorithm["SHA-256"], sha256]]),
    licenses: licensesOf(library, licences),
    externalReferences: references,
    properties: properties(library, {
      kind,
      path: file,
      size,
      licence: licences.length === 0 ? "not stated" : undefined,
    }),
  });
}

/** A list has either one expression or any number of licences (CycloneDX 1.6, `licenseChoice`). */
function licensesOf({ Models }: Library, licences: readonly Licence[]): Models.LicenseRepository {
  const [only] = licences;
  if (only?.kind === "expression" && licences.length === 1)
    return new Models.LicenseRepository([new Models.LicenseExpression(only.expression)]);
  return new Models.LicenseRepository(
    licences.map((licence) =>
      licence.kind === "id"
        ? new Models.SpdxLicense(licence.id)
        : new Models.NamedLicense(licence.kind === "named" ? licence.name : licence.expression),
    ),
  );
}

/** The image's own files, as one component with a component for each. */
function filesComponent(library: Library, { files }: Bill): Models.Component {
  const { Models, Enums } = library;
  const parts = files.map(
    ({ path, size, sha256, sha1 }) =>
      new Models.Component(Enums.ComponentType.File, path, {
        bomRef: `file/${path}`,
        hashes: new Models.HashDictionary([
          [Enums.HashAlgorithm["SHA-1"], sha1],
          [Enums.HashAlgorithm["SHA-256"], sha256],
        ]),
        properties: properties(library, { size }),
      }),
  );
  return new Models.Component(Enums.ComponentType.Data, "files of the image's own", {
    bomRef: "files",
    components: new Models.ComponentRepository(parts),
  });
}

/** Facts that the format has no field for, under this program's name. */
function properties(
  { Models }: Library,
  facts: Readonly<Record<string, string | number | undefined>>,
): Models.PropertyRepository {
  const given = Object.entries(facts).filter(([, value]) => value !== undefined);
  return new Models.PropertyRepository(
    given.map(([name, value]) => new Models.Property(`razor-mk:${name}`, String(value))),
  );
}
