/** What a report shows. Names are as they are: the page makes them harmless. Sizes are bytes. */

export interface ReportSpan {
  readonly name: string;
  readonly category: string;
  /** Seconds from the build's beginning. */
  readonly start: number;
  readonly end: number;
  readonly task?: string;
}

export interface ReportRun {
  readonly command: string;
  /** ISO 8601. */
  readonly ended: string;
  readonly outcome: string;
  readonly tasks: readonly {
    readonly task: string;
    readonly verdict: string;
    readonly seconds: number;
    readonly savedSeconds: number;
    readonly reasons: readonly string[];
  }[];
  readonly spans: readonly ReportSpan[];
}

export interface ReportTask {
  readonly id: string;
  readonly needs: readonly string[];
  readonly verdict: string;
  readonly reasons: readonly string[];
  readonly lastSeconds?: number;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly parts: readonly (readonly [label: string, value: string])[];
}

/** A part of an image: a layer, an extension, a directory or a file. */
export interface SizeNode {
  readonly name: string;
  /** Before and after compression. */
  readonly before: number;
  readonly after: number;
  readonly children: readonly SizeNode[];
}

export interface ReportExtension {
  readonly name: string;
  readonly version?: string;
  readonly size: number;
  readonly licence?: string;
  /** What needs it; empty for what a list names. */
  readonly neededBy: readonly string[];
}

export interface ReportImage {
  readonly name: string;
  readonly bytes: number;
  readonly sizes: SizeNode;
  /** The image that it is compared with. */
  readonly against?: { readonly name: string; readonly sizes: SizeNode };
  readonly extensions: readonly ReportExtension[];
  readonly gems: readonly ReportExtension[];
  readonly replaced: readonly {
    readonly path: string;
    readonly layer: string;
    readonly replaces: readonly string[];
  }[];
}

export interface ReportData {
  readonly title: string;
  /** When the report was made, ISO 8601. */
  readonly made: string;
  readonly last?: ReportRun;
  readonly previous?: ReportRun;
  readonly graph: readonly ReportTask[];
  readonly image?: ReportImage;
  /** Documents to download, by file name. */
  readonly bills: ReadonlyMap<string, string>;
}
