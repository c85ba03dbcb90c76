/** The whole page: one file that needs nothing else, with tables for who runs no scripts. */
import { createHash } from "node:crypto";
import { printableName } from "../errors/index.ts";
import { readAssets } from "./assets.ts";
import type { ReportData, SizeNode } from "./data.ts";
import { Html, html, jsonScript } from "./html.ts";
import { billsSection, contentsSection, sizesSection } from "./image-section.ts";
import { graphSection } from "./task-graph.ts";
import { timelineSection } from "./timeline.ts";

/** A part of an image as the page's script takes it. */
type PackedNode = readonly [name: string, before: number, after: number, children?: readonly PackedNode[]];

/** HTML 5. `directory` is the absolute path of the page's sources (`src/report/page` of the package). */
export async function renderReport(data: ReportData, directory: string): Promise<string> {
  const { style, script } = await readAssets(directory);
  const { image } = data;
  const none = html`<p>No image was built yet.</p>`;
  const sections: readonly (readonly [string, string, Html])[] = [
    ["timeline", "Timeline", await timelineSection(data.last, data.previous, data.graph)],
    ["graph", "Graph", await graphSection(data.graph)],
    ["image", "Image", image === undefined ? none : sizesSection(image)],
    ["contents", "Contents", image === undefined ? none : contentsSection(image)],
    ["bills", "Bill of materials", billsSection(data.bills)],
  ];
  // No request leaves the page, and no other script runs in it.
  const policy = `default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-${sha256(script)}'; base-uri 'none'; form-action 'none'`;
  return `<!doctype html>\n${
    html`<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<title>${data.title}</title>
<style>${new Html(style)}</style>
</head>
<body>
<a class="skip" href="#main">Skip to the content</a>
<header><h1>${data.title}</h1><p>Made at <time datetime="${data.made}">${data.made}</time></p>
<nav aria-label="Sections">${sections.map(([id, title]) => html`<a href="#${id}">${title}</a> `)}</nav></header>
<main id="main" tabindex="-1">
${sections.map(
  ([
    id,
    title,
    body,
  ]) => html`<section id="${id}" aria-labelledby="${id}-title"><h2 id="${id}-title">${title}</h2>${body}</section>
`,
)}</main>
${image === undefined ? html`` : jsonScript("sizes", packed(image.sizes))}
<script>${new Html(script)}</script>
</body>
</html>`.text
  }\n`;
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("base64");
}

function packed({ name, before, after, children }: SizeNode): PackedNode {
  const sizes = [printableName(name), Math.round(before), Math.round(after)] as const;
  return children.length === 0 ? sizes : [...sizes, children.map(packed)];
}
