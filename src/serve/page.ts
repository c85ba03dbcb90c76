/** The page for the person who serves: which images there are, and which machines checked in. It needs no script. */
import { printableName } from "../errors/index.ts";
import { filePath } from "./boot-script.ts";
import { type Machine, type Machines, orders } from "./machines.ts";
import type { ShelvedImage } from "./shelf.ts";

/** `machines` is undefined where none may check in; `token` goes into the addresses of orders. */
export function renderPage(
  images: readonly ShelvedImage[],
  machines: Machines | undefined,
  token: string,
): string {
  const list = machines?.all ?? [];
  const parts = [
    `<h1>task serve</h1>`,
    `<h2>Images</h2>`,
    images.length === 0 ? `<p>Nothing is built yet.</p>` : images.map(describeImage).join("\n"),
    ...(machines === undefined
      ? []
      : [
          `<h2>Machines</h2>`,
          list.length === 0
            ? `<p>No machine checked in yet.</p>`
            : list.map((machine) => describeMachine(machine, token)).join("\n"),
        ]),
  ];
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="refresh" content="10">
<title>task serve</title>
<style>${style}</style>
</head>
<body>
<main>
${parts.join("\n")}
</main>
</body>
</html>
`;
}

const style = `
:root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif; }
body { margin: 0 auto; max-width: 70rem; padding: 0 1rem 2rem; }
table { border-collapse: collapse; width: 100%; }
th, td { border-bottom: 1px solid; padding: .2rem .5rem .2rem 0; text-align: left; vertical-align: top; overflow-wrap: anywhere; }
td.number { text-align: right; }
section { margin-block: 1rem; }
form { display: inline; }
`;

function describeImage({ variant, kernel, initrds, args }: ShelvedImage): string {
  const rows = [kernel, ...initrds].map(
    (file) =>
      `<tr><td><a href="${asText(filePath(file))}">${asText(file.name)}</a></td><td class="number">${file.size}</td><td><code>${file.sha256.slice(0, 16)}</code></td></tr>`,
  );
  return `<section>
<h3>${asText(variant)}</h3>
<table>
<thead><tr><th scope="col">file</th><th scope="col">bytes</th><th scope="col">sha256</th></tr></thead>
<tbody>${rows.join("\n")}</tbody>
</table>
<p><code>${asText(args.join(" "))}</code></p>
</section>`;
}

function describeMachine(machine: Machine, token: string): string {
  const { id, address, lastSeen, checkins, facts, order } = machine;
  const buttons = orders.map(
    (one) =>
      `<form method="post" action="machines/${id}/${one}?token=${encodeURIComponent(token)}"><button>${one}</button></form>`,
  );
  const rows = Object.entries(facts ?? {})
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `<tr><th scope="row">${asText(name)}</th><td>${asText(value)}</td></tr>`);
  const told = order === undefined ? "" : `; will be told to ${order}`;
  return `<section>
<h3>${asText(facts?.hostname ?? id)}</h3>
<p>${asText(id)} at ${asText(address)}, seen <time>${lastSeen.toISOString()}</time>, ${checkins} check-ins${told}
${buttons.join(" ")}</p>
${facts === undefined ? "<p>It has not registered.</p>" : `<details><summary>${rows.length} facts</summary><table><tbody>${rows.join("\n")}</tbody></table></details>`}
</section>`;
}

/** Text of a machine's, as text of the page: it can neither be markup nor turn other text around. */
function asText(text: string): string {
  return printableName(text)
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("'", "&#39;");
}
