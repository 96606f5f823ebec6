/** What kinds of scriptPubKey there are, by their bytes. */

/** Kinds whose script is a hash or a key (the payload) between fixed bytes, and has an address. */
export const ADDRESS_KINDS = ["p2pkh", "p2sh", "p2wpkh", "p2wsh", "p2tr"] as const;
export type AddressKind = (typeof ADDRESS_KINDS)[number];
/** Of the longest of them. A script with a key in it that it does not hash (P2PK, multisig) is longer. */
export const ADDRESSED_BYTES_MAX = 34;
/** `odd`: every other script. */
export type ScriptKind = AddressKind | "odd";

/** Where the payload begins in a script of this kind. */
export function payloadAt(kind: AddressKind): number {
  return kind === "p2pkh" ? 3 : 2;
}

export function payloadBytes(kind: AddressKind): number {
  return kind === "p2wsh" || kind === "p2tr" ? 32 : 20;
}

/** The kind of the `length` bytes at `at`; all byte values are checked, so that a kind and its payload are the whole script. */
export function kindOf(bytes: Uint8Array, at: number, length: number): ScriptKind {
  const first = bytes[at];
  if (length === 22) return first === 0x00 && bytes[at + 1] === 20 ? "p2wpkh" : "odd";
  if (length === 34) {
    if (bytes[at + 1] !== 32) return "odd";
    return first === 0x51 ? "p2tr" : first === 0x00 ? "p2wsh" : "odd";
  }
  if (length === 25) {
    // DUP HASH160 <20 bytes> EQUALVERIFY CHECKSIG
    const isHash = first === 0x76 && bytes[at + 1] === 0xa9 && bytes[at + 2] === 20;
    return isHash && bytes[at + 23] === 0x88 && bytes[at + 24] === 0xac ? "p2pkh" : "odd";
  }
  // HASH160 <20 bytes> EQUAL
  if (length === 23) return first === 0xa9 && bytes[at + 1] === 20 && bytes[at + 22] === 0x87 ? "p2sh" : "odd";
  return "odd";
}

/** The script of this kind with this payload. */
export function scriptOf(kind: AddressKind, payload: Uint8Array): Uint8Array {
  switch (kind) {
    case "p2pkh":
      return Uint8Array.of(0x76, 0xa9, 20, ...payload, 0x88, 0xac);
    case "p2sh":
      return Uint8Array.of(0xa9, 20, ...payload, 0x87);
    case "p2wpkh":
    case "p2wsh":
      return Uint8Array.of(0x00, payload.length, ...payload);
    case "p2tr":
      return Uint8Array.of(0x51, payload.length, ...payload);
  }
}

export const RETURN = 0x6a;

/** Nobody can ever spend it. */
export function isData(script: Uint8Array): boolean {
  return script[0] === RETURN;
}

export const CHECKSIG = 0xac;
export const CHECKMULTISIG = 0xae;
const MULTISIG_KEYS_MAX = 20;

/** The public keys of a P2PK or a bare multisig script; none for any other. Whether they are on the curve is not looked at. */
export function publicKeysOf(script: Uint8Array): Uint8Array[] {
  const last = script.at(-1);
  if (last === CHECKSIG) {
    const key = keyAt(script, 0);
    return key !== null && key.length + 2 === script.length ? [key] : [];
  }
  return last === CHECKMULTISIG ? multisigKeys(script) : [];
}

/** <m> <key> ... <key> <n> CHECKMULTISIG */
function multisigKeys(script: Uint8Array): Uint8Array[] {
  const required = numberAt(script, 0);
  if (required === null) return [];
  const keys: Uint8Array[] = [];
  let { at } = required;
  for (let key = keyAt(script, at); key !== null; key = keyAt(script, at)) {
    keys.push(key);
    at += 1 + key.length;
  }
  const count = numberAt(script, at);
  const isWhole = count !== null && count.value === keys.length && count.at + 1 === script.length;
  return isWhole && required.value <= keys.length ? keys : [];
}

/** 33 bytes that begin with 2 or 3, or 65 that begin with 4, and the byte that pushes them; also 6 and 7, which nodes take for 4. */
function keyAt(script: Uint8Array, at: number): Uint8Array | null {
  const length = script[at];
  const form = script[at + 1];
  const isCompressed = length === 33 && (form === 2 || form === 3);
  const isWhole = length === 65 && (form === 4 || form === 6 || form === 7);
  if (!isCompressed && !isWhole) return null;
  const key = script.subarray(at + 1, at + 1 + length);
  return key.length === length ? key : null;
}

/** A number of 1 to 20, and where it ends: up to 16 has an opcode of its own. */
function numberAt(script: Uint8Array, at: number): { value: number; at: number } | null {
  const opcode = script[at] ?? 0;
  if (opcode > 0x50 && opcode <= 0x60) return { value: opcode - 0x50, at: at + 1 };
  const value = script[at + 1] ?? 0;
  return opcode === 1 && value > 16 && value <= MULTISIG_KEYS_MAX ? { value, at: at + 2 } : null;
}
