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
