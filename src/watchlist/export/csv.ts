/** CSV with our own column names, safe to open in a spreadsheet. Account type, owner and quoted sources stay behind. */
import { CSV_FIELDS, type CsvField, SOURCE_SEPARATOR } from "../formats/csv-columns.ts";
import { escapeCell } from "../formats/csv-cells.ts";
import type { ExportEntry, ExportFormat } from "./exported.ts";

/** In a cell that has a place for each source. The import reads it as nothing. */
const NO_LABEL = "n/a";
/** The chain says what the coin would. */
const COLUMNS = CSV_FIELDS.filter((field) => field !== "coin");

export const csvExport: ExportFormat = {
  name: "csv",
  extension: ".csv",
  *write({ entries }) {
    yield `${COLUMNS.join(",")}\r\n`;
    for (const entry of entries) {
      const cells = cellsOf(entry);
      yield `${COLUMNS.map((column) => cell(cells[column] ?? null)).join(",")}\r\n`;
    }
  },
};

function cellsOf(entry: ExportEntry): Partial<Record<CsvField, string | null | undefined>> {
  return {
    ...entry,
    independentSources: String(entry.independentSources),
    sanctionsList: entry.sanctioned?.list,
    sanctionsSource: entry.sanctioned?.source,
    source: entry.sources.map(({ ref }) => ref).join(SOURCE_SEPARATOR),
    sourceLabel: entry.sources.map(({ label }) => label ?? NO_LABEL).join(SOURCE_SEPARATOR),
  };
}

/** OWASP: a leading apostrophe makes text of what would be a formula. The import takes it off again. */
function cell(value: string | null | undefined): string {
  const safe = escapeCell((value ?? "").trim());
  return /[",;\t\r\n|']/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
