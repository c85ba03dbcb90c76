/**
 * Where the files of the distribution's MCollective packages lie in a tarball that is laid out as a release of MCollective:
 * `bin`, `lib`, `plugins` and `etc` in one directory. The libraries that it needs beside Ruby's own are in its `lib`.
 */

/**
 * The daemon, its library, the client, and what they require beside Ruby's own library. Debian 12 is the last that has
 * MCollective: the sample does without it where one of these is missing.
 */
export const mcollectivePackages: readonly string[] = [
  "mcollective",
  "mcollective-client",
  "mcollective-common",
  "ruby-stomp",
  "ruby-systemu",
];

const places: readonly (readonly [pattern: RegExp, place: string])[] = [
  // Not the programs of the libraries, such as stompcat.
  [/^usr\/s?bin\/(mco(?:llectived)?)$/, "bin/$1"],
  // Libraries are in Ruby's vendor directory or in a gem's.
  [/^usr\/lib\/ruby\/vendor_ruby\/(.+)$/, "lib/$1"],
  [/^usr\/share\/rubygems-integration\/all\/gems\/[^/]+\/lib\/(.+)$/, "lib/$1"],
  [/^usr\/share\/mcollective\/plugins\/(.+)$/, "plugins/$1"],
  [/^etc\/mcollective\/(.+)$/, "etc/$1"],
  [/^usr\/share\/mcollective(?:-client)?\/((?:server|client)\.cfg)$/, "etc/$1.dist"],
];

/** The place in the release's directory of a file of one of the packages; undefined for what a release does not have. */
export function placeInRelease(path: string): string | undefined {
  for (const [pattern, place] of places) {
    if (pattern.test(path)) return path.replace(pattern, place);
  }
  return undefined;
}
