/** What two answers must share to mean the same block. Written apart from the proof, from what readers use. */
import type { Answers } from "./mutants.ts";
import type { Json } from "./support.ts";

const DATA = /^(input|data|hash|address|to|from|topics|extraData)$/;

/** Fields that nothing vouches for: see the list at the top of prove-block.ts. */
const NOT_VOUCHED_FOR = new Set(
  "effectiveGasPrice gasPrice blobGasPrice blobGasUsed size totalDifficulty uncles chainId blockTimestamp".split(" "),
);

/** What a reader takes from the answers, with quantities as numbers: two answers of one meaning are the same block. */
export function meaningOf({ block, receipts }: Answers): string {
  return JSON.stringify([meaning(block, true), receipts.map((receipt) => meaning(receipt, false))]);
}

function meaning(value: unknown, isBlock: boolean): unknown {
  if (Array.isArray(value)) return value.map((item) => meaning(item, false));
  if (typeof value !== "object" || value === null) return value;
  const fields = value as Json;
  const keys = Object.keys(fields).toSorted((a, b) =>
    (a === "v" ? "yParity" : a).localeCompare(b === "v" ? "yParity" : b),
  );
  return keys.flatMap((key) => {
    const own = fields[key];
    // The block's are under its hash; of legacy transactions the price is part of the content.
    const vouched = isBlock
      ? !/^(size|totalDifficulty|uncles)$/.test(key)
      : !NOT_VOUCHED_FOR.has(key) || isContent(fields, key);
    if (!vouched || own === null || own === undefined || isNothing(fields, key)) return [];
    // A typed transaction's parity has two names; nodes give one or both.
    const name = key === "v" && fields["type"] !== "0x0" ? "yParity" : key;
    return [[name, typeof own === "string" ? numeric(key, own) : meaning(own, false)]];
  });
}

function isContent(transaction: Json, key: string): boolean {
  if (key === "gasPrice") return transaction["type"] === "0x0" || transaction["type"] === "0x1";
  return key === "chainId" && transaction["type"] !== "0x0" && transaction["r"] !== undefined;
}

/** An empty list of a kind that the transaction cannot have, `removed: false`, and `data` beside an equal `input`. */
function isNothing(fields: Json, key: string): boolean {
  const value = fields[key];
  if (key === "removed") return value === false;
  if (key === "data" && fields["input"] !== undefined) return value === fields["input"];
  const { yParity } = fields;
  if (key === "v" && typeof yParity === "string" && typeof value === "string")
    return numeric(key, value) === numeric(key, yParity);
  return (
    Array.isArray(value) &&
    value.length === 0 &&
    /^(authorizationList|blobVersionedHashes|accessList|withdrawals)$/.test(key)
  );
}

function numeric(key: string, text: string): string {
  return !DATA.test(key) && /^0x[0-9a-f]{1,64}$/.test(text) ? BigInt(text).toString() : text;
}
