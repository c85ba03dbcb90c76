// The two modules that a program is compiled from, under names of their own: esbuild takes a path with `*` for a pattern.

/**
 * @param {Readonly<Record<string, string>>} modules Absolute path of the module that each name stands for.
 * @returns {import("esbuild").Plugin}
 */
export function entryPoints(modules) {
  return {
    name: "entry-points",
    setup(build) {
      build.onResolve({ filter: /^entry:/ }, ({ path: name }) => ({ path: modules[name] ?? name }));
    },
  };
}
