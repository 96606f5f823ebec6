/**
 * The watched addresses of a chain as scripts, for a scanner to ask about every output and every spent coin.
 *
 * An address is kept by the hash in it: P2PKH and P2WPKH of one key share an entry, which also answers for P2SH-P2WPKH of
 * it, so that a key is recognised whatever form its owner uses next.
 */
import { hash } from "node:crypto";
import type { Address } from "../../types/chain.ts";
import { assert } from "../../lib/assert.ts";
import { addressOf, targetOf, WRITTEN_BYTES_MAX } from "./address.ts";
import type { Network } from "./networks.ts";
import { type ByteSource, PayloadSet, sourceOf } from "./payload-set.ts";
import { isData, kindOf, publicKeysOf, scriptOf } from "./scripts.ts";
import { SlotIndex, type Sought } from "./slot-index.ts";

/** How a script touches what is watched. */
export interface ScriptMatch {
  /** The script itself is watched. */
  readonly watched: boolean;
  /** Other watched addresses that its key, or one of its keys, controls: weaker, because nobody said so of this script. */
  readonly equivalent: readonly Address[];
}

export interface ScriptTable {
  /** Watched addresses. */
  readonly size: number;
  /** Memory of the table. */
  readonly byteLength: number;
  /** True where the `length` bytes at `at` are a watched script, or one of a key with a watched address. Never wrong. */
  touches(source: ByteSource, at: number, length: number): boolean;
  match(script: Uint8Array): ScriptMatch;
}

/** Which scripts an entry is watched as; what the bytes of the entry are follows from it. */
const AS = { p2pkh: 1, p2wpkh: 2, p2sh: 4, p2wsh: 8, p2tr: 16, odd: 32, p2pk: 64, scriptHash: 128 } as const;
/** The entry's bytes are the hash160 of a public key. */
const OF_KEY = AS.p2pkh | AS.p2wpkh | AS.p2pk;
const NOTHING: ScriptMatch = { watched: false, equivalent: [] };

/** `addresses`: canonical texts of the network; any other is a bug of the caller. */
export function createScriptTable(addresses: Iterable<Address>, network: Network): ScriptTable {
  return new PackedScriptTable([...addresses], network);
}

class PackedScriptTable implements ScriptTable {
  readonly size: number;
  private readonly network: Network;
  private readonly payloads: PayloadSet;
  /** By the hash of P2SH-P2WPKH: the entry of its key. The hash is made again to compare, which is rarely needed. */
  private readonly nested: SlotIndex;
  /** Watched P2PK scripts by the hash160 of their key. */
  private readonly keyScripts = new Map<number, Address[]>();
  private readonly hasKeys: boolean;
  private readonly hasScriptHashes: boolean;

  constructor(addresses: readonly Address[], network: Network) {
    this.network = network;
    this.size = addresses.length;
    // A P2PK script has a second entry, for its key.
    const scripts = addresses.filter((address) => address.startsWith("script")).length;
    this.payloads = new PayloadSet(addresses.length + scripts, 26);
    let seen = 0;
    for (const address of addresses) seen |= this.add(address);
    this.payloads.trim();
    this.hasKeys = (seen & OF_KEY) !== 0;
    this.hasScriptHashes = (seen & AS.scriptHash) !== 0;
    this.nested = this.nestKeys();
  }

  get byteLength(): number {
    return this.payloads.byteLength + this.nested.byteLength;
  }

  touches(source: ByteSource, at: number, length: number): boolean {
    switch (kindOf(source.bytes, at, length)) {
      case "p2pkh":
        return this.isWatched(source, at + 3, 20, OF_KEY);
      case "p2wpkh":
        return this.isWatched(source, at + 2, 20, OF_KEY);
      case "p2sh":
        return this.isWatched(source, at + 2, 20, AS.p2sh) || this.keyNestedIn(source, at + 2) !== -1;
      case "p2wsh":
        return this.isWatched(source, at + 2, 32, AS.p2wsh);
      case "p2tr":
        return this.isWatched(source, at + 2, 32, AS.p2tr);
      case "odd":
        return this.touchesOdd(source, at, length);
    }
  }

  match(script: Uint8Array): ScriptMatch {
    const source = sourceOf(script);
    const kind = kindOf(script, 0, script.length);
    switch (kind) {
      case "p2pkh":
      case "p2wpkh": {
        const key = this.payloads.find(source, kind === "p2pkh" ? 3 : 2, 20);
        return this.matchOf(key, AS[kind], [key], script);
      }
      case "p2sh":
        return this.matchOf(this.payloads.find(source, 2, 20), AS.p2sh, [this.keyNestedIn(source, 2)], script);
      case "p2wsh":
      case "p2tr":
        return this.matchOf(this.payloads.find(source, 2, 32), AS[kind], [], script);
      case "odd":
        return this.matchOdd(source);
    }
  }

  private isWatched(source: ByteSource, at: number, length: number, as: number): boolean {
    const entry = this.payloads.find(source, at, length);
    return entry !== -1 && (this.payloads.flagsOf(entry) & as) !== 0;
  }

  /** Most odd scripts are done with after a look at the filter; only some kinds are looked into. */
  private touchesOdd(source: ByteSource, at: number, length: number): boolean {
    const { bytes } = source;
    if (bytes[at] === 0x6a) return false;
    if (this.isWatched(source, at, length, AS.odd)) return true;
    const last = bytes[at + length - 1];
    const mayHoldKeys = this.hasKeys && (last === 0xac || last === 0xae);
    if (!mayHoldKeys && !(this.hasScriptHashes && length > WRITTEN_BYTES_MAX)) return false;
    const { watched, equivalent } = this.match(bytes.subarray(at, at + length));
    return watched || equivalent.length > 0;
  }

  private matchOdd(source: ByteSource): ScriptMatch {
    const script = source.bytes;
    if (isData(script)) return NOTHING;
    const keys = this.hasKeys ? publicKeysOf(script).map((key) => this.find(hash160(key))) : [];
    if (script.length > WRITTEN_BYTES_MAX && this.hasScriptHashes)
      return this.matchOf(this.find(hash("sha256", script, "buffer")), AS.scriptHash, keys, script);
    return this.matchOf(this.payloads.find(source, 0, script.length), AS.odd, keys, script);
  }

  private find(bytes: Uint8Array): number {
    return this.payloads.find(sourceOf(bytes), 0, bytes.length);
  }

  /** `entry`: that of the script itself, watched where it has the flag `as`; `keys`: entries of its keys. -1: none. */
  private matchOf(entry: number, as: number, keys: readonly number[], script: Uint8Array): ScriptMatch {
    const watched = entry !== -1 && (this.payloads.flagsOf(entry) & as) !== 0;
    const known = keys.filter((key) => key !== -1);
    if (known.length === 0) return watched ? { watched, equivalent: [] } : NOTHING;
    const equivalent = new Set(known.flatMap((key) => this.addressesOfKey(key)));
    equivalent.delete(addressOf(script, this.network));
    return { watched, equivalent: [...equivalent] };
  }

  private addressesOfKey(entry: number): Address[] {
    const flags = this.payloads.flagsOf(entry);
    const keyHash = this.payloads.bytesOf(entry);
    const kinds = (["p2pkh", "p2wpkh"] as const).filter((kind) => (flags & AS[kind]) !== 0);
    const addresses = kinds.map((kind) => addressOf(scriptOf(kind, keyHash), this.network));
    return [...addresses, ...(this.keyScripts.get(entry) ?? [])];
  }

  /** Returns the flags that were set. */
  private add(address: Address): number {
    const target = targetOf(address, this.network);
    assert(target !== null, `${address} is not an address of ${this.network.chainId}`);
    if ("scriptHash" in target) {
      this.payloads.add(target.scriptHash, AS.scriptHash);
      return AS.scriptHash;
    }
    const { script } = target;
    const kind = kindOf(script, 0, script.length);
    if (kind === "odd") return this.addOdd(script, address);
    const at = kind === "p2pkh" ? 3 : 2;
    this.payloads.add(script.subarray(at, at + (kind === "p2wsh" || kind === "p2tr" ? 32 : 20)), AS[kind]);
    return AS[kind];
  }

  private addOdd(script: Uint8Array, address: Address): number {
    this.payloads.add(script, AS.odd);
    const [key, ...others] = publicKeysOf(script);
    // A script of several keys does not make each of their owners watched.
    if (key === undefined || others.length > 0) return AS.odd;
    const entry = this.payloads.add(hash160(key), AS.p2pk);
    this.keyScripts.set(entry, [...(this.keyScripts.get(entry) ?? []), address]);
    return AS.odd | AS.p2pk;
  }

  private nestKeys(): SlotIndex {
    const { payloads } = this;
    const keys: number[] = [];
    for (let entry = 0; entry < payloads.size; entry += 1)
      if ((payloads.flagsOf(entry) & OF_KEY) !== 0) keys.push(entry);
    const nested = new SlotIndex(keys.length);
    for (const entry of keys) nested.insert(this.soughtNested(sourceOf(this.nestedHash(entry)), 0), entry);
    return nested;
  }

  /** The entry of the key whose P2SH-P2WPKH has this hash, or -1. */
  private keyNestedIn(source: ByteSource, at: number): number {
    if (!this.nested.mayHold(this.payloads.hash(source.view, at, 20))) return -1;
    return this.nested.find(this.soughtNested(source, at));
  }

  private soughtNested({ bytes, view }: ByteSource, at: number): Sought {
    const sought = bytes.subarray(at, at + 20);
    return {
      hash: this.payloads.hash(view, at, 20),
      isIt: (entry) => Buffer.compare(this.nestedHash(entry), sought) === 0,
      text: () => Buffer.from(sought).toString("latin1"),
    };
  }

  private nestedHash(entry: number): Uint8Array {
    return hash160(scriptOf("p2wpkh", this.payloads.bytesOf(entry)));
  }
}

/** RIPEMD-160 of SHA-256, as addresses have it of keys and scripts. */
export function hash160(bytes: Uint8Array): Uint8Array {
  return hash("ripemd160", hash("sha256", bytes, "buffer"), "buffer");
}
