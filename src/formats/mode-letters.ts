/** The ten letters in which `ls -l` and the tools that follow it show a type and a mode. */

/** The 12 mode bits of e.g. `-rwsr-xr-t` (the first letter is not looked at). */
export function parseModeLetters(letters: string): number {
  let mode = 0;
  for (let index = 1; index <= 9; index++) {
    const letter = letters[index] ?? "-";
    // S and T: the special bit without the executable one.
    if (letter !== "-" && letter !== "S" && letter !== "T") mode |= 1 << (9 - index);
    if (/[sStT]/.test(letter)) mode |= index === 3 ? 0o4000 : index === 6 ? 0o2000 : 0o1000;
  }
  return mode;
}

const typeLetters = { file: "-", directory: "d", symlink: "l", char: "c", block: "b", fifo: "p" } as const;

/** The ten letters, e.g. `-rwsr-xr-t`, of a type and its 12 mode bits. */
export function formatModeLetters(type: keyof typeof typeLetters, mode: number): string {
  let letters: string = typeLetters[type];
  for (const [shift, special, letter] of [
    [6, 0o4000, "s"],
    [3, 0o2000, "s"],
    [0, 0o1000, "t"],
  ] as const) {
    const bits = mode >> shift;
    const mayRun = (bits & 1) !== 0;
    const last = (mode & special) === 0 ? (mayRun ? "x" : "-") : mayRun ? letter : letter.toUpperCase();
    letters += `${(bits & 4) === 0 ? "-" : "r"}${(bits & 2) === 0 ? "-" : "w"}${last}`;
  }
  return letters;
}
