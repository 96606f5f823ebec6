/** OFAC's `sdn.csv`: no header, twelve columns, addresses as words in the remarks. It carries no date. */
import type { ImportFormat, ReadContext } from "../../types/watchlist-format.ts";
import { splitRow } from "../csv-rows.ts";
import { headOf } from "./foreign-row.ts";
import { ADDRESS_FEATURE, addOfacAddress, SDN_LIST } from "./ofac-entry.ts";
import { createLineReader } from "./readers.ts";

const BYTES_MAX = 512 * 1024 * 1024;
const COLUMNS = 12;
/** OFAC's word for an empty cell. */
const NOTHING = "-0-";
const ADDRESS_REMARK = new RegExp(`${ADDRESS_FEATURE}([^;\\s]{1,16})\\s+([^;\\s]{1,256})(?=[;\\s]|$)`, "g");

export const ofacCsv: ImportFormat = {
  name: "ofac-csv",
  title: "OFAC sdn.csv",
  maxBytes: BYTES_MAX,
  encoding: "any",
  repeats: true,
  looksLike(start) {
    const row = splitRow(start.slice(0, start.indexOf("\n")).trim(), ",");
    return typeof row !== "string" && row.length === COLUMNS && /^\d{1,9}$/.test(row[0] ?? "");
  },
  createReader: (context) =>
    createLineReader(
      { onLine: (text, line) => readLine(text, line, context), head: () => headOf(context, null) },
      context,
    ),
};

function readLine(text: string, line: number, context: ReadContext): void {
  // The file ends with the end-of-file sign of DOS.
  if (text.replace("\x1a", "").trim() === "") return;
  const row = splitRow(text, ",");
  if (typeof row === "string" || row.length !== COLUMNS) {
    const found = typeof row === "string" ? row : `${row.length} fields`;
    context.refuse({ line, field: "", found, allowed: `${COLUMNS} comma-separated fields` });
    return;
  }
  const [uid = "", name = "", type = "", program = ""] = row.map((cell) =>
    cell.trim() === NOTHING ? "" : cell.trim(),
  );
  const remarks = row[COLUMNS - 1] ?? "";
  const found = [...remarks.matchAll(ADDRESS_REMARK)];
  const told = remarks.split(ADDRESS_FEATURE).length - 1;
  if (told > found.length)
    context.refuse({
      line,
      field: "remarks",
      found: `${told - found.length} addresses that cannot be read`,
      allowed: `"${ADDRESS_FEATURE}XBT address;"`,
    });
  const party = {
    uid,
    name: name === "" ? null : name,
    type,
    list: SDN_LIST,
    programs: program === "" ? [] : [program],
  };
  for (const [, ticker = "", address = ""] of found) addOfacAddress({ line, ticker, address }, party, context);
}
