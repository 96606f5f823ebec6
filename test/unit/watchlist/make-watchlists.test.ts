import { describe, expect, test } from "@jest/globals";
import { makeWatchlists } from "../../../scripts/make-watchlists.ts";
import { nativeYaml } from "../../../src/watchlist/formats/native-yaml.ts";
import { A1, B2 } from "./helpers.ts";

const HEIST = {
  id: "example-2024",
  kind: "theft",
  name: 'Example: "exchange" #1',
  date: "2024-01-31",
  loss_usd: 1000,
  assets: ["ETH"],
  chains: ["eip155:1"],
  attribution: null,
  attribution_basis: "a statement",
  references: ["https://example.org/a", "https://example.org/b"],
  note: "Two\ttabs are not in the data, but # and : are.".replace("\t", " "),
};
const ADDRESS = {
  chain: "eip155:1",
  address: A1,
  incident: "example-2024",
  role: "theft",
  label: "yes: [a] # {b} 'c' \"d\" \\ 김상만",
  basis: "sanctions",
  confidence: "confirmed",
  independent_sources: 2,
  sanctioned: { list: "OFAC SDN", source: "github:x/y:z.txt@1" },
  default: "on",
  direction: "to_only",
  custodian: "an exchange",
  note: "a note",
  first_seen_tx: "0xabc",
  sources: [
    { ref: "https://example.org/a", label: "no", quoted_source: "OFAC SDN list" },
    { ref: "github:x/y:z.txt@1", label: "1e3" },
  ],
};
const OFF = {
  ...ADDRESS,
  chain: "solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp",
  address: "So1example",
  basis: "researcher",
  sanctioned: null,
  default: "off",
  direction: "both",
  account_type: "token_account",
  owner: "So1owner",
};
const INTEL = {
  heists: [HEIST, { ...HEIST, id: "empty-2024" }, { ...HEIST, id: "upbit-2025" }],
  addresses: [OFF, ADDRESS, { ...ADDRESS, address: B2, incident: "upbit-2025" }],
  tokens: [
    {
      chain: "eip155:1",
      address: A1,
      symbol: "1INCH",
      name: null,
      decimals: null,
      kind: "token",
      symbols_seen: [],
      sources: ["github:t"],
    },
  ],
  services: [
    {
      chain: "eip155:1",
      address: B2,
      entity: 'Some: "exchange"',
      category: "exchange",
      label: "hot wallet #1",
      confidence: "compiled_list",
      other_labels: [],
      conflicting_entities: ["Some", "Other"],
      sources: ["github:s"],
    },
  ],
  transactions: [
    {
      incident: "example-2024",
      chain: "eip155:1",
      tx: "0x12",
      block: 7,
      time: "2024-07-18T06:19:59Z",
      kind: "theft",
      from: A1,
      to: B2,
      value_usd: 1,
      note: 'all of it: "gone"',
      sources: ["github:x"],
    },
    {
      incident: "example-2024",
      chain: "eip155:1",
      tx: "0x11",
      block: null,
      time: null,
      kind: "funding",
      from: null,
      to: null,
      value_usd: null,
      note: null,
      sources: ["github:s", "github:x"],
    },
  ],
};

describe("make-watchlists", () => {
  test("gives the same bytes for the same data, in any order", () => {
    const first = [...makeWatchlists(INTEL)];
    expect([...makeWatchlists(structuredClone(INTEL))]).toEqual(first);
    const turned = {
      ...INTEL,
      services: INTEL.services.toReversed(),
      transactions: INTEL.transactions.toReversed(),
      heists: INTEL.heists.toReversed(),
      addresses: INTEL.addresses.toReversed(),
    };
    expect([...makeWatchlists(turned)]).toEqual(first);
  });

  test("writes one file for each incident with addresses, and the tokens", () => {
    expect([...makeWatchlists(INTEL).keys()]).toEqual([
      "watchlists/example-2024.yaml",
      "watchlists/upbit-2025.yaml",
      "config/tokens.yaml",
      "watchlists/services/exchange.yaml",
      "watchlists/thefts/transactions.yaml",
    ]);
  });

  test("reads back as exactly what went in", () => {
    const text = makeWatchlists(INTEL).get("watchlists/example-2024.yaml") ?? "";
    const { list, problems } = nativeYaml.parse(text, "example-2024.yaml");
    expect(problems).toEqual([]);
    expect(list?.incident).toEqual({
      id: HEIST.id,
      name: HEIST.name,
      kind: "theft",
      date: HEIST.date,
      attribution: null,
      attributionBasis: "a statement",
      disputed: false,
      lossUsd: 1000,
      references: HEIST.references,
      note: HEIST.note,
    });
    const [evm, solana] = list?.entries ?? [];
    expect(evm).toEqual({
      line: expect.any(Number),
      chain: "eip155:1",
      address: A1,
      role: "theft",
      label: ADDRESS.label,
      basis: "sanctions",
      confidence: "confirmed",
      independentSources: 2,
      sanctioned: ADDRESS.sanctioned,
      default: "on",
      direction: "to_only",
      custodian: "an exchange",
      note: "a note",
      firstSeenTx: "0xabc",
      accountType: null,
      owner: null,
      sources: [
        { ref: "https://example.org/a", label: "no", quoted: "OFAC SDN list" },
        { ref: "github:x/y:z.txt@1", label: "1e3", quoted: null },
      ],
    });
    expect(solana).toMatchObject({
      default: "off",
      direction: "both",
      accountType: "token_account",
      owner: "So1owner",
      sanctioned: null,
    });
  });

  test("writes neither a direction that goes both ways nor an empty sanction", () => {
    const text = makeWatchlists({ ...INTEL, addresses: [OFF] }).get("watchlists/example-2024.yaml") ?? "";
    expect(text).not.toMatch(/direction|sanctioned|null/);
  });

  test("quotes whatever an older YAML reader would take for a boolean, a number or a date", () => {
    const text = makeWatchlists(INTEL).get("watchlists/example-2024.yaml") ?? "";
    for (const part of ['default: "on"', 'label: "no"', 'label: "1e3"', 'date: "2024-01-31"', `address: "${A1}"`]) {
      expect(text).toContain(part);
    }
  });

  test("says that a list with sanctioned rows is not the full one", () => {
    const files = makeWatchlists({ ...INTEL, addresses: [ADDRESS, { ...OFF, incident: "upbit-2025" }] });
    expect(files.get("watchlists/example-2024.yaml")).toContain(
      "NOT a full OFAC list: 1 sanctioned rows here, 1 in all",
    );
    expect(files.get("watchlists/upbit-2025.yaml")).not.toContain("NOT a full");
  });

  test("calls only upbit-2025 disputed", () => {
    const files = makeWatchlists(INTEL);
    expect(files.get("watchlists/upbit-2025.yaml")).toContain("disputed: true");
    expect(files.get("watchlists/example-2024.yaml")).toContain("disputed: false");
  });

  test("refuses an address whose incident is unknown instead of dropping it", () => {
    expect(() => makeWatchlists({ ...INTEL, heists: [] })).toThrow("no incident example-2024");
  });
});
