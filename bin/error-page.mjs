// The catalogue of errors as a page of documentation. How they are found it does not know.

/** @typedef {import("./error-catalogue.mjs").CataloguedError} CataloguedError */

const status = /** @type {const} */ ({ UserError: 1, UsageError: 2, SetupFailure: 1, start: "1 or 2" });

/**
 * @param {readonly CataloguedError[]} errors
 * @returns {string} Markdown.
 */
export function renderErrors(errors) {
  /** @type {Map<string, CataloguedError[]>} */
  const byCode = new Map();
  for (const error of errors) byCode.set(error.code, [...(byCode.get(error.code) ?? []), error]);
  const entries = [...byCode].map(([code, list]) => {
    const places = [...new Set(list.map(({ file }) => `\`${file}\``))].join(", ");
    const statuses = [
      ...new Set(list.map(({ kind }) => status[/** @type {keyof typeof status} */ (kind)])),
    ].join(" or ");
    return `## ${code}\n\nExit status ${statuses}; ${places}\n\n${list.map(entry).join("")}`;
  });
  return `# Errors

Every error that the program can print, by its code. It is one message on standard error: what failed and why, then \`where\` (a
file and line, a URL, a member of an archive) and \`hint\`, what to do. What is filled in stands in \`<…>\` as the source
calls it. This page is made from the sources by \`npm run docs\`.

${entries.join("\n")}`;
}

/** @param {CataloguedError} error */
function entry({ messages, hints, where }) {
  const said = messages.map((message) => `- ${inline(message)}\n`).join("");
  const place = where ? "  - where: yes\n" : "";
  return `${said}${place}${hints.map((hint) => `  - hint: ${inline(hint)}\n`).join("")}`;
}

/** As code, since it holds signs that Markdown would take for its own. @param {string} text */
function inline(text) {
  const oneLine = text.replaceAll("\n", " ⏎ ");
  return oneLine.includes("`") ? `\`\` ${oneLine} \`\`` : `\`${oneLine}\``;
}
