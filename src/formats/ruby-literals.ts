/** Texts, lists and hashes as Ruby source: whatever they hold, Ruby reads it as data. */

/** Frozen texts. */
export function list(values: readonly string[]): string {
  return `[${values.map(literal).join(", ")}]`;
}

/** Keys in the order of their bytes. */
export function hash(pairs: readonly (readonly [string, string])[]): string {
  const sorted = [...pairs].sort(([one], [other]) => (one < other ? -1 : 1));
  return `{ ${sorted.map(([key, value]) => `${dump(key)} => ${dump(value)}`).join(", ")} }`;
}

export function literal(text: string): string {
  return `${dump(text)}.freeze`;
}

const escapes: Readonly<Record<string, string>> = {
  '"': '\\"',
  "\\": "\\\\",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\f": "\\f",
  "\v": "\\v",
  "\b": "\\b",
  "\u0007": "\\a",
  "\u001b": "\\e",
};

/** Ruby's `String#dump`: ASCII only, and nothing that Ruby would interpolate. */
export function dump(text: string): string {
  const written = [...text].map((character, index, all) => {
    const code = character.codePointAt(0) ?? 0;
    if (character === "#") return /^[$@{]$/.test(all[index + 1] ?? "") ? "\\#" : "#";
    if (character in escapes) return escapes[character];
    if (code >= 0x20 && code < 0x7f) return character;
    const digits = code.toString(16).toUpperCase();
    if (code < 0x80) return `\\x${digits.padStart(2, "0")}`;
    return code > 0xffff ? `\\u{${digits}}` : `\\u${digits.padStart(4, "0")}`;
  });
  return `"${written.join("")}"`;
}
