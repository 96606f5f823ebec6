/** OFAC's older `sdn.xml`: each party stands whole in one element. Read by local name, so any namespace is right. */
import type { FormatReader, ImportFormat, ListHead, ReadContext } from "../../types/watchlist-format.ts";
import { createXmlReader, rootElement, type XmlElement } from "../xml-elements.ts";
import { headOf } from "./foreign-row.ts";
import { addOfacAddress, type OfacAddress, SDN_LIST, tickerOf } from "./ofac-entry.ts";

const BYTES_MAX = 1024 * 1024 * 1024;
/** Of one party. The largest real one has about a hundred. */
const ADDRESSES_MAX = 10_000;
const PROGRAMS_MAX = 50;

export const ofacLegacy: ImportFormat = {
  name: "ofac-legacy",
  title: "OFAC sdn.xml",
  maxBytes: BYTES_MAX,
  encoding: "utf-8",
  repeats: true,
  looksLike: (start) => rootElement(start) === "sdnList",
  createReader,
};

interface Party {
  uid: string;
  lastName: string;
  firstName: string;
  type: string;
  readonly programs: string[];
  readonly addresses: OfacAddress[];
}

function createReader(context: ReadContext): FormatReader {
  const path: string[] = [];
  let published: string | null = null;
  let party: Party | null = null;
  let idType = "";

  function close(element: XmlElement, text: string): void {
    path.pop();
    const { name, line } = element;
    const parent = path.at(-1);
    if (name === "Publish_Date") published = dayOf(text);
    if (party === null) return;
    if (parent === "sdnEntry") {
      if (name === "uid") party.uid = text;
      else if (name === "lastName") party.lastName = text.slice(0, 400);
      else if (name === "firstName") party.firstName = text.slice(0, 400);
      else if (name === "sdnType") party.type = text;
    } else if (name === "program" && party.programs.length < PROGRAMS_MAX) party.programs.push(text.slice(0, 100));
    else if (name === "idType") idType = text;
    else if (name === "idNumber") addId(party, line, text);
    if (name !== "sdnEntry") return;
    emit(party, context);
    party = null;
  }
  /** The type stands before the number. */
  function addId(of: Party, line: number, address: string): void {
    const ticker = tickerOf(idType);
    idType = "";
    if (ticker === null) return;
    if (of.addresses.length < ADDRESSES_MAX) of.addresses.push({ line, ticker, address });
    else context.fail({ line, field: "", found: "more addresses", allowed: `at most ${ADDRESSES_MAX} of one party` });
  }
  const xml = createXmlReader({
    onOpen({ name }) {
      path.push(name);
      if (name === "sdnEntry") party = { uid: "", lastName: "", firstName: "", type: "", programs: [], addresses: [] };
      else if (name === "id") idType = "";
    },
    onClose: close,
    onFail: context.fail,
  });
  return {
    write: (text) => xml.write(text),
    *finish(): Generator<undefined, ListHead | null> {
      xml.end();
      yield;
      return headOf(context, published);
    },
  };
}

function emit({ uid, lastName, firstName, type, programs, addresses }: Party, context: ReadContext): void {
  const name = [lastName, firstName].filter((part) => part !== "").join(", ");
  const facts = { uid, name: name === "" ? null : name, type, list: SDN_LIST, programs };
  for (const address of addresses) addOfacAddress(address, facts, context);
}

/** OFAC writes `11/04/2026` for 4 November. */
function dayOf(text: string): string | null {
  const [, month, day, year] = /^(\d{2})\/(\d{2})\/(\d{4})$/.exec(text) ?? [];
  return year === undefined ? null : `${year}-${month}-${day}`;
}
