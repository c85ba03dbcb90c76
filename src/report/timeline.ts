/** The timeline of a build: tasks, processes and downloads on lanes, as a drawing and as a table. */
import { criticalPath } from "./critical-path.ts";
import type { ReportRun, ReportSpan, ReportTask } from "./data.ts";
import { anchor, Html, html, shortName, shownSeconds, table } from "./html.ts";

const width = 1000;
const laneHeight = 22;
const groupHead = 20;

export async function timelineSection(
  last: ReportRun | undefined,
  previous: ReportRun | undefined,
  graph: readonly ReportTask[],
): Promise<Html> {
  if (last === undefined) return html`<p>Nothing has run in this workspace yet.</p>`;
  const critical = criticalPath(last, graph);
  const saved = last.tasks.reduce((sum, { savedSeconds }) => sum + savedSeconds, 0);
  const length = Math.max(0, ...last.spans.map(({ end }) => end));
  return html`
<p><code>${last.command}</code> ${last.outcome} at <time datetime="${last.ended}">${last.ended}</time>, after ${shownSeconds(length)};
${shownSeconds(saved)} were saved by results that were there already.</p>
${await drawing("The build", last, new Set(critical))}
<p>Critical path: ${critical.length === 0 ? "no task ran" : critical.map(shortName).join(" → ")}.</p>
${
  previous === undefined
    ? html``
    : html`<details><summary>The build before it: <code>${previous.command}</code>, ${previous.ended}</summary>
${await drawing("The build before it", previous, new Set(criticalPath(previous, graph)))}</details>`
}
${comparison(last, previous)}`;
}

/** Each task, with its time in this build and in the one before. */
function comparison(last: ReportRun, previous: ReportRun | undefined): Html {
  const before = new Map(previous?.tasks.map((task) => [task.task, task]));
  const heads = ["Task", "State", "Time", ...(previous === undefined ? [] : ["Before"]), "Saved", "Why"];
  return table(
    "Tasks of the build",
    heads,
    last.tasks.map(({ task, verdict, seconds, savedSeconds, reasons }) => [
      html`<a href="#${anchor("task", task)}">${shortName(task)}</a>`,
      verdict,
      shownSeconds(seconds),
      ...(previous === undefined ? [] : [timeOf(before.get(task))]),
      savedSeconds === 0 ? "" : shownSeconds(savedSeconds),
      reasons.join("; "),
    ]),
  );
}

function timeOf(task: ReportRun["tasks"][number] | undefined): string {
  return task === undefined ? "" : `${task.verdict}, ${shownSeconds(task.seconds)}`;
}

const groups = [
  ["task", "Tasks"],
  ["process", "Processes"],
  ["download", "Downloads"],
  ["remote cache", "Remote cache"],
] as const;

async function drawing(label: string, { spans }: ReportRun, critical: ReadonlySet<string>): Promise<Html> {
  if (spans.length === 0) return html`<p>No times were recorded.</p>`;
  const { scaleLinear } = await import("d3-scale");
  const end = Math.max(...spans.map((span) => span.end), 0.001);
  const x = scaleLinear([0, end], [0, width]);
  const parts: Html[] = [];
  let y = groupHead;
  for (const [category, title] of groups) {
    const own = spans.filter((span) => span.category === category);
    if (own.length === 0) continue;
    parts.push(html`<text x="2" y="${y + 14}" class="group">${title}</text>`);
    y += groupHead;
    const lanes: number[] = [];
    for (const span of own) {
      const free = lanes.findIndex((until) => until <= span.start);
      const lane = free === -1 ? lanes.length : free;
      lanes[lane] = span.end;
      parts.push(bar(span, x(span.start), x(span.end), y + lane * laneHeight, critical.has(span.name)));
    }
    y += lanes.length * laneHeight + 6;
  }
  const ticks = x
    .ticks(8)
    .map(
      (tick) =>
        html`<g class="tick"><line x1="${x(tick)}" x2="${x(tick)}" y1="${groupHead - 4}" y2="${y}"/><text x="${x(tick) + 3}" y="12">${tick} s</text></g>`,
    );
  return html`<div class="scroll" tabindex="0" role="region" aria-label="${label}: timeline"><svg class="timeline" viewBox="0 0 ${width} ${y}" role="group" aria-label="${label}: timeline of ${spans.length} spans">
${ticks}${parts}</svg></div>`;
}

function bar(span: ReportSpan, from: number, to: number, y: number, isCritical: boolean): Html {
  const size = Math.max(1, to - from);
  const name = span.category === "task" ? shortName(span.name) : span.name;
  const time = shownSeconds(span.end - span.start);
  const title = `${name}, ${time}${isCritical ? ", on the critical path" : ""}`;
  // Letters of this size are some 6.5 units wide.
  const fits = name.length * 6.5 < size - 6;
  const shape = html`<title>${title}</title><rect x="${round(from)}" y="${y}" width="${round(size)}" height="${laneHeight - 4}" rx="2"/>${fits ? html`<text x="${round(from) + 4}" y="${y + 13}">${name}</text>` : new Html("")}`;
  const classes = `bar ${span.category.replace(" ", "-")}${isCritical ? " critical" : ""}`;
  if (span.category !== "task") return html`<g class="${classes}">${shape}</g>`;
  return html`<a class="${classes}" href="#${anchor("task", span.name)}" aria-label="${title}">${shape}</a>`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
