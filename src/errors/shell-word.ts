/**
 * A word as a POSIX shell and GRUB read it back: as it is if nothing in it is special, else in single quotes (POSIX, "Shell
 * Command Language", 2.2.2).
 */
export function shellWord(word: string): string {
  return /^[\w/.:,=@%+-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
