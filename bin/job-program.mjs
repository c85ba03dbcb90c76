// Compiles the program, the Taskfile, the tasks and all libraries into one file that runs on a machine with nothing but Node.
import path from "node:path";
import { packageDirectory } from "./compile.mjs";
import { entryPoints } from "./entry-points.mjs";
import { moduleLines } from "./modules.mjs";
import { SourceReader } from "./source-reader.mjs";

const entry =
  'export { work } from "entry:worker";\nexport const loadTaskfile = () => import("entry:taskfile");\n';

/** hasha starts a thread from a file of its own, which a single text does not have. */
const hashing = `
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
export async function hashFile(file, { algorithm }) {
  const sum = createHash(algorithm);
  for await (const chunk of createReadStream(file, { highWaterMark: 1 << 20 })) sum.update(chunk);
  return sum.digest("hex");
}
`;

/** @type {import("esbuild").Plugin} */
const hashingPlugin = {
  name: "hashing",
  setup(build) {
    build.onResolve({ filter: /^hasha$/ }, () => ({ path: "hasha", namespace: "hashing" }));
    build.onLoad({ filter: /.*/, namespace: "hashing" }, () => ({ contents: hashing, resolveDir: "/" }));
  },
};

/**
 * The program as one CommonJS text. It exports `work`, `loadTaskfile`, and as `manifest` what is known of its code.
 * @param {{ readonly workspace: string, readonly packageRoot: string }} where Absolute paths.
 * @param {import("./compile.mjs").Manifest} manifest Of the running program.
 * @returns {Promise<string | undefined>} Undefined when a source is not what the running program was compiled from.
 */
export async function compileForJobs({ workspace, packageRoot }, manifest) {
  const { build } = await import("esbuild");
  const reader = new SourceReader();
  const outfile = path.join(workspace, "program.cjs");
  const { outputFiles } = await build({
    absWorkingDir: workspace,
    stdin: { contents: entry, resolveDir: workspace, sourcefile: "entry.js" },
    outfile,
    bundle: true,
    format: "cjs",
    platform: "node",
    target: "node20",
    define: { PACKAGE_DIRECTORY: JSON.stringify(packageDirectory(workspace, packageRoot)) },
    sourcemap: "external",
    write: false,
    plugins: [
      entryPoints({
        "entry:worker": path.join(packageRoot, "src/cli/commands/worker.ts"),
        "entry:taskfile": path.join(workspace, "Taskfile.ts"),
      }),
      hashingPlugin,
      reader.plugin,
    ],
    tsconfigRaw: "{}",
    logLevel: "silent",
    // No task runs the first four. The others are peers of the CycloneDX library, which does without them.
    external: ["esbuild", "chokidar", "@viz-js/viz", "@clack/core", "xmlbuilder2", "libxmljs2"],
  });
  const running = new Map(manifest.sources.map((source) => [source.path, source.digest]));
  const isSame = reader.sources.every(({ path: file, digest }) => (running.get(file) ?? digest) === digest);
  if (!isSame) return undefined;
  const files = outputFiles.map(({ path: file, text }) => ({ path: file, text }));
  const program = files.find((file) => file.path === outfile);
  if (program === undefined) throw new Error("esbuild wrote no program");
  const { code, imports } = manifest;
  const lines = { "program.cjs": moduleLines(program, files, workspace) };
  return `${program.text}\nmodule.exports.manifest = ${JSON.stringify({ code, imports, lines })};\n`;
}
