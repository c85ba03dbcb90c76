/** Every error code: explained, thrown somewhere, and on the page of errors. Every message: in one style. */
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { renderErrors } from "../../bin/error-page.mjs";
import { errorAreas } from "../../src/errors/codes/index.ts";
import { checkout } from "./workshop.ts";

const areas = Object.values(errorAreas);
const codes = areas.flatMap((area) => Object.keys(area));
const explanations = areas.flatMap((area) => Object.values(area));

/** The program's sources, without the table itself. */
const sources = ["src", "tasks", "bin"]
  .flatMap((directory) =>
    readdirSync(path.join(checkout, directory), { recursive: true, encoding: "utf8" })
      .filter((name) => /\.(ts|mjs|js)$/.test(name))
      .map((name) => path.join(directory, name)),
  )
  .filter((name) => !name.startsWith("src/errors/codes/"))
  .map((name) => readFileSync(path.join(checkout, name), "utf8"));

/** For the project's own tasks, which are not part of the program. */
const forProjects = ["project-error"];

describe("an error code", () => {
  it("is in kebab case, and in one area only", () => {
    expect(codes.filter((code) => !/^[a-z0-9]+(-[a-z0-9]+)*$/.test(code))).toEqual([]);
    expect(new Set(codes).size).toBe(codes.length);
  });

  it("is used by the program", () => {
    const text = sources.join("\n");
    const unused = codes.filter((code) => !text.includes(`"${code}"`) && !text.includes(`[${code}]`));
    expect(unused).toEqual(forProjects);
  });

  it("is explained in full sentences, without source code", () => {
    for (const { meaning, remedy } of explanations) {
      expect(meaning).toMatch(/^[A-Z`].*\.$/);
      expect(remedy).toMatch(/^[A-Z`].*\.$/);
      expect(`${meaning} ${remedy}`).not.toMatch(/\$\{|=>|undefined|JSON\.|<\w/);
    }
  });
});

describe("docs/errors.md", () => {
  const page = readFileSync(path.join(checkout, "docs/errors.md"), "utf8");
  const headings = [...page.matchAll(/^## (.*)$/gm)].map(([, heading]) => heading);

  it("is generated from the table (`npm run docs` writes it)", () => {
    expect(page).toBe(renderErrors(errorAreas));
  });

  it("has a section for every code, in alphabetical order, and links to it from the index", () => {
    expect(headings).toEqual([...codes].sort());
    expect([...page.matchAll(/\]\(#([^)]*)\)/g)].map(([, anchor]) => anchor).sort()).toEqual(headings);
  });
});

/** Messages and hints that are written as one text: the first argument of an error, and its hint. */
function messagesIn(source: string): readonly string[] {
  const text = /(?:new (?:UserError|UsageError)\(\s*|\bhint: )(["'`])((?:\\.|(?!\1)[^\\])*)\1/gs;
  return [...source.matchAll(text)].map(([, , message]) => message ?? "");
}

describe("a message", () => {
  const messages = sources.flatMap(messagesIn);

  it("starts in lower case, ends without a full stop, and quotes names with double quotes", () => {
    expect(messages.length).toBeGreaterThan(200);
    // Names may begin with a capital.
    const loud = messages.filter(
      (text) => /[^.…][.!]$/.test(text) || /^(?!Node )[A-Z][a-z]+ /.test(text) || /'\$\{/.test(text),
    );
    expect(loud).toEqual([]);
  });

  it("uses the usual words", () => {
    const homeMade =
      /whoever|stands? behind|\bmend\b|wants? (one|a) |in a circle|whole number|anew|leave out|folder|this is no |anybody|nobody/i;
    const words = messages.map((text) => text.replace(/\$\{[^}]*\}/g, ""));
    expect(words.filter((text) => homeMade.test(text))).toEqual([]);
  });
});
