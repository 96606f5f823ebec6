/** Every format lists are exported in. A new one is one file and one line here. */
import { csvExport } from "./csv.ts";
import type { ExportFormat } from "./exported.ts";
import { linesExport } from "./lines.ts";
import { mispExport } from "./misp.ts";
import { stixExport } from "./stix.ts";

export const EXPORT_FORMATS: readonly ExportFormat[] = [csvExport, linesExport, stixExport, mispExport];
