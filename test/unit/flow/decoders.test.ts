/**
 * Goal: what bridges and mixers log is read as they meant it, and nobody else is believed.
 * Method: the vectors' logs, encoded by one library and read by another; mutants of them; foreign contracts.
 */
import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "@jest/globals";
import { AbiCoder, id as keccakOf } from "ethers";
import { createRandom, type Random } from "../../../bench/replay/random.ts";
import { memoInScript, parseMemo } from "../../../src/flow/decoders/memo.ts";
import { DECODERS, type EntityOf, toldIn } from "../../../src/flow/decoders/registry.ts";
import { thorchainKey } from "../../../src/flow/decoders/thorchain.ts";
import type { BridgeStatement, EventLog } from "../../../src/types/bridge-event.ts";

interface DecoderVector {
  readonly id: string;
  readonly log: EventLog;
  readonly expect: Readonly<Record<string, unknown>>;
}
interface Vectors {
  readonly decoders: readonly DecoderVector[];
  readonly topics: readonly { signature: string; topic0: string }[];
  readonly memos: readonly { memo?: string; scriptHex?: string; expect: Readonly<Record<string, unknown>> }[];
}

const VECTORS = JSON.parse(
  readFileSync(path.join(import.meta.dirname, "../../fixtures/flows/vectors.json"), "utf8"),
) as Vectors;
const PLACE = { chain: "eip155:1", tx: `0x${"ab".repeat(32)}` };
const FUZZED = Number(process.env["FLOW_MUTANTS"] ?? 10_000);

function vector(id: string): DecoderVector {
  const found = VECTORS.decoders.find((one) => one.id === id);
  if (found === undefined) throw new Error(`no vector ${id}`);
  return found;
}

/** Every decoder that knows the topic: in the vectors no address says whose contract it is. */
function decode({ log }: DecoderVector): readonly BridgeStatement[] {
  const topic = log.topics[0] ?? "";
  const all = DECODERS.filter(({ topics }) => topics.includes(topic)).map((decoder) => decoder.decode(log, PLACE));
  for (const one of all) expect(one).toEqual(all[0]);
  return all[0] ?? [];
}

const text = (value: bigint | null | undefined) => (value == null ? undefined : value.toString());

/** Our statement in the vectors' words. What a vector does not name is not compared. */
function inTheirWords(said: BridgeStatement): Record<string, unknown> {
  switch (said.said) {
    case "order":
      return {
        kind: "bridge_out",
        bridge: said.bridge,
        key: said.key,
        amount: text(said.amount),
        minOut: text(said.minOut),
        amountSD: text(said.amountShared),
        amountNormalized: text(said.amountShared),
        assetId: said.assetNumber,
        vault: said.vault,
        dstChain: said.bridge === "thorchain" ? said.to.network : said.to.chain,
        dstEid: Number(said.to.network),
        dstWormholeChain: Number(said.to.network),
        dstDebridgeChain: said.to.network,
        dstChainflipChain: Number(said.to.network),
        dstAddress: said.to.address,
        dstAddressHex: said.to.address,
        dstAddressText: said.to.address,
        dstAddressBytes: said.to.address,
        depositId: said.key?.split(":")[2],
      };
    case "orderAmount":
      return {
        kind: "bridge_out_partial",
        bridge: said.bridge,
        key: said.key,
        dstEid: Number(said.network),
        amount: text(said.amount),
        minOut: text(said.minOut),
      };
    case "tickets":
      return {
        kind: "bridge_key",
        bridge: said.bridge,
        tickets: said.tickets.map((one) => one.split(":")[2]),
        key: said.key,
      };
    case "paid":
    case "refunded":
      return {
        kind: "bridge_in",
        bridge: said.bridge,
        key: said.key,
        recipient: said.recipient,
        amount: text(said.amount),
        sourceTx: said.key.split(":")[1],
      };
    case "mixerDeposit":
      return {
        kind: "mixer_deposit",
        mixer: said.mixer,
        commitment: said.commitment,
        token: said.token,
        amount: text(said.amount),
        fee: text(said.fee),
      };
    case "mixerWithdrawal":
      return {
        kind: "mixer_withdrawal",
        mixer: said.mixer,
        recipient: said.recipient,
        token: said.token,
        amount: text(said.amount),
        fee: text(said.fee),
      };
    case "wrapped":
    case "unwrapped":
      return { kind: said.said === "wrapped" ? "wrap" : "unwrap", holder: said.holder, amount: text(said.amount) };
    case "vouched":
      return {};
  }
}

// What a vector tells that is not in a statement, or is told apart below.
const NOT_COMPARED = new Set([
  "asset",
  "keyRule",
  "codec",
  "srcEid",
  "tokenChain",
  "leafIndex",
  "relayer",
  "legs",
  "dstAddressBytes",
]);

describe("events of the vectors", () => {
  test.each(VECTORS.decoders.map((one) => [one.id, one] as const))("%s", (id, one) => {
    const [said, ...more] = decode(one);
    expect(more).toEqual([]);
    const ours = said === undefined ? {} : inTheirWords(said);
    const compared = Object.entries(one.expect).filter(([name]) => !NOT_COMPARED.has(name));
    expect(compared.length).toBeGreaterThan(1 - Number(id.startsWith("weth")));
    for (const [name, value] of compared)
      expect({
        name,
        value: typeof ours[name] === "string" && name !== "dstAddress" ? ours[name].toLowerCase() : ours[name],
      }).toEqual({ name, value: typeof value === "string" && name !== "dstAddress" ? value.toLowerCase() : value });
  });

  test("an order through THORChain's router is known by its transaction, as OUT memos name it", () => {
    const [order] = decode(vector("thorchain-deposit"));
    expect(order).toMatchObject({ key: thorchainKey(PLACE.tx), to: { chain: expect.stringContaining("bip122:") } });
    expect(thorchainKey(`0x${"AB".repeat(32)}`)).toBe(thorchainKey("ab".repeat(32)));
  });

  test("what THORChain gives back is no payment", () => {
    const { log } = vector("thorchain-transferout");
    const types = ["address", "uint256", "string"];
    const [asset, amount] = AbiCoder.defaultAbiCoder().decode(types, log.data) as unknown as [string, bigint];
    const told = (memo: string) =>
      DECODERS.find(({ entity }) => entity === "THORChain")
        ?.decode({ ...log, data: AbiCoder.defaultAbiCoder().encode(types, [asset, amount, memo]) }, PLACE)
        .map(({ said }) => said);
    expect([told(`OUT:${"AB".repeat(32)}`), told(`REFUND:${"AB".repeat(32)}`)]).toEqual([["paid"], ["refunded"]]);
    expect([told("=:BTC.BTC:bc1qdst"), told("YGGDRASIL+:1"), told("")]).toEqual([[], [], []]);
  });

  test("a token that travels with a call behind it is no taxi of Stargate", () => {
    const { log } = vector("lz-packetsent-oft");
    const types = ["bytes", "bytes", "address"];
    const [packet, options, library] = AbiCoder.defaultAbiCoder().decode(types, log.data) as unknown as string[];
    const longer = {
      ...log,
      data: AbiCoder.defaultAbiCoder().encode(types, [`${packet}${"5a".repeat(64)}`, options, library]),
    };
    expect(decode({ id: "", log: longer, expect: {} })).toEqual(decode(vector("lz-packetsent-oft")));
    const shorter = {
      ...log,
      data: AbiCoder.defaultAbiCoder().encode(types, [packet?.slice(0, -2), options, library]),
    };
    expect(decode({ id: "", log: shorter, expect: {} })).toEqual([]);
  });

  test("amounts wrapped and unwrapped", () => {
    const holder = "0x1313131313131313131313131313131313131313";
    expect(decode(vector("weth-deposit"))).toEqual([{ said: "wrapped", holder, amount: 100n }]);
    expect(decode(vector("weth-withdrawal"))).toEqual([{ said: "unwrapped", holder, amount: 40n }]);
  });

  test("a recipient on Solana is told in its 32 bytes, on Chainflip's Arbitrum as an address", () => {
    expect(decode(vector("chainflip-swaptoken"))).toMatchObject([
      { to: { chain: "eip155:42161", address: "0x1414141414141414141414141414141414141414" }, link: "heuristic" },
    ]);
    expect(decode(vector("debridge-created"))).toMatchObject([{ to: { chain: expect.stringContaining("solana:") } }]);
  });
});

test("first topics are those of the signatures", () => {
  const known = new Set(DECODERS.flatMap(({ topics }) => topics));
  for (const { signature, topic0 } of VECTORS.topics) {
    expect(keccakOf(signature)).toBe(topic0);
    if (!signature.startsWith("Transfer("))
      expect({ signature, known: known.has(topic0) }).toEqual({ signature, known: true });
  }
});

describe("memos", () => {
  test.each(VECTORS.memos.map((one) => [one.memo ?? one.scriptHex ?? "", one] as const))("%s", (_name, one) => {
    const memo = one.memo ?? (one.scriptHex === undefined ? null : memoInScript(Buffer.from(one.scriptHex, "hex")));
    expect(memo === null ? { type: "other" } : parseMemo(memo)).toMatchObject(one.expect);
  });

  test.each(["6a", "6a4c", "6a4d01", "6a4e00000000", "51", "", "6a0480ffffff", "6a51"])(
    "no memo in the script %s",
    (hex) => {
      expect(memoInScript(Buffer.from(hex, "hex"))).toBeNull();
    },
  );

  test.each([
    "=:b:a".padEnd(251, "a"),
    "=:B TC.BTC:x",
    "=:BTC:x",
    "=:::::",
    "OUT:",
    "OUT:xyz",
    "OUT:".padEnd(80, "a"),
    "swap",
  ])("%s is nothing that is followed", (memo) => {
    expect(["other", "invalid"]).toContain(parseMemo(memo).type);
  });
});

// keccak256 of the packed bytes: nonce 7 (8 bytes), 30110 (4), 0x1111.. (32), 30101 (4), 0x9999.. (32).
const GUID_BY_HAND = "0x96bbcf9d16cfa20df566fca744952d866b599aece13848ca9d5d6752197f58c2";

function deliveredLog(of: {
  endpoint: string;
  nonce: number;
  from: number;
  sender: string;
  receiver: string;
}): EventLog {
  const word = (digits: string) => digits.replace(/^0x/, "").padStart(64, "0");
  const words = [of.from.toString(16), of.sender, of.nonce.toString(16), of.receiver].map(word);
  return {
    address: of.endpoint,
    topics: [keccakOf("PacketDelivered((uint32,bytes32,uint64),address)")],
    data: `0x${words.join("")}`,
  };
}

describe("whom to believe", () => {
  const ENTITIES: Readonly<Record<string, string>> = {
    "across-v3-legacy": "Across",
    "across-filledrelay": "Across",
    "thorchain-deposit": "THORChain",
    "stargate-busrode": "Stargate",
    "wormhole-redeemed": "Wormhole",
    "debridge-created": "deBridge",
    "chainflip-swapnative": "Chainflip",
    "tornado-deposit": "Tornado Cash",
    "railgun-unshield": "Railgun",
    "lz-packetsent-oft": "LayerZero",
    "weth-deposit": "Wrapped coin",
  };
  const labelled =
    (entities: Readonly<Record<string, string>>): EntityOf =>
    (chain, address) =>
      chain === PLACE.chain ? (entities[address] ?? null) : null;

  test.each(Object.entries(ENTITIES))("%s counts from a contract of %s only", (id, entity) => {
    const { log } = vector(id);
    expect(toldIn([log], PLACE, labelled({ [log.address]: entity }))).toHaveLength(1);
    expect(toldIn([log], PLACE, labelled({}))).toEqual([]);
    expect(toldIn([log], PLACE, labelled({ [log.address]: "Somebody" }))).toEqual([]);
    const elsewhere = { ...PLACE, chain: "eip155:137" };
    expect(toldIn([log], elsewhere, labelled({ [log.address]: entity }))).toEqual([]);
  });

  test("a token says that it travels by LayerZero where the endpoint sent it, in the same transaction", () => {
    const endpoint = vector("lz-packetsent-oft").log.address;
    const token = { ...vector("oft-sent").log, address: "0x9999999999999999999999999999999999999999" };
    const packet = vector("lz-packetsent-oft").log;
    const entities = labelled({ [endpoint]: "LayerZero" });
    expect(toldIn([token, packet], PLACE, entities).map(({ statement }) => statement.said)).toEqual([
      "orderAmount",
      "order",
    ]);
    expect(toldIn([token], PLACE, entities)).toEqual([]);
    const other = { ...token, topics: [token.topics[0] ?? "", `0x${"22".repeat(32)}`, token.topics[2] ?? ""] };
    expect(toldIn([other, packet], PLACE, entities).map(({ statement }) => statement.said)).toEqual(["order"]);
    expect(toldIn([token, { ...packet, address: token.address }], PLACE, entities)).toEqual([]);
  });

  test("and that it arrived where the endpoint delivered that very packet", () => {
    const endpoint = "0x1a44076050125825900e736c501f859c50fE728c";
    const entities = labelled({ [endpoint]: "LayerZero" });
    const delivered = deliveredLog({
      endpoint,
      nonce: 7,
      from: 30_110,
      sender: `0x${"11".repeat(20)}`,
      receiver: `0x${"99".repeat(20)}`,
    });
    const received = (key: string): EventLog => ({
      ...vector("oft-received").log,
      address: `0x${"99".repeat(20)}`,
      topics: [vector("oft-received").log.topics[0] ?? "", key, vector("oft-received").log.topics[2] ?? ""],
    });
    const [vouched] = DECODERS.find(({ entity }) => entity === "LayerZero")?.decode(delivered, PLACE) ?? [];
    const key = vouched !== undefined && "key" in vouched ? (vouched.key ?? "") : "";
    expect(key).toBe(`layerzero:${GUID_BY_HAND}`);
    expect(toldIn([received(GUID_BY_HAND), delivered], PLACE, entities).map(({ statement }) => statement.said)).toEqual(
      ["paid"],
    );
    expect(toldIn([received(`0x${"11".repeat(32)}`), delivered], PLACE, entities)).toEqual([]);
    expect(toldIn([received(GUID_BY_HAND)], PLACE, entities)).toEqual([]);
  });
});

/** One small wrong in a log: hostile contracts log what they like. */
function mutant(log: EventLog, random: Random): EventLog {
  const data = Buffer.from(log.data.slice(2), "hex");
  const [topics, at] = [[...log.topics], random.below(Math.max(1, data.length))];
  switch (random.below(6)) {
    case 0:
      return { ...log, data: log.data.slice(0, 2 + 2 * at) };
    case 1:
      data[at] = random.below(256);
      break;
    case 2:
      // A length or an offset of a word, as large as it goes.
      data.fill(0xff, at - (at % 32), Math.min(data.length, at - (at % 32) + 32));
      break;
    case 3:
      topics.splice(random.below(topics.length + 1), random.below(2), `0x${"ee".repeat(random.below(40))}`);
      return { ...log, topics };
    case 4:
      return { ...log, data: `0x${Buffer.concat([data, Buffer.alloc(random.below(64), 0xc3)]).toString("hex")}` };
    default:
      return { ...log, data: `${log.data}${"f".repeat(random.below(4))}` };
  }
  return { ...log, data: `0x${data.toString("hex")}` };
}

test(`${FUZZED} mutants of the logs never throw, and give whole statements or none`, () => {
  const random = createRandom(20_261_123);
  let told = 0;
  for (let round = 0; round < FUZZED; round += 1) {
    const { log } = VECTORS.decoders[random.below(VECTORS.decoders.length)] as DecoderVector;
    const changed = mutant(random.below(3) === 0 ? mutant(log, random) : log, random);
    for (const decoder of DECODERS)
      for (const statement of decoder.decode(changed, PLACE)) {
        told += 1;
        for (const [name, value] of Object.entries(statement))
          expect({ name, known: value !== undefined && (typeof value !== "bigint" || value >= 0n) }).toEqual({
            name,
            known: true,
          });
      }
  }
  // A changed amount or address is another statement, not none: the mutants are not all refused.
  expect(told).toBeGreaterThan(FUZZED / 10);
  expect(told).toBeLessThan(FUZZED * 2);
}, 120_000);

test(`${FUZZED} random memos and scripts never throw`, () => {
  const random = createRandom(7);
  const alphabet = "=<:/.~-+sSbBeE0x19aZ\u0000\ud800 é";
  for (let round = 0; round < FUZZED; round += 1) {
    const memo = Array.from({ length: random.below(60) }, () => alphabet[random.below(alphabet.length)]).join("");
    expect(["swap", "out", "refund", "other", "invalid"]).toContain(parseMemo(memo).type);
    const script = Uint8Array.from({ length: random.below(90) }, () => random.below(256));
    script[0] = 0x6a;
    const read = memoInScript(script);
    expect(read === null || read.length <= script.length).toBe(true);
  }
});
