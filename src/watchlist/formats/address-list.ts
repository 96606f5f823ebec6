/**
 * Bare addresses: one a line, or one flat JSON list. The names 0xB10C's nightly lists carry
 * (`sanctioned_addresses_XBT.txt`) say what is listed; any other file is what the importer says it is.
 */
import type { ImportFormat, ReadContext } from "../../types/watchlist-format.ts";
import { chainOf } from "../coins.ts";
import { showFound } from "../problems.ts";
import { addForeignRow, type ForeignRow, headOf } from "./foreign-row.ts";
import { ADDRESS_FEATURE, SDN_LIST } from "./ofac-entry.ts";
import { createJsonReader, createLineReader } from "./readers.ts";

const TEXT_BYTES_MAX = 1024 * 1024 * 1024;
const JSON_BYTES_MAX = 64 * 1024 * 1024;
/** 0xB10C/ofac-sanctioned-digital-currency-addresses, branch `lists`: one file a ticker, made from OFAC's list each night. */
const SANCTIONED_FILE = /(?:^|[/\\])sanctioned_addresses_([A-Za-z0-9]{1,16})\.(?:txt|json)$/;

export const addressText: ImportFormat = {
  name: "addresses-txt",
  title: "one address a line (0xB10C)",
  maxBytes: TEXT_BYTES_MAX,
  encoding: "any",
  repeats: true,
  looksLike(start) {
    const first = start
      .replace(/^\ufeff/, "")
      .split("\n", 50)
      .map((line) => line.trim())
      .find(isContent);
    return first !== undefined && chainOf(null, first) !== null;
  },
  createReader(context) {
    const rowOf = describeRows(context);
    const onLine = (text: string, line: number) => {
      const address = text.trim();
      if (isContent(address)) addForeignRow(rowOf(address, line), context);
    };
    return createLineReader({ onLine, head: () => headOf(context, null) }, context);
  },
};

export const addressJson: ImportFormat = {
  name: "addresses-json",
  title: "a JSON list of addresses (0xB10C)",
  maxBytes: JSON_BYTES_MAX,
  encoding: "utf-8",
  repeats: true,
  looksLike: (start) => /^\ufeff?\s{0,100}\[\s{0,100}["\]]/.test(start),
  createReader(context) {
    const rowOf = describeRows(context);
    return createJsonReader(function* (cursor) {
      for (const _ of cursor.items()) {
        const line = cursor.line();
        const { value } = cursor.value();
        if (typeof value === "string") addForeignRow(rowOf(value, line), context);
        else context.refuse({ line, field: "", found: showFound(value), allowed: "an address in quotes" });
        yield;
      }
      return null;
    }, context);
  },
};

function isContent(line: string): boolean {
  return line !== "" && !line.startsWith("#");
}

function describeRows({ options }: ReadContext): (address: string, line: number) => ForeignRow {
  const ticker = SANCTIONED_FILE.exec(options.file)?.[1];
  if (ticker === undefined) return (address, line) => ({ address, line });
  return (address, line) => ({
    address,
    line,
    coin: ticker,
    role: "sanctioned_entity",
    sanctioned: { list: SDN_LIST, source: options.source },
    note: `${ADDRESS_FEATURE}${ticker}`,
  });
}
