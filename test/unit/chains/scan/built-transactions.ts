/** Transactions of every type, signed or not, as `buildBlock` takes them; and logs of every shape that is read. */
import { decodeRlp, getCreateAddress, Transaction, type TransactionLike, Wallet } from "ethers";
import { READ_EVENTS } from "../../../../src/chains/evm/decode-logs.ts";
import { AUTHORIZATION, type FieldKind, type FieldTable } from "../../../../src/chains/evm/proof/fields.ts";
import { profileOf } from "../../../../src/chains/evm/proof/profiles.ts";
import type { LogJson, Sent } from "../proof/build-block.ts";
import { int } from "../proof/reference.ts";
import type { Json } from "../proof/support.ts";

export const WALLET = new Wallet(`0x${"46".repeat(32)}`);
const SENDER = WALLET.address.toLowerCase();

type Items = string | Items[];

/** A transaction signed by `WALLET`; its JSON comes from what was signed, field by field. */
export function signed(request: TransactionLike, more: Partial<Sent> = {}): Sent {
  const transaction = Transaction.from({ gasLimit: 100_000n, nonce: 0, ...request });
  transaction.signature = WALLET.signingKey.sign(transaction.unsignedHash);
  const typeByte = transaction.type ?? 0;
  const fields = profileOf(1).types[typeByte]?.fields ?? [];
  const items = decodeRlp(typeByte === 0 ? transaction.serialized : `0x${transaction.serialized.slice(4)}`) as Items[];
  const json: Json = { from: SENDER };
  fields.forEach(([key, kind], at) => (json[key] = valueOf(items[at] ?? "0x", kind)));
  return { json, typeByte, items, ...creation(json), ...more };
}

/** What the receipt of a creation names. */
function creation(json: Json): Partial<Sent> {
  if (json["to"] !== null) return {};
  const contractAddress = getCreateAddress({ from: SENDER, nonce: Number(json["nonce"]) }).toLowerCase();
  return { receipt: { contractAddress } };
}

function valueOf(item: Items, kind: FieldKind): unknown {
  const list = typeof item === "string" ? [] : item;
  if (kind === "accessList")
    return list.map((entry) => ({ address: entry[0] as string, storageKeys: entry[1] as unknown as string[] }));
  if (kind === "authorizations")
    return list.map((entry) =>
      Object.fromEntries(AUTHORIZATION.map(([key, own], at) => [key, valueOf(entry[at] ?? "0x", own)])),
    );
  if (kind === "hashes") return list;
  if (kind === "addressOrNone" && item === "0x") return null;
  return kind === "quantity" || kind === "parity"
    ? `0x${BigInt(item === "0x" ? 0 : (item as string)).toString(16)}`
    : item;
}

/** A transaction that carries no signature, from its JSON. */
export function unsigned(chainId: number, typeByte: number, json: Json, more: Partial<Sent> = {}): Sent {
  const fields: FieldTable = profileOf(chainId).types[typeByte]?.fields ?? [];
  return { json, typeByte, items: fields.map(([key, kind]) => itemOf(json, key, kind)), ...more };
}

function itemOf(json: Json, key: string, kind: FieldKind): string {
  const value = json[key];
  if (kind === "feeCap") return int((json["maxFeePerGas"] ?? json["gasPrice"]) as string);
  if (kind === "flag") return value === true ? "0x01" : "0x";
  if (value === undefined || value === null) return "0x";
  return kind === "quantity" || kind === "quantityOrNone" ? int(value as string) : (value as string);
}

/** A new address each time, from a number that is part of it. */
export function createAddresses(first: number): () => string {
  let next = first;
  return () => {
    next += 1;
    return `0x${(next * 40_503).toString(16).padStart(10, "0").repeat(4)}`;
  };
}

/** Its upper bytes are dirty: readers take the low twenty. */
const wordOf = (address: string) => `ff00aa000000000000000001${address.slice(2)}`;
const plain = (value: number) => value.toString(16).padStart(64, "0");

/**
 * Every event that is read, with every number of indexed fields, all of them addresses; batches and wraps as they must
 * be; data that is cut, too long or empty; and logs that move nothing, though they name addresses.
 */
export function everyLog(address: () => string): LogJson[] {
  const words = (count: number) => Array.from({ length: count }, () => wordOf(address()));
  const logs: LogJson[] = [];
  const add = (topics: readonly string[], data: string) =>
    logs.push({
      address: address(),
      topics: topics.map((topic) => (topic.startsWith("0x") ? topic : `0x${topic}`)),
      data: `0x${data}`,
    });
  for (const event of READ_EVENTS) {
    for (let indexed = 0; indexed < 4; indexed += 1) {
      add([event, ...words(indexed)], words(5).join(""));
      add(
        [event, ...words(indexed)],
        words(4 - indexed)
          .join("")
          .slice(0, -2),
      );
      add([event, ...words(indexed)], words(1).join(""));
      add([event, ...words(indexed)], "");
    }
    const batch = [0x40, 0xa0, 2, 7, 8, 2, 5, 6].map(plain).join("");
    add([event, ...words(3)], batch);
  }
  add([], words(5).join(""));
  add([`0x${"07".repeat(32)}`, ...words(3)], words(3).join(""));
  return logs;
}
