/**
 * Licences as authors, mirrors and distributions write them, brought to identifiers of SPDX where that is certain.
 *
 * Sources: the SPDX licence list; Debian's copyright-format 1.0, "License specification" (short names, of which `+` means "or
 * later"; `or`, `and` between names). Free words such as `GPLv2` do not tell whether later versions are meant, so they stay words.
 */
// Makes the declarations visible to projects that use this package, whatever files their configuration includes.
/// <reference path="./spdx-expression-parse.d.ts" />
import type { Licence } from "./bill.ts";

/** Short names of copyright-format 1.0 that are not identifiers of SPDX themselves. */
const debianNames: ReadonlyMap<string, string> = new Map([
  ["Expat", "MIT"],
  ["ISC", "ISC"],
  ["zlib", "Zlib"],
  ["Artistic", "Artistic-1.0"],
  ["Perl", "Artistic-1.0-Perl OR GPL-1.0-or-later"],
  ["Python", "PSF-2.0"],
  ["CC0", "CC0-1.0"],
]);

const gnuName = /^(GPL|LGPL|AGPL|GFDL)-?([0-9](?:\.[0-9]+)?)(\+)?$/;

/** Texts that say where the licence is stated, and not what it is. */
const noStatement = /^(?:see\b.*|unknown|none|n\/a|various|-+)?$/i;

/** Reads names of licences, each of which may be anything. Those that state nothing are left out. */
export async function readLicences(names: Iterable<string>): Promise<readonly Licence[]> {
  const { SPDX } = await import("@cyclonedx/cyclonedx-library");
  const { default: parseExpression } = await import("spdx-expression-parse");
  const found = new Map<string, Licence>();
  for (const name of names) {
    const text = name
      .trim()
      .replace(/\s+/g, " ")
      // Of a list such as "GPL-2, and Expat".
      .replace(/^(?:and|or) /, "");
    if (noStatement.test(text)) continue;
    const known = (one: string) => debianNames.get(one) ?? gnuIdentifier(one) ?? SPDX.fixupSpdxId(one);
    const wanted = known(text) ?? expressionOf(text, known) ?? text;
    found.set(wanted, licenceOf(wanted, SPDX.isSupportedSpdxId, parseExpression));
  }
  return [...found.values()];
}

/** `MIT OR GPL-2.0-or-later` of `Expat or GPL-2+`; undefined unless each of the names is known. */
function expressionOf(text: string, known: (name: string) => string | undefined): string | undefined {
  const words = text.split(/ (and|or) /);
  if (words.length === 1) return undefined;
  const parts = words.map((word, index) => (index % 2 === 1 ? word.toUpperCase() : known(word)));
  return parts.includes(undefined) ? undefined : parts.map((part) => grouped(part ?? "")).join(" ");
}

function grouped(part: string): string {
  return / /.test(part) ? `(${part})` : part;
}

/** `GPL-2.0-or-later` of Debian's `GPL-2+`; undefined for anything else. */
function gnuIdentifier(text: string): string | undefined {
  const [, family, version, later] = gnuName.exec(text) ?? [];
  if (family === undefined || version === undefined) return undefined;
  const whole = version.includes(".") ? version : `${version}.0`;
  return `${family}-${whole}-${later === undefined ? "only" : "or-later"}`;
}

function licenceOf(
  text: string,
  isId: (text: string) => boolean,
  parse: (expression: string) => unknown,
): Licence {
  if (isId(text)) return { kind: "id", id: text };
  try {
    parse(text);
    return { kind: "expression", expression: text };
  } catch {
    return { kind: "named", name: text };
  }
}

/** As people read it. */
export function describeLicence(licence: Licence): string {
  switch (licence.kind) {
    case "id":
      return licence.id;
    case "expression":
      return licence.expression;
    case "named":
      return licence.name;
  }
}
