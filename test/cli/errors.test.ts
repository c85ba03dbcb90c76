/** Every error that the program can print: in one form, and written down. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { collectErrors, errorsIn } from "../../bin/error-catalogue.mjs";
import { renderErrors } from "../../bin/error-page.mjs";
import { checkout } from "./workshop.ts";

const errors = collectErrors(checkout);

describe("every error", () => {
  it("stands in docs/errors.md as it is printed (`npm run docs` writes the page)", () => {
    expect(errors.length).toBeGreaterThan(150);
    expect(readFileSync(path.join(checkout, "docs/errors.md"), "utf8")).toBe(renderErrors(errors));
  });

  it("has a code, and says what to do", () => {
    expect(errors.filter(({ code }) => !/^[a-z0-9<][a-zA-Z0-9-.>, ]*$/.test(code))).toEqual([]);
    expect(errors.filter(({ hints }) => hints.length === 0)).toEqual([]);
  });

  it("speaks in one voice: no full stop, no capital at the beginning, names in double quotes", () => {
    const texts = errors.flatMap(({ messages, hints }) => [...messages, ...hints]);
    // Names may begin with a capital.
    const loud = texts.filter(
      (text) => /[^.][.!]$/.test(text) || /^(?!Node )[A-Z][a-z]+ /.test(text) || /'</.test(text),
    );
    expect(loud).toEqual([]);
  });
});

describe("the catalogue of errors", () => {
  const source = `
    const known = "is known";
    function refuse(what: string, hint?: string): never {
      throw new UserError(\`\${what} \${n} is no good\`, { code: "no-good", where: w, ...(hint === undefined ? {} : { hint }) });
    }
    if (a) refuse("this", "take that");
    throw new UsageError(b ? "either" : \`or \${c.name}\`, { code: "choice", hint: known });
  `;
  it("finds messages that are put together, chosen between, or handed to a function that makes the error", () => {
    const found = errorsIn(source, "x.ts").map(({ kind, code, messages, hints, where }) => [
      kind,
      code,
      messages,
      hints,
      where,
    ]);
    expect(found).toEqual([
      ["UserError", "no-good", ["this <n> is no good"], ["take that"], true],
      ["UsageError", "choice", ["either", "or <c.name>"], ["is known"], false],
    ]);
  });
});
