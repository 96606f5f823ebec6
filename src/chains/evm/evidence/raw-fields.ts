/** RLP -> a node's JSON, field by field: the way back of `proof/fields.ts`, by the same tables. */
import { RefutedError } from "../../../lib/errors.ts";
import { AUTHORIZATION, type FieldKind, type FieldTable } from "../proof/fields.ts";
import type { RlpItem } from "../proof/rlp-reader.ts";

export type Json = Record<string, unknown>;

/** The items of a list, which are those of the table and no others. Throws RefutedError. */
export function fieldsFrom(item: RlpItem, table: FieldTable, what: string): Json {
  const items = listFrom(item, what);
  if (items.length !== table.length)
    throw new RefutedError(`${what} has ${items.length} fields, ${table.length} are known`);
  return Object.fromEntries(
    table.map(([key, kind], at) => [nameOf(key, kind), valueFrom(items[at] as RlpItem, kind, `${what}: ${key}`)]),
  );
}

export function listFrom(item: RlpItem | undefined, what: string): readonly RlpItem[] {
  if (item === undefined || item instanceof Uint8Array) throw new RefutedError(`${what} is not a list`);
  return item;
}

export function hexOf(bytes: Uint8Array): string {
  return `0x${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("hex")}`;
}

/** Arbitrum's fee cap has two names in the JSON; one is enough. */
function nameOf(key: string, kind: FieldKind): string {
  return kind === "feeCap" ? "maxFeePerGas" : key;
}

function valueFrom(item: RlpItem, kind: FieldKind, what: string): unknown {
  switch (kind) {
    case "hashes":
      return listFrom(item, what).map((hash) => fixed(hash, 32, what));
    case "accessList":
      return listFrom(item, what).map((entry) =>
        fieldsFrom(
          entry,
          [
            ["address", "address"],
            ["storageKeys", "hashes"],
          ],
          what,
        ),
      );
    case "authorizations":
      return listFrom(item, what).map((entry) => fieldsFrom(entry, AUTHORIZATION, what));
    case "quantity":
    case "quantityOrNone":
    case "feeCap":
      return quantity(item, what);
    case "parity":
    case "flag": {
      const text = quantity(item, what);
      if (text !== "0x0" && text !== "0x1") throw new RefutedError(`${what} is neither 0 nor 1`);
      return kind === "flag" ? text === "0x1" : text;
    }
    case "data":
      return hexOf(bytesFrom(item, what));
    case "addressOrNone":
      return bytesFrom(item, what).length === 0 ? null : fixed(item, 20, what);
    case "address":
      return fixed(item, 20, what);
    case "hash":
      return fixed(item, 32, what);
    case "bloom":
      return fixed(item, 256, what);
    case "nonce8":
      return fixed(item, 8, what);
  }
}

export function bytesFrom(item: RlpItem | undefined, what: string): Uint8Array {
  if (!(item instanceof Uint8Array)) throw new RefutedError(`${what} is not a byte string`);
  return item;
}

function fixed(item: RlpItem, size: number, what: string): string {
  const bytes = bytesFrom(item, what);
  if (bytes.length !== size) throw new RefutedError(`${what} has ${bytes.length} bytes, not ${size}`);
  return hexOf(bytes);
}

function quantity(item: RlpItem, what: string): string {
  const bytes = bytesFrom(item, what);
  if (bytes.length > 32 || bytes[0] === 0) throw new RefutedError(`${what} is not a number as RLP writes it`);
  return bytes.length === 0 ? "0x0" : hexOf(bytes).replace(/^0x0/, "0x");
}
