/**
 * OFAC's `sdn_advanced.xml`. Every id is resolved by its text in this same file: OFAC renumbers them. A party's programs
 * stand after all parties, so parties with addresses wait for the end; the others are forgotten at once.
 */
import { ownCopy } from "../clean-text.ts";
import type { FormatReader, ImportFormat, ListHead, ReadContext } from "../../types/watchlist-format.ts";
import { rootElement, createXmlReader, type XmlElement } from "../xml-elements.ts";
import { headOf } from "./foreign-row.ts";
import { addOfacAddress, type OfacAddress, SDN_LIST, tickerOf } from "./ofac-entry.ts";

/** The real file has about 100 MB. */
const BYTES_MAX = 1024 * 1024 * 1024;
/** The real list has under a thousand. Each waits for the end of the file with about 200 bytes. */
const ADDRESSES_MAX = 200_000;
const NAME_LENGTH_MAX = 400;
const PROGRAMS_MAX = 50;

export const ofacAdvanced: ImportFormat = {
  name: "ofac-advanced",
  title: "OFAC sdn_advanced.xml",
  maxBytes: BYTES_MAX,
  encoding: "utf-8",
  repeats: true,
  looksLike: (start) => rootElement(start) === "Sanctions",
  createReader,
};

interface Party {
  readonly profile: string;
  readonly name: string | null;
  readonly subType: string | null;
  readonly addresses: readonly OfacAddress[];
  readonly programs: Set<string>;
  list: string | null;
}

interface OpenParty {
  profile: string;
  subType: string | null;
  nameParts: string[];
  addresses: OfacAddress[];
}

/** Texts of the reference values, by kind and id. */
interface References {
  readonly featureTypes: Map<string, string>;
  readonly subTypes: Map<string, { text: string; partyType: string }>;
  readonly partyTypes: Map<string, string>;
  readonly lists: Map<string, string>;
}

function createReader(context: ReadContext): FormatReader {
  const state = createState(context);
  const xml = createXmlReader({ onOpen: state.open, onClose: state.close, onFail: context.fail });
  return {
    write: (text) => xml.write(text),
    *finish(): Generator<undefined, ListHead | null> {
      xml.end();
      if (context.failed) return null;
      for (const party of state.parties.values()) {
        emit(party, state.references, context);
        yield;
      }
      return headOf(context, state.issued());
    },
  };
}

function createState(context: ReadContext) {
  const references: References = {
    featureTypes: new Map(),
    subTypes: new Map(),
    partyTypes: new Map(),
    lists: new Map(),
  };
  const parties = new Map<string, Party>();
  const date = { year: "", month: "", day: "" };
  const path: string[] = [];
  let party: OpenParty | null = null;
  let isPrimaryAlias = false;
  let ticker: string | null = null;
  let entry: { profile: string; list: string } | null = null;
  let waiting = 0;

  const isIn = (name: string) => path.includes(name);

  function open(element: XmlElement): void {
    const { name, attributes } = element;
    path.push(name);
    const id = attributes["ID"] ?? "";
    if (name === "Profile")
      party = { profile: id, subType: attributes["PartySubTypeID"] ?? null, nameParts: [], addresses: [] };
    else if (name === "Alias") isPrimaryAlias = attributes["Primary"] === "true";
    else if (name === "Feature")
      ticker = tickerOf(references.featureTypes.get(attributes["FeatureTypeID"] ?? "") ?? "");
    else if (name === "SanctionsEntry")
      entry = { profile: attributes["ProfileID"] ?? "", list: attributes["ListID"] ?? "" };
  }
  function close(element: XmlElement, text: string): void {
    path.pop();
    if (isIn("ReferenceValueSets")) addReference(references, element, text);
    else if (path.at(-1) === "DateOfIssue") addDate(element.name, text);
    else if (party !== null) closeInParty(party, element, text);
    else if (entry !== null) closeInEntry(entry, element, text);
    if (element.name === "Profile") closeParty();
    if (element.name === "SanctionsEntry") entry = null;
  }
  function addDate(name: string, text: string): void {
    if (name === "Year") date.year = text;
    else if (name === "Month") date.month = text.padStart(2, "0");
    else if (name === "Day") date.day = text.padStart(2, "0");
  }
  function closeInParty(open_: OpenParty, element: XmlElement, text: string): void {
    if (element.name === "NamePartValue" && isPrimaryAlias && !isFull(open_)) open_.nameParts.push(text);
    else if (element.name === "Alias") isPrimaryAlias = false;
    else if (element.name === "Feature") ticker = null;
    else if (element.name === "VersionDetail" && ticker !== null) addAddress(open_, ticker, element, text);
  }
  function addAddress(open_: OpenParty, coin: string, { line }: XmlElement, text: string): void {
    waiting += 1;
    if (waiting <= ADDRESSES_MAX) open_.addresses.push({ line, ticker: coin, address: ownCopy(text) });
    else context.fail({ line, field: "", found: "more addresses", allowed: `at most ${ADDRESSES_MAX} in this format` });
  }
  function closeParty(): void {
    if (party !== null && party.addresses.length > 0) {
      const name = party.nameParts.join(" ").slice(0, NAME_LENGTH_MAX);
      const { subType, addresses } = party;
      const profile = ownCopy(party.profile);
      const earlier = parties.get(profile);
      parties.set(profile, {
        profile,
        name: name === "" ? null : ownCopy(name),
        subType: subType === null ? null : ownCopy(subType),
        addresses: [...(earlier?.addresses ?? []), ...addresses],
        programs: new Set(),
        list: null,
      });
    }
    party = null;
  }
  function closeInEntry({ profile, list }: { profile: string; list: string }, element: XmlElement, text: string): void {
    const known = parties.get(profile);
    if (known === undefined) return;
    known.list = references.lists.get(list) ?? known.list;
    const isProgram = element.name === "Comment" && path.at(-1) === "SanctionsMeasure" && text !== "";
    if (isProgram && known.programs.size < PROGRAMS_MAX) known.programs.add(ownCopy(text.slice(0, 100)));
  }
  return {
    open,
    close,
    parties,
    references,
    /** The day the list was issued, if the file says it whole. */
    issued(): string | null {
      const text = `${date.year}-${date.month}-${date.day}`;
      return /^\d{4}-\d{2}-\d{2}$/.test(text) ? text : null;
    },
  };
}

function isFull({ nameParts }: OpenParty): boolean {
  return nameParts.length >= 20;
}

function addReference(references: References, { name, attributes }: XmlElement, text: string): void {
  const id = attributes["ID"] ?? "";
  // Only what is asked for later: the other tables grow with the file.
  if (name === "FeatureType" && tickerOf(text) !== null) references.featureTypes.set(id, text);
  else if (name === "PartySubType") references.subTypes.set(id, { text, partyType: attributes["PartyTypeID"] ?? "" });
  else if (name === "PartyType") references.partyTypes.set(id, text);
  else if (name === "List") references.lists.set(id, text);
}

function emit(party: Party, references: References, context: ReadContext): void {
  const subType = references.subTypes.get(party.subType ?? "");
  const facts = {
    uid: party.profile,
    name: party.name,
    // Of a person or a company the sub type says "Unknown"; only its type tells which.
    type: references.partyTypes.get(subType?.partyType ?? "") ?? subType?.text ?? null,
    list: party.list === null || party.list === "SDN List" ? SDN_LIST : `OFAC ${party.list}`,
    programs: [...party.programs],
  };
  for (const address of party.addresses) addOfacAddress(address, facts, context);
}
