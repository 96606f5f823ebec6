/** What the three files of OFAC's list share: how one of its digital currency addresses becomes a row. */
import type { ReadContext } from "../../types/watchlist-format.ts";
import type { EntryRole } from "../../types/watch.ts";
import { addForeignRow } from "./foreign-row.ts";

/** The text before the coin's ticker, in all of OFAC's formats. */
export const ADDRESS_FEATURE = "Digital Currency Address - ";
/** The list as OFAC's own files name it. */
export const SDN_LIST = "OFAC SDN";

export interface OfacAddress {
  readonly line: number;
  /** As OFAC writes it: `XBT`, `ETH`, `USDT`, one nobody knows yet. */
  readonly ticker: string;
  readonly address: string;
}

export interface OfacParty {
  /** OFAC's number of the party, the same in all its files. */
  readonly uid: string;
  readonly name: string | null;
  /** As the file says it: Individual, Entity, Vessel, Aircraft. */
  readonly type: string | null;
  readonly list: string;
  readonly programs: readonly string[];
}

export function addOfacAddress({ line, ticker, address }: OfacAddress, party: OfacParty, context: ReadContext): void {
  const ref = `ofac:sdn/${party.uid}`;
  const programs = party.programs.length === 0 ? "" : `; programs ${party.programs.join(", ")}`;
  addForeignRow(
    {
      line,
      address,
      coin: ticker,
      label: party.name ?? `OFAC party ${party.uid}`,
      role: roleOf(party.type),
      sanctioned: { list: party.list, source: ref },
      note: `${ADDRESS_FEATURE}${ticker}${programs}`,
      sources: [{ ref, label: party.name, quoted: null }],
    },
    context,
  );
}

function roleOf(type: string | null): EntryRole {
  return type?.toLowerCase() === "individual" ? "sanctioned_person" : "sanctioned_entity";
}

/** The ticker of a feature or id type; null: it is not about an address. */
export function tickerOf(type: string): string | null {
  const text = type.trim();
  return text.startsWith(ADDRESS_FEATURE) ? text.slice(ADDRESS_FEATURE.length).trim() : null;
}
