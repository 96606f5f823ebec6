/** The header of somebody's spreadsheet to our fields. Known words only: a column nobody recognizes is told, not guessed. */
import { splitRow } from "../csv-rows.ts";

/** Our fields and the headers investigators give them: lower case, letters and digits only. The first is ours. */
const HEADERS = {
  address: [
    "address",
    "addresses",
    "wallet",
    "walletaddress",
    "addr",
    "cryptoaddress",
    "accountaddress",
    "adresse",
    "dirección",
    "indirizzo",
    "endereço",
    "адрес",
    "地址",
    "주소",
    "publickey",
    "account",
    "blockchainaddress",
    "identifier",
  ],
  chain: ["chain", "blockchain", "network", "caip2", "chainid", "netzwerk", "red", "chainname", "ledger"],
  coin: ["coin", "currency", "ticker", "asset", "symbol", "cryptocurrency", "token", "currencysymbol", "währung"],
  label: ["label", "name", "nametag", "tag", "title", "entity", "owner", "description", "bezeichnung", "holder"],
  role: ["role"],
  basis: ["basis"],
  confidence: ["confidence"],
  independentSources: ["independentsources"],
  givenConfidence: ["givenconfidence", "confidencelevel", "certainty"],
  sanctionsList: ["sanctionslist"],
  sanctionsSource: ["sanctionssource"],
  default: ["default"],
  direction: ["direction"],
  custodian: ["custodian", "exchange", "vasp"],
  note: ["note", "notes", "comment", "comments", "remark", "remarks", "context", "details", "bemerkung", "memo"],
  firstSeenTx: ["firstseentx", "tx", "txhash", "txid", "transactionhash", "transaction"],
  source: ["source", "sources", "sourceref", "reference", "ref", "url", "link", "sourceurl", "quelle"],
  sourceLabel: ["sourcelabel"],
  tlp: ["tlp", "sharing", "trafficlight"],
  validFrom: ["validfrom", "from", "start", "startdate", "firstseen"],
  validUntil: ["validuntil", "validto", "until", "expiry", "expires", "enddate"],
  case: ["case", "caseid", "casenumber", "casereference", "ticket", "aktenzeichen"],
  addedBy: ["addedby", "author", "analyst", "reportedby", "investigator", "submitter"],
} as const satisfies Record<string, readonly string[]>;

/** Between several sources in one cell: a reference may hold spaces. */
export const SOURCE_SEPARATOR = " | ";

export type CsvField = keyof typeof HEADERS;
export const CSV_FIELDS = Object.keys(HEADERS) as readonly CsvField[];

const FIELD_OF: ReadonlyMap<string, CsvField> = new Map(
  CSV_FIELDS.flatMap((field) => HEADERS[field].map((header): [string, CsvField] => [header, field])),
);
const DELIMITERS = [",", ";", "\t", "|"] as const;
/** Spreadsheets put a title and a date above their table. */
export const HEADER_LINES_MAX = 20;

export interface CsvHeader {
  readonly delimiter: string;
  /** By column; null: a column that is not read. */
  readonly fields: readonly (CsvField | null)[];
  readonly unread: readonly string[];
}

/** What makes a line unfit as the header of a list, or the header. Null: it is none. */
export function readHeader(line: string): CsvHeader | { readonly twice: CsvField } | null {
  const found = DELIMITERS.map((delimiter) => ({ delimiter, cells: splitRow(line, delimiter) })).flatMap(
    ({ delimiter, cells }) => {
      if (typeof cells === "string") return [];
      const fields = cells.map((cell) => FIELD_OF.get(normalized(cell)) ?? null);
      return fields.includes("address") ? [{ delimiter, cells, fields }] : [];
    },
  );
  // The delimiter that finds the most columns: with the wrong one a header of several words is one cell.
  const best = found.toSorted((a, b) => b.cells.length - a.cells.length)[0];
  if (best === undefined) return null;
  const twice = best.fields.find((field, index) => field !== null && best.fields.indexOf(field) !== index);
  if (twice != null) return { twice };
  const unread = best.cells.filter((cell, index) => cell !== "" && best.fields[index] === null);
  return { delimiter: best.delimiter, fields: best.fields, unread };
}

function normalized(cell: string): string {
  return cell
    .slice(0, 100)
    .normalize("NFKC")
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]/gu, "");
}
