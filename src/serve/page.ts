/** The page for the person who serves: which images there are, and which machines checked in. It needs no script. */
import { printableName } from "../errors/index.ts";
import { filePath } from "./boot-script.ts";
import { type Machine, type Machines, orders } from "./machines.ts";
import type { ShelvedImage } from "./shelf.ts";

/** `machines` is undefined where none may check in; `token` goes into addresses. The page loads itself again every ten seconds. */
export function renderPage(
  images: readonly ShelvedImage[],
  machines: Machines | undefined,
  token: string,
): string {
  const list = machines?.all ?? [];
  return document("task serve", '<meta http-equiv="refresh" content="10">', [
    "<h1>task serve</h1>",
    "<h2>Images</h2>",
    images.length === 0 ? "<p>Nothing is built yet.</p>" : images.map(describeImage).join("\n"),
    ...(machines === undefined ? [] : ["<h2>Machines</h2>", describeMachines(list, token)]),
  ]);
}

/** The page of one machine, with its facts. */
export function renderMachine(machine: Machine, token: string): string {
  const { id, facts } = machine;
  const rows = Object.entries(facts ?? {})
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `<tr><th scope="row">${asText(name)}</th><td>${asText(value)}</td></tr>`);
  const table = `<table><tbody>${rows.join("\n")}</tbody></table>`;
  return document(nameOf(machine), "", [
    `<h1>${asText(nameOf(machine))}</h1>`,
    `<p><a href="../?token=${encodeURIComponent(token)}">task serve</a>: ${asText(id)} ${describeVisits(machine)}</p>`,
    facts === undefined ? "<p>It has not registered.</p>" : table,
  ]);
}

function document(title: string, head: string, parts: readonly string[]): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
${head}
<title>${asText(title)}</title>
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
.number { text-align: right; white-space: nowrap; }
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
<thead><tr><th scope="col">file</th><th scope="col" class="number">bytes</th><th scope="col">sha256</th></tr></thead>
<tbody>${rows.join("\n")}</tbody>
</table>
<p><code>${asText(args.join(" "))}</code></p>
</section>`;
}

function describeMachines(machines: readonly Machine[], token: string): string {
  if (machines.length === 0) return "<p>No machine checked in yet.</p>";
  const query = `?token=${encodeURIComponent(token)}`;
  return machines
    .map((machine) => {
      const { id, facts } = machine;
      const buttons = orders.map(
        (one) => `<form method="post" action="machines/${id}/${one}${query}"><button>${one}</button></form>`,
      );
      const link = `<a href="machines/${id}${query}">${Object.keys(facts ?? {}).length} facts</a>`;
      return `<section>
<h3>${asText(nameOf(machine))}</h3>
<p>${asText(id)} ${describeVisits(machine)}; ${facts === undefined ? "it has not registered" : link}</p>
<div>${buttons.join(" ")}</div>
</section>`;
    })
    .join("\n");
}

function nameOf({ id, facts }: Machine): string {
  return facts?.hostname ?? id;
}

function describeVisits({ address, lastSeen, checkins, order }: Machine): string {
  const told = order === undefined ? "" : `; will be told to ${order}`;
  const visits = `${checkins} check-in${checkins === 1 ? "" : "s"}`;
  return `at ${asText(address)}, seen <time>${lastSeen.toISOString()}</time>, ${visits}${told}`;
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
