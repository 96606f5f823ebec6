/** A file of the shape and proportions of OFAC's `sdn_advanced.xml`, of any size. The same size, the same bytes. */
import { createWriteStream } from "node:fs";
import { once } from "node:events";
import { getAddress } from "ethers";

/** About one listed party in 25 has digital currency addresses, four each. */
const PARTY_WITH_ADDRESSES = 25;
const ADDRESSES_EACH = 4;
/** Names, aliases, documents, places and dates: most of the file is about other things. */
const FEATURES_EACH = 8;
const ALIASES_EACH = 4;

export interface OfacFile {
  readonly bytes: number;
  readonly parties: number;
  /** Canonical, in the order of the file. */
  readonly addresses: readonly string[];
}

export async function writeOfacFile(file: string, bytesMin: number): Promise<OfacFile> {
  const stream = createWriteStream(file);
  const addresses: string[] = [];
  let bytes = 0;
  const write = async (text: string) => {
    bytes += Buffer.byteLength(text);
    if (!stream.write(text)) await once(stream, "drain");
  };
  await write(HEAD);
  let parties = 0;
  for (; bytes < bytesMin * 0.85; parties += 1) await write(party(parties, addresses));
  await write("</DistinctParties><SanctionsEntries>\n");
  for (let id = 0; id < parties; id += 1) await write(sanctionsEntry(id));
  await write("</SanctionsEntries><Comments>\n");
  while (bytes < bytesMin)
    await write(`<Comment ID="${bytes}">${"what else the file carries ".repeat(20)}</Comment>\n`);
  await write("</Comments></Sanctions>\n");
  stream.end();
  await once(stream, "finish");
  return { bytes, parties, addresses };
}

const HEAD = `<?xml version="1.0" encoding="utf-8"?>
<Sanctions xmlns="https://sanctionslistservice.ofac.treas.gov/api/PublicationPreview/exports/ADVANCED_XML" Version="3">
<DateOfIssue CalendarTypeID="1"><Year>2026</Year><Month>11</Month><Day>4</Day></DateOfIssue>
<ReferenceValueSets>
<FeatureTypeValues><FeatureType ID="25">Location</FeatureType><FeatureType ID="8">Birthdate</FeatureType>
<FeatureType ID="345">Digital Currency Address - ETH</FeatureType></FeatureTypeValues>
<ListValues><List ID="1550">SDN List</List></ListValues>
<PartyTypeValues><PartyType ID="1">Individual</PartyType></PartyTypeValues>
<PartySubTypeValues><PartySubType ID="4" PartyTypeID="1">Unknown</PartySubType></PartySubTypeValues>
</ReferenceValueSets>
<DistinctParties>
`;

function party(id: number, addresses: string[]): string {
  const aliases = Array.from({ length: ALIASES_EACH }, (_, n) => alias(id, n)).join("");
  const features = Array.from({ length: FEATURES_EACH }, (_, n) =>
    feature(`${id}${n}`, n % 2 === 0 ? "25" : "8", `a place, a day or a document, number ${n} of party ${id}`),
  );
  if (id % PARTY_WITH_ADDRESSES === 0) {
    for (let n = 0; n < ADDRESSES_EACH; n += 1) {
      const address = getAddress(
        `0x${(BigInt(id) * 1000n + BigInt(n) + (0xbeefn << 144n)).toString(16).padStart(40, "0")}`,
      );
      addresses.push(address);
      features.push(feature(`${id}9${n}`, "345", address));
    }
  }
  return `<DistinctParty FixedRef="${id}"><Profile ID="${id}" PartySubTypeID="4">
<Identity ID="${id}" FixedRef="${id}" Primary="true" False="false">${aliases}</Identity>
${features.join("")}</Profile></DistinctParty>\n`;
}

function alias(id: number, n: number): string {
  return `<Alias FixedRef="${id}" AliasTypeID="1403" Primary="${n === 0}" LowQuality="false"><DocumentedName ID="${id}${n}" FixedRef="${id}" DocNameStatusID="1"><DocumentedNamePart><NamePartValue NamePartGroupID="${id}" ScriptID="215" ScriptStatusID="1" Acronym="false">PARTY ${id} NAME ${n}</NamePartValue></DocumentedNamePart></DocumentedName></Alias>\n`;
}

function feature(id: string, type: string, text: string): string {
  return `<Feature ID="${id}" FeatureTypeID="${type}"><FeatureVersion ID="${id}" ReliabilityID="1560"><Comment/><VersionDetail DetailTypeID="1432">${text}</VersionDetail></FeatureVersion><IdentityReference IdentityID="1" IdentityFeatureLinkTypeID="1"/></Feature>\n`;
}

function sanctionsEntry(id: number): string {
  return `<SanctionsEntry ID="${id}" ProfileID="${id}" ListID="1550"><EntryEvent ID="${id}" EntryEventTypeID="1" LegalBasisID="1"><Comment/><Date CalendarTypeID="1"><Year>2026</Year><Month>7</Month><Day>1</Day></Date></EntryEvent><SanctionsMeasure ID="${id}" SanctionsTypeID="1"><Comment>DPRK3</Comment></SanctionsMeasure></SanctionsEntry>\n`;
}
