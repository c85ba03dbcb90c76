/** What the page runs and is drawn with: its own script and style, and the layout of treemaps from d3-hierarchy. */
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import path from "node:path";

interface Assets {
  readonly style: string;
  readonly script: string;
}

/** `directory` is the absolute path of the page's sources in the package. */
export async function readAssets(directory: string): Promise<Assets> {
  const entry = createRequire(path.join(directory, "page.js")).resolve("d3-hierarchy");
  const library = path.resolve(path.dirname(entry), "../dist/d3-hierarchy.min.js");
  const [style = "", own = "", hierarchy = ""] = await Promise.all(
    [path.join(directory, "page.css"), path.join(directory, "page.js"), library].map((file) =>
      readFile(file, "utf8"),
    ),
  );
  return { style, script: `${hierarchy}\n${own}` };
}
