import path from "node:path";
import { beforeAll, describe, expect, test } from "@jest/globals";
import { getAddress } from "ethers";
import fc from "fast-check";
import { normalizeAddress } from "../../../src/chains/registry.ts";
import type { OwnAddress } from "../../../src/types/watch.ts";
import { isWellFormed } from "../../../src/watchlist/coins.ts";
import {
  checkAddress,
  createLookAlikes,
  type HygieneContext,
  isBurn,
  type KnownAddress,
} from "../../../src/watchlist/hygiene.ts";
import { keyEquivalents } from "../../../src/watchlist/key-equivalents.ts";
import { loadWatchlists } from "../../../src/watchlist/load.ts";
import { nearSpellings } from "../../../src/watchlist/near-spellings.ts";
import { loadServices, type ServiceList } from "../../../src/watchlist/services.ts";
import { A1, inFolder, ROOT } from "./helpers.ts";

const EVM = "eip155:1";
const TRON = "tron:0x2b6653dc";
const BITCOIN = "bip122:000000000019d6689c085ae165831e93";
const SOLANA = "solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp";

let services: ServiceList;
beforeAll(async () => {
  const loaded = await loadServices({ paths: [path.join(ROOT, "watchlists/services")], normalizeAddress });
  expect(loaded.problems).toEqual([]);
  services = loaded.services;
});

function context(more: { own?: OwnAddress; known?: readonly KnownAddress[] } = {}): HygieneContext {
  return {
    normalizeAddress,
    services,
    ownOf: (chain, address) => (more.own?.chain === chain && more.own.address === address ? more.own : null),
    lookAlikes: createLookAlikes(more.known ?? []),
  };
}
const codesOf = (chain: string, text: string, more = {}, sanctioned = false) =>
  checkAddress({ chain, text, sanctioned }, context(more)).findings.map(({ code }) => code);

describe("a typo is told with what was meant", () => {
  test("one letter in the wrong case", () => {
    const right = getAddress(`0x${"a1b2".repeat(10)}`);
    const at = right.split("").findIndex((sign, index) => index > 1 && /[a-f]/.test(sign));
    const wrong = right.slice(0, at) + right[at]?.toUpperCase() + right.slice(at + 1);
    const { address, findings, refused } = checkAddress({ chain: EVM, text: wrong, sanctioned: false }, context());
    expect(address).toBeNull();
    expect(refused).toBe(true);
    expect(findings[0]).toMatchObject({ code: "notAnAddress", near: expect.arrayContaining([right]) });
  });

  test("any one digit mistyped, or two swapped, in mixed case leads back to the right address", () => {
    const bytes = fc.uint8Array({ minLength: 20, maxLength: 20 });
    fc.assert(
      fc.property(
        bytes,
        fc.integer({ min: 2, max: 41 }),
        fc.constantFrom(..."0123456789".split("")),
        (raw, at, digit) => {
          const right = getAddress(`0x${Buffer.from(raw).toString("hex")}`);
          const wrong = right.slice(0, at) + digit + right.slice(at + 1);
          // With few letters the cases tell little.
          fc.pre(wrong !== right && wrong !== wrong.toLowerCase() && wrong.replace(/[^a-fA-F]/g, "").length >= 10);
          expect(nearSpellings(EVM, wrong)).toContain(right);
        },
      ),
      { numRuns: 25 },
    );
  });

  test.each([
    [TRON, "TUoixKFaWVsHxGWgnYyMzpkrT22YqU7VvH"],
    [BITCOIN, "16iWn2J1McqjToYLHSsAyS6En3QA8YQ91H"],
    [BITCOIN, "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"],
  ])("on %s a wrong and two swapped signs of %s", (chain, right) => {
    const wrong = `${right.slice(0, 12)}${right[12] === "q" ? "p" : "q"}${right.slice(13)}`;
    const swapped = `${right.slice(0, 9)}${right[10]}${right[9]}${right.slice(11)}`;
    expect(nearSpellings(chain, wrong)).toEqual([right]);
    expect(nearSpellings(chain, swapped)).toEqual([right]);
  });

  test("TRON's published wrong address is refused", () => {
    const wrong = "TUoixKFaWVsHxGWgnYyMzpkrT22YqU7VvG";
    expect(checkAddress({ chain: TRON, text: wrong, sanctioned: false }, context())).toMatchObject({
      refused: true,
      findings: [{ code: "notAnAddress", near: ["TUoixKFaWVsHxGWgnYyMzpkrT22YqU7VvH"] }],
    });
  });

  test("one case alone carries no checksum, and where there is none nothing is guessed", () => {
    expect(nearSpellings(EVM, A1.toLowerCase())).toEqual([]);
    expect(nearSpellings(EVM, "0x12")).toEqual([]);
    expect(nearSpellings(SOLANA, "DrkSpv")).toEqual([]);
    expect(nearSpellings(TRON, "x".repeat(100_000))).toEqual([]);
  });
});

describe("what is refused without saying it twice", () => {
  test.each([
    [EVM, `0x${"0".repeat(40)}`],
    [EVM, "0x000000000000000000000000000000000000dEaD"],
    [EVM, `0x${"0".repeat(38)}09`],
    [BITCOIN, "1BitcoinEaterAddressDontSendf59kuE"],
    [BITCOIN, "1CounterpartyXXXXXXXXXXXXXXXUWLpVr"],
    [BITCOIN, "1111111111111111111114oLvT2"],
    [TRON, "T9yD14Nj9j7xAB4dbGeiX9h8unkKHxuWwb"],
    [SOLANA, "1nc1nerator11111111111111111111111111111111"],
    [SOLANA, "11111111111111111111111111111111"],
  ])("on %s the burn address %s", (chain, text) => {
    expect(isWellFormed(chain, text)).toBe(true);
    const found = checkAddress({ chain, text, sanctioned: false }, context());
    expect(found.findings.map(({ code }) => code)).toContain("burn");
    expect(found.refused).toBe(true);
  });

  test("an ordinary address is not refused, and no listed thief is called a burn address", async () => {
    expect(checkAddress({ chain: EVM, text: A1, sanctioned: false }, context())).toMatchObject({
      refused: false,
      compliance: false,
      address: A1,
    });
    const { lists } = await loadWatchlists({ paths: [path.join(ROOT, "watchlists")], normalizeAddress });
    for (const { entry } of lists.flatMap((list) => list.entries)) expect(isBurn(entry.address)).toBe(false);
  });

  test("a service, named; none of the shipped entries is one", async () => {
    const router = "0x0000000000001fF3684f28c67538d4D072C22734";
    expect(checkAddress({ chain: EVM, text: router, sanctioned: false }, context())).toMatchObject({
      refused: true,
      findings: [{ code: "service", service: { entity: "0x", category: "aggregator" } }, { code: "keyEquivalent" }],
    });
    const { lists } = await loadWatchlists({ paths: [path.join(ROOT, "watchlists")], normalizeAddress });
    const accused = lists.flatMap((list) => list.entries).filter(({ entry }) => entry.default !== "never");
    expect(accused.filter(({ entry }) => services.serviceOf(entry.chain, entry.address) !== null)).toEqual([]);
  });

  test("an own address is refused, unless it is sanctioned: then compliance is told instead", () => {
    const own: OwnAddress = { chain: EVM, address: A1, customerRef: "c-1", wallet: "deposit" };
    const ask = (sanctioned: boolean) => checkAddress({ chain: EVM, text: A1, sanctioned }, context({ own }));
    expect(ask(false)).toMatchObject({ refused: true, compliance: false, findings: [{ code: "own", own }, {}] });
    expect(ask(true)).toMatchObject({
      refused: false,
      compliance: true,
      findings: [{ code: "ownSanctioned", own }, {}],
    });
  });
});

describe("look-alikes", () => {
  const known: KnownAddress[] = [
    { chain: EVM, address: getAddress(`0xabcd${"11".repeat(16)}ef01`), what: "own deposit" },
  ];

  test("the same first and last four digits on any EVM chain, whatever is between and in whatever case", () => {
    const imitation = getAddress(`0xabcd${"22".repeat(16)}ef01`);
    expect(codesOf(EVM, imitation, { known })).toContain("lookAlike");
    expect(codesOf("eip155:10", imitation.toLowerCase(), { known })).toContain("lookAlike");
  });

  test("one digit less at either end is none, and the address itself is none", () => {
    for (const other of [`0xabce${"22".repeat(16)}ef01`, `0xabcd${"22".repeat(16)}ef02`, known[0]?.address ?? ""])
      expect(codesOf(EVM, getAddress(other), { known })).not.toContain("lookAlike");
  });

  test("the DMM theft address imitates the one DMM paid before: the real case is found in the shipped lists", async () => {
    const { lists } = await loadWatchlists({
      paths: [path.join(ROOT, "watchlists/dmm-bitcoin-2024.yaml")],
      normalizeAddress,
    });
    const entries = lists.flatMap((list) => list.entries.map(({ entry }) => entry));
    const victims = entries
      .filter(({ role }) => role === "victim")
      .map(({ chain, address, label }) => ({ chain, address, what: label }));
    const { of } = createLookAlikes(victims);
    const imitations = entries.filter(({ role, chain, address }) => role === "theft" && of(chain, address).length > 0);
    expect(imitations.length).toBeGreaterThan(0);
  });
});

describe("one key, several addresses", () => {
  test.each([
    ["TUoixKFaWVsHxGWgnYyMzpkrT22YqU7VvH", "0xce9f3bc87000393f625088ed40280a74682396cf"],
    ["TA3rH2A7iHnm6pKH8gr9cK1EZnShnmZdFg", "0x00e0c79525c9f846ee27f8ecf3dcfebb3a335dc7"],
  ])("%s and %s", (tron, evm) => {
    expect(keyEquivalents(TRON, tron)).toEqual([{ chain: EVM, address: getAddress(evm) }]);
    expect(keyEquivalents("eip155:56", getAddress(evm))).toEqual([{ chain: TRON, address: tron }]);
    expect(keyEquivalents(TRON, `${tron.slice(0, -1)}1`)).toEqual([]);
  });

  test("Bitcoin: one key hash as legacy, segwit and wrapped segwit (BIP 173, and BIP 141's script)", () => {
    const legacy = "1BgGZ9tcN4rm9KBzDn7KprQz87SZ26SAMH";
    const segwit = "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4";
    const wrapped = "3JvL6Ymt8MVWiCNHC7oWU6nLeHNJKLZGLN";
    const of = (address: string) => keyEquivalents(BITCOIN, address).map((one) => one.address);
    expect(of(legacy)).toEqual([segwit, wrapped]);
    expect(of(segwit)).toEqual([legacy, wrapped]);
    expect(of(segwit.toUpperCase())).toEqual([legacy, segwit, wrapped]);
    expect(of(wrapped)).toEqual([]);
    expect(of("bc1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3qccfmv3")).toEqual([]);
  });

  test("no address makes it throw", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(EVM, TRON, BITCOIN, SOLANA),
        fc.string({ unit: "binary", maxLength: 70 }),
        (chain, text) => {
          keyEquivalents(chain, text);
          checkAddress({ chain, text, sanctioned: false }, context());
        },
      ),
    );
  });
});

describe("the shipped services", () => {
  test("all 2,657 are read, every one a well-formed address of its chain", () => {
    expect(services.count).toBe(2657);
  });

  test("a wrong row is told by its line", async () => {
    const text = `format: heistwatch-services/1\nversion: "2026-11-22.1"\ncategory: mixer\nsources:\n  s1: "https://example.org"\nservices:\n  - { chain: eip155:1, address: "0x12", entity: x, label: y, confidence: researcher, sources: [s1] }\n  - { chain: eip155:1, address: "${A1}", entity: x, label: y, confidence: hearsay, sources: [s1] }\n`;
    const { problems } = await inFolder({ "mixer.yaml": text }, (folder) =>
      loadServices({ paths: [folder], normalizeAddress }),
    );
    expect(problems).toMatchObject([
      { line: 7, field: "services[0].address" },
      { line: 8, field: "services[1].confidence" },
    ]);
  });
});
