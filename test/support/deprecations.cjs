// Makes each use of what Node deprecates, or is to, an error where the project's own code is to blame; loaded with --require
// beside --pending-deprecation and --no-warnings. Warnings of other kinds are printed as Node prints them.

/** Code of others: installed packages, npm itself, and libraries that the compiler made one file each of. */
const ofOthers = /[\\/]node_modules[\\/]|[\\/]libraries-[0-9a-f]+[\\/]/;

process.on("warning", (warning) => {
  if (!/DeprecationWarning$/.test(warning.name)) {
    process.stderr.write(`(node:${process.pid}) ${warning.name}: ${warning.message}\n`);
    return;
  }
  const frames = (warning.stack ?? "").split("\n").filter((line) => /^\s+at /.test(line));
  const caller = frames.find((line) => !/\(?node:/.test(line) && /[\\/]/.test(line));
  if (caller !== undefined && !ofOthers.test(caller)) throw warning;
});
