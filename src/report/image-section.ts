/** The sections about the image: sizes, what grew, what is in it. */
import type { ReportExtension, ReportImage, SizeNode } from "./data.ts";
import { growthOf } from "./growth.ts";
import { type Html, html, shownBytes, table } from "./html.ts";

/** Rows of a table that the drawing shows in full. */
const mostRows = 40;

export function sizesSection(image: ReportImage): Html {
  const { name, bytes, sizes, against } = image;
  const rows = partsOf(sizes)
    .sort((a, b) => b.node.after - a.node.after)
    .slice(0, mostRows);
  return html`<p><code>${name}</code>, ${shownBytes(bytes)}: each area is as large as the part is in the image.</p>
<div id="treemap" hidden>
<p class="controls"><label><input type="checkbox" id="compressed" checked> after compression</label>
<label>Search <input type="search" id="search" autocomplete="off"></label> <span id="matches" role="status"></span></p>
<nav aria-label="Place in the image" id="crumbs"></nav>
<div id="map"></div>
<p class="hint">Enter or a click goes into a part, Escape goes back; arrow keys move.</p>
</div>
${table(
  `The ${rows.length} largest parts`,
  ["Part", "Before compression", "In the image", "Share"],
  rows.map(({ path, node }) => [
    path,
    shownBytes(node.before),
    shownBytes(node.after),
    `${((100 * node.after) / Math.max(1, sizes.after)).toFixed(1)} %`,
  ]),
)}
${against === undefined ? html`<p>There is no other image to compare with; <code>--against IMAGE</code> names one.</p>` : growth(against.name, sizes, against.sizes)}`;
}

/** Layers, and what is directly in them. */
function partsOf({ children }: SizeNode): { readonly path: string; readonly node: SizeNode }[] {
  return children.flatMap((layer) =>
    layer.children.length === 0
      ? [{ path: layer.name, node: layer }]
      : layer.children.map((node) => ({ path: `${layer.name}: ${node.name}`, node })),
  );
}

function growth(name: string, now: SizeNode, before: SizeNode): Html {
  const all = growthOf(now, before);
  if (all.length === 0) return html`<p>All parts are as large as in <code>${name}</code>.</p>`;
  return table(
    `What changed its size since ${name}`,
    ["Part", "Change", "Now"],
    all
      .slice(0, mostRows)
      .map(({ path, after, change }) => [
        path,
        `${change > 0 ? "+" : ""}${shownBytes(change)}`,
        after === 0 ? "gone" : shownBytes(after),
      ]),
  );
}

export function contentsSection({ extensions, gems, replaced }: ReportImage): Html {
  const heads = ["Name", "Version", "Size", "Licence", "Needed by"];
  const rows = (all: readonly ReportExtension[]) =>
    all.map(({ name, version, size, licence, neededBy }) => [
      name,
      version ?? "not stated",
      shownBytes(size),
      licence ?? "not stated",
      neededBy.length === 0 ? "listed" : neededBy.join(", "),
    ]);
  return html`${table(`${extensions.length} extensions`, heads, rows(extensions))}
${table(`${gems.length} gems`, heads, rows(gems))}
${table(
  `${replaced.length} files that replace others`,
  ["File", "From", "Replaces"],
  replaced.map(({ path, layer, replaces }) => [path, layer, replaces.join(", ")]),
)}`;
}

/** Links that carry the documents themselves. */
export function billsSection(bills: ReadonlyMap<string, string>): Html {
  if (bills.size === 0) return html`<p>There is no image to describe.</p>`;
  return html`<ul>${[...bills].map(
    ([name, text]) =>
      html`<li><a download="${name}" href="data:application/json;base64,${Buffer.from(text).toString("base64")}">${name}</a>, ${shownBytes(Buffer.byteLength(text))}</li>`,
  )}</ul>`;
}
