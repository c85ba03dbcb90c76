// The error codes as a page of documentation.

/** @typedef {import("../src/errors/codes/index.ts").ErrorArea} ErrorArea */

/**
 * @param {Readonly<Record<string, ErrorArea>>} areas Codes by the area's title.
 * @returns {string} Markdown: an index by area, then one section per code in alphabetical order.
 */
export function renderErrors(areas) {
  const index = Object.entries(areas).map(
    ([title, codes]) =>
      `**${title}:** ${sorted(codes)
        .map(([code]) => `[${code}](#${code})`)
        .join(", ")}.\n`,
  );
  const sections = sorted(Object.assign({}, ...Object.values(areas))).map(
    ([code, { meaning, remedy }]) => `## ${code}\n\n${meaning}\n\n*What to do:* ${remedy}\n`,
  );
  return `# Errors

Every error has a code, which is printed in brackets after the message:

\`\`\`
error: there is no target "ios" [target-unknown]
  hint: did you mean iso?
\`\`\`

The message says what failed and why, \`where\` names the file and line, URL or archive member, and \`hint\` says what to do in this
case. With \`--json\` the code is the field \`code\` of \`error\`. Wrong usage exits with status 2, every other error with status 1.
A name in braces, such as \`{name}\`, stands for the value that the message states.

${index.join("\n")}
${sections.join("\n")}`;
}

/** @param {ErrorArea} codes */
function sorted(codes) {
  return Object.entries(codes).sort(([one], [other]) => (one < other ? -1 : 1));
}
