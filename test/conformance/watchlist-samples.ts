/** One small file for each format, in the shape its own schema gives it. Addresses are made up or published by OFAC. */
import { getAddress } from "ethers";

export const EVM = getAddress("0x00000000000000000000000000000000deadbeef");
export const EVM_2 = getAddress(`0x${"c3".repeat(20)}`);
export const TRON = "TUoixKFaWVsHxGWgnYyMzpkrT22YqU7VvH";
export const BTC = "16iWn2J1McqjToYLHSsAyS6En3QA8YQ91H";
/** The last letter of a good address changed: its checksum is wrong. */
export const WRONG_TRON = "TUoixKFaWVsHxGWgnYyMzpkrT22YqU7VvG";

const ON_EVM = `eip155:1/${EVM}`;
const ON_EVM_2 = `eip155:1/${EVM_2}`;
const ON_TRON = `tron:0x2b6653dc/${TRON}`;
const ON_BTC = `bip122:000000000019d6689c085ae165831e93/${BTC}`;

export interface FormatSample {
  readonly format: string;
  /** Of the file. */
  readonly name: string;
  readonly text: string;
  /** `chain/address` of every entry. */
  readonly keys: readonly string[];
  /** Replaced by a wrong address, it is one bad row on this line. */
  readonly address: string;
  readonly line: number;
  /** Rows stand on lines of their own, so a file cut between two lines looks whole. */
  readonly byLine: boolean;
  /** The version the file gives itself; null: it has none. */
  readonly version: string | null;
}

const NATIVE_HEAD = `{"format":"heistwatch/1","list":"example","version":"2026-11-20.2","incident":{"id":"example-2026","name":"Example","kind":"theft","disputed":false},"sources":{"s1":"https://example.org/report"}}`;
const nativeLine = (chain: string, address: string) =>
  `{"chain":"${chain}","address":"${address}","role":"theft","label":"thief","basis":"researcher","confidence":"named_by_researcher","independentSources":1,"default":"on","sources":[{"ref":"s1"}]}`;

const nativeYamlRow = (chain: string, address: string) => `  - chain: ${chain}
    address: "${address}"
    role: theft
    label: thief
    basis: researcher
    confidence: named_by_researcher
    independentSources: 1
    default: on
    sources: [{ ref: s1 }]
`;

export const SAMPLES: readonly FormatSample[] = [
  {
    format: "heistwatch-yaml",
    name: "example.yaml",
    text: `format: heistwatch/1
list: example
version: "2026-11-20.2"
incident:
  id: example-2026
  name: Example
  kind: theft
  disputed: false
sources:
  s1: "https://example.org/report"
entries:
${nativeYamlRow("eip155:1", EVM)}${nativeYamlRow("tron:0x2b6653dc", TRON)}`,
    keys: [ON_EVM, ON_TRON],
    address: TRON,
    line: 21,
    byLine: true,
    version: "2026-11-20.2",
  },
  {
    format: "heistwatch-lines",
    name: "example.jsonl",
    text: `${NATIVE_HEAD}\n${nativeLine("eip155:1", EVM)}\n\n${nativeLine("tron:0x2b6653dc", TRON)}\n`,
    keys: [ON_EVM, ON_TRON],
    address: TRON,
    line: 4,
    byLine: true,
    version: "2026-11-20.2",
  },
  {
    format: "csv",
    name: "case 17.csv",
    text: `Suspect wallets, case 17\r\n\r\nWallet Address;Network;Name;Remarks;TLP\r\n${EVM};Ethereum;first hop;"said ""hello""; twice";TLP:AMBER\r\n${TRON};;cash-out;"two\r\nlines";\r\n${BTC};;;n/a;green\r\n`,
    keys: [ON_EVM, ON_TRON, ON_BTC],
    address: TRON,
    line: 5,
    byLine: true,
    version: null,
  },
  {
    format: "addresses-txt",
    name: "sanctioned_addresses_USDT.txt",
    text: `# made from the list of 2026-11-04\n${EVM}\n${TRON}\n`,
    keys: [ON_EVM, ON_TRON],
    address: TRON,
    line: 3,
    byLine: true,
    version: null,
  },
  {
    format: "addresses-json",
    name: "sanctioned_addresses_XBT.json",
    text: `[\n  "${EVM}",\n  "${BTC}"\n]\n`,
    keys: [ON_EVM, ON_BTC],
    address: BTC,
    line: 3,
    byLine: false,
    version: null,
  },
  {
    format: "ofac-advanced",
    name: "sdn_advanced.xml",
    text: `<?xml version="1.0" encoding="utf-8"?>
<Sanctions xmlns="https://sanctionslistservice.ofac.treas.gov/api/PublicationPreview/exports/ADVANCED_XML" Version="3">
  <DateOfIssue CalendarTypeID="1"><Year>2026</Year><Month>11</Month><Day>4</Day></DateOfIssue>
  <ReferenceValueSets>
    <FeatureTypeValues>
      <FeatureType ID="25">Location</FeatureType>
      <FeatureType ID="345">Digital Currency Address - ETH</FeatureType>
      <FeatureType ID="887">Digital Currency Address - USDT</FeatureType>
      <FeatureType ID="999">Digital Currency Address - NEWCOIN</FeatureType>
    </FeatureTypeValues>
    <ListValues><List ID="1550">SDN List</List></ListValues>
    <PartyTypeValues><PartyType ID="1">Individual</PartyType><PartyType ID="2">Entity</PartyType></PartyTypeValues>
    <PartySubTypeValues><PartySubType ID="3" PartyTypeID="2">Unknown</PartySubType><PartySubType ID="4" PartyTypeID="1">Unknown</PartySubType></PartySubTypeValues>
    <SanctionsTypeValues><SanctionsType ID="1">Program</SanctionsType><SanctionsType ID="1705">Block</SanctionsType></SanctionsTypeValues>
  </ReferenceValueSets>
  <DistinctParties>
    <DistinctParty FixedRef="90001">
      <Profile ID="90001" PartySubTypeID="3">
        <Identity ID="1" FixedRef="90001" Primary="true">
          <Alias FixedRef="90001" AliasTypeID="1403" Primary="true">
            <DocumentedName ID="1"><DocumentedNamePart><NamePartValue>EXAMPLE HEIST</NamePartValue></DocumentedNamePart><DocumentedNamePart><NamePartValue>GROUP &amp; SONS</NamePartValue></DocumentedNamePart></DocumentedName>
          </Alias>
          <Alias FixedRef="90001" AliasTypeID="1400" Primary="false"><DocumentedName ID="2"><DocumentedNamePart><NamePartValue>OTHER NAME</NamePartValue></DocumentedNamePart></DocumentedName></Alias>
        </Identity>
        <Feature ID="9" FeatureTypeID="25"><FeatureVersion ID="9"><VersionDetail>0x1111111111111111111111111111111111111111</VersionDetail></FeatureVersion></Feature>
        <Feature ID="10" FeatureTypeID="345"><FeatureVersion ID="11"><VersionDetail>${EVM}</VersionDetail></FeatureVersion></Feature>
        <Feature ID="12" FeatureTypeID="887"><FeatureVersion ID="13"><VersionDetail>${TRON}</VersionDetail></FeatureVersion></Feature>
      </Profile>
    </DistinctParty>
    <DistinctParty FixedRef="90002">
      <Profile ID="90002" PartySubTypeID="4">
        <Feature ID="14" FeatureTypeID="999"><FeatureVersion ID="15"><VersionDetail>${EVM_2}</VersionDetail></FeatureVersion></Feature>
      </Profile>
    </DistinctParty>
  </DistinctParties>
  <SanctionsEntries>
    <SanctionsEntry ID="90001" ProfileID="90001" ListID="1550">
      <EntryEvent ID="1" EntryEventTypeID="1"><Date CalendarTypeID="1"><Year>2026</Year><Month>7</Month><Day>1</Day></Date></EntryEvent>
      <SanctionsMeasure ID="1" SanctionsTypeID="1705"/>
      <SanctionsMeasure ID="2" SanctionsTypeID="1"><Comment>DPRK3</Comment></SanctionsMeasure>
    </SanctionsEntry>
  </SanctionsEntries>
</Sanctions>
`,
    keys: [ON_EVM, ON_TRON, ON_EVM_2],
    address: TRON,
    line: 27,
    byLine: false,
    version: "2026-11-04",
  },
  {
    format: "ofac-legacy",
    name: "sdn.xml",
    text: `<?xml version="1.0" encoding="utf-8"?>
<sdnList xmlns="https://sanctionslistservice.ofac.treas.gov/api/PublicationPreview/exports/XML">
  <publshInformation><Publish_Date>11/04/2026</Publish_Date><Record_Count>1</Record_Count></publshInformation>
  <sdnEntry><uid>90001</uid><firstName>Example</firstName><lastName>HEIST</lastName><sdnType>Individual</sdnType>
    <programList><program>DPRK3</program><program>CYBER2</program></programList>
    <idList><id><uid>7001</uid><idType>Digital Currency Address - ETH</idType><idNumber>${EVM}</idNumber></id>
      <id><uid>7002</uid><idType>Passport</idType><idNumber>0x1111111111111111111111111111111111111111</idNumber></id>
      <id><uid>7003</uid><idType>Digital Currency Address - TRX</idType><idNumber>${TRON}</idNumber></id></idList>
  </sdnEntry>
</sdnList>
`,
    keys: [ON_EVM, ON_TRON],
    address: TRON,
    line: 8,
    byLine: false,
    version: "2026-11-04",
  },
  {
    format: "ofac-csv",
    name: "sdn.csv",
    text: `90000,"SOME VESSEL","vessel","IRAN",-0- ,"ABCD","Tanker",-0- ,-0- ,-0- ,-0- ,"no address here."\r\n90001,"EXAMPLE HEIST GROUP",-0- ,"DPRK3",-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,"Digital Currency Address - ETH ${EVM}; alt. Digital Currency Address - TRX ${TRON}; Linked To: NOBODY."\r\n\x1a\r\n`,
    keys: [ON_EVM, ON_TRON],
    address: TRON,
    line: 2,
    byLine: true,
    version: null,
  },
  {
    format: "tagpack",
    name: "heist.yaml",
    text: `title: Example bridge heist
creator: Investigations desk
description: Addresses seen in the example heist
lastmod: 2026-11-05
source: https://example.org/report/1
currency: ETH
network: ETH
confidence: forensic_investigation
abuse: service_hack
category: user
is_cluster_definer: false
tags:
- address: '${EVM}'
  label: Example exploiter 1
  context: '{"description": "first hop"}'
- address: ${TRON}
  currency: USDT
  network: TRX
  label: Example exploiter cash-out
  confidence: web_crawl
- tx_hash: ${"ab".repeat(32)}
  label: a transaction
`,
    keys: [ON_EVM, ON_TRON],
    address: TRON,
    line: 16,
    byLine: true,
    version: "2026-11-05",
  },
  {
    format: "misp",
    name: "event.json",
    text: `{"Event":{"uuid":"5f0f2c7e-8c0c-4c7e-9d0e-1b1c5a2f0001","info":"Example heist addresses","date":"2026-11-05","threat_level_id":"1","analysis":"1","timestamp":"1793872800","published":true,
 "Orgc":{"name":"EXAMPLE-CERT","uuid":"55f6ea5e-2c60-40e5-964f-47a8950d210f"},"Tag":[{"name":"tlp:amber"}],
 "Attribute":[{"type":"btc","value":"${BTC}","to_ids":true,"Tag":[{"name":"tlp:green"}]},{"type":"domain","value":"example.org"}],
 "Object":[{"uuid":"5f0f2c7e-8c0c-4c7e-9d0e-1b1c5a2f0002","name":"coin-address","meta-category":"financial","template_uuid":"d0e6997e-78da-4815-a6a1-cfc1c1cb8a46","template_version":"7","timestamp":"1793872800",
  "Attribute":[{"uuid":"5f0f2c7e-8c0c-4c7e-9d0e-1b1c5a2f0003","object_relation":"address-crypto","type":"text","category":"Financial fraud","to_ids":true,"value":"${EVM}"},
   {"uuid":"5f0f2c7e-8c0c-4c7e-9d0e-1b1c5a2f0004","object_relation":"symbol","type":"text","category":"Other","to_ids":false,"value":"ETH"}]},
  {"name":"coin-address","Attribute":[
   {"object_relation":"address-crypto","type":"text","value":"${TRON}"}]}]}}
`,
    keys: [ON_EVM, ON_TRON, ON_BTC],
    address: TRON,
    line: 8,
    byLine: false,
    version: "2026-11-05",
  },
  {
    format: "stix",
    name: "bundle.json",
    text: `{"type":"bundle","id":"bundle--2c1f7f0e-6d1a-4f5b-9d2e-0a0a0a0a0001","objects":[
 {"type":"cryptocurrency-wallet","spec_version":"2.1","id":"cryptocurrency-wallet--b6ae6083-875f-5fe9-84b9-89e168f80001","value":"${EVM}","extensions":{"extension-definition--be78509e-6958-51b1-8b26-d17ee0eba2d7":{"extension_type":"new-sco"}}},
 {"type":"Cryptocurrency-Wallet","spec_version":"2.1","id":"cryptocurrency-wallet--b6ae6083-875f-5fe9-84b9-89e168f80002","value":"${TRON}","extensions":{"extension-definition--f93e2c80-4231-4f9a-af8b-95c9bd566a82":{"extension_type":"property-extension"}}},
 {"type":"indicator","spec_version":"2.1","id":"indicator--2c1f7f0e-6d1a-4f5b-9d2e-0a0a0a0a0002","created":"2026-11-05T10:00:00.000Z","modified":"2026-11-06T10:00:00.000Z","name":"Example heist wallet","indicator_types":["malicious-activity"],"pattern":"[cryptocurrency-wallet:value = '${EVM}']","pattern_type":"stix","valid_from":"2026-11-05T10:00:00Z","valid_until":"2027-11-05T10:00:00Z","confidence":90,"labels":["heist"],"object_marking_refs":["marking-definition--f88d31f6-486f-44da-b317-01333bde0b82"]}]}
`,
    keys: [ON_EVM, ON_TRON],
    address: TRON,
    line: 3,
    byLine: false,
    version: "2026-11-06",
  },
  {
    format: "ftm",
    name: "entities.ftm.json",
    text: `{"id":"NK-example","schema":"Person","caption":"Somebody","properties":{"name":["Somebody"]},"datasets":["us_ofac_sdn"]}
{"id":"ofac-wallet-0001","schema":"CryptoWallet","caption":"${EVM}","properties":{"publicKey":["${EVM}"],"currency":["ETH"],"holder":["NK-example"],"topics":["sanction"]},"datasets":["us_ofac_sdn"],"first_seen":"2026-07-01T00:00:00","last_seen":"2026-11-05T00:00:00","last_change":"2026-07-01T00:00:00","referents":[]}
{"id":"wallet-0002","schema":"CryptoWallet","caption":"cash-out","properties":{"publicKey":["${TRON}"],"currency":["USDT"]},"datasets":["il_mod_crypto"],"last_change":"2026-07-03T00:00:00"}
`,
    keys: [ON_EVM, ON_TRON],
    address: TRON,
    line: 3,
    byLine: true,
    version: "2026-07-03",
  },
  {
    format: "eth-labels",
    name: "accounts.json",
    text: `[{"address":"${EVM.toLowerCase()}","chainId":1,"label":"heist","nameTag":"Example Exploiter 1"},
{"address":"${EVM_2}","chainId":56,"label":"phish-hack","nameTag":null}]
`,
    keys: [ON_EVM, `eip155:56/${EVM_2}`],
    address: EVM_2,
    line: 2,
    byLine: false,
    version: null,
  },
];
