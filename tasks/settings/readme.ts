/** README of an image: a template of the project's, whose fields a build fills in. */
import { didYouMean, UserError } from "../../src/errors/index.ts";

/** The template, relative to the workspace. An image has a README if its project has this file. */
export const readmeFile = "image-src/README";

/** Something that an image contains. */
export interface ContentEntry {
  readonly name: string;
  readonly bytes: number;
  /** In hex. */
  readonly sha256: string;
}

/** What the fields of a template stand for. */
export interface ReadmeFields {
  readonly version: string;
  readonly variant: string;
  /** Seconds since 1970. */
  readonly epoch: number;
  readonly contents: readonly ContentEntry[];
}

/** The template that `readme --edit` begins with. */
export const firstReadme = `{{version}} ({{variant}}), {{date}}

Contents, with their sizes in bytes:

{{contents}}

Digests, as sha256sum(1) prints them:

{{digests}}
`;

/** The value of each field, as text. */
const fields: Readonly<Record<string, (values: ReadmeFields) => string>> = {
  version: ({ version }) => version,
  variant: ({ variant }) => variant,
  date: ({ epoch }) => new Date(epoch * 1000).toISOString().slice(0, 10),
  contents: ({ contents }) => table(contents).join("\n"),
  digests: ({ contents }) => contents.map(({ name, sha256 }) => `${sha256}  ${name}`).join("\n"),
};

/**
 * The text of README: the template with the value of each `{{field}}`; fields that `kept` names stay as they are. `where` is the
 * template's name in messages.
 * @throws UserError `readme-field` for a field that does not exist
 */
export function renderReadme(
  template: string,
  values: ReadmeFields,
  where: string,
  kept: readonly string[] = [],
): string {
  return template
    .split("\n")
    .map((line, index) =>
      line.replace(/\{\{\s*([^{}]*?)\s*\}\}/g, (field, name: string) => {
        if (kept.includes(name)) return `{{${name}}}`;
        const value = Object.hasOwn(fields, name) ? fields[name] : undefined;
        if (value !== undefined) return value(values);
        const known = Object.keys(fields);
        throw new UserError(`there is no field ${field}`, {
          code: "readme-field",
          where: `${where}:${index + 1}`,
          hint: didYouMean(name, known) ?? `fields: ${known.map((one) => `{{${one}}}`).join(", ")}`,
        });
      }),
    )
    .join("\n");
}

/** One line an entry: its name, and its size aligned at the right. */
function table(contents: readonly ContentEntry[]): readonly string[] {
  const rows = contents.map(({ name, bytes }) => [name, String(bytes)] as const);
  const [names, sizes] = [0, 1].map((column) =>
    rows.reduce((most, row) => Math.max(most, row[column]?.length ?? 0), 0),
  );
  return rows.map(([name, size]) => `${name.padEnd(names ?? 0)}  ${size.padStart(sizes ?? 0)}`);
}
