/**
 * The watched addresses of a chain as scripts, for a scanner to ask about every output and every spent coin.
 *
 * An address is kept by its payload, the hash or key in its script: P2PKH and P2WPKH of one key share an entry, which also
 * answers for P2SH-P2WPKH of it, so that a key is recognised whatever form its owner uses next.
 */
import { hash } from "node:crypto";
import type { Address } from "../../types/chain.ts";
import { assert } from "../../lib/assert.ts";
import { addressOf, targetOf, WRITTEN_BYTES_MAX } from "./address.ts";
import { hashBytes, randomHashKey } from "./byte-hash.ts";
import type { Network } from "./networks.ts";
import { type ByteSource, PayloadSet, sourceOf } from "./payload-set.ts";
import { ScriptSieve } from "./script-sieve.ts";
import * as scripts from "./scripts.ts";
import { SlotIndex, type Sought } from "./slot-index.ts";

/** How a script touches what is watched. */
export interface ScriptMatch {
  /** The script itself is watched. */
  readonly watched: boolean;
  /** Other watched addresses that its key, or one of its keys, controls: weaker, because nobody named this script. */
  readonly equivalent: readonly Address[];
}

export interface ScriptTable {
  /** Watched addresses. */
  readonly size: number;
  /** Memory of the table. */
  readonly byteLength: number;
  /** True where the `length` bytes at `at` are a watched script, or one of a key with a watched address. */
  touches(source: ByteSource, at: number, length: number): boolean;
  match(script: Uint8Array): ScriptMatch;
  /** Lets every script pass that touches something, and few others. */
  readonly sieve: ScriptSieve;
}

/** What an entry is watched as; several share one where their payloads are equal. */
const AS = { p2pkh: 1, p2wpkh: 2, p2sh: 4, p2wsh: 8, p2tr: 16, odd: 32, p2pk: 64, scriptHash: 128 } as const;
/** The payload is the hash160 of a public key. */
const OF_KEY = AS.p2pkh | AS.p2wpkh | AS.p2pk;
const NONE = -1;
const NOTHING: ScriptMatch = { watched: false, equivalent: [] };
/** Between the 20 and the 32 of most addresses. */
const PAYLOAD_BYTES_MEAN = 26;

/** `addresses`: canonical texts of the network, each once; any other is a bug of the caller. */
export function createScriptTable(addresses: Iterable<Address>, network: Network): ScriptTable {
  return new PackedScriptTable([...addresses], network);
}

class PackedScriptTable implements ScriptTable {
  readonly size: number;
  private readonly network: Network;
  private readonly key = randomHashKey();
  readonly sieve: ScriptSieve;
  private readonly payloads: PayloadSet;
  /** Entries of keys, by the hash of their P2SH-P2WPKH. That hash is not kept: it is made again to compare, which is rare. */
  private readonly nested: SlotIndex;
  /** Watched P2PK scripts, by the entry of their key. */
  private readonly keyScripts = new Map<number, Address[]>();
  private readonly hasKeys: boolean;
  private readonly hasScriptHashes: boolean;

  constructor(addresses: readonly Address[], network: Network) {
    this.network = network;
    this.size = addresses.length;
    // A P2PK script has a second entry, for its key.
    const capacity = addresses.length + addresses.filter((address) => address.startsWith("script")).length;
    this.payloads = new PayloadSet(capacity, PAYLOAD_BYTES_MEAN, this.key);
    let seen = 0;
    for (const address of addresses) seen |= this.add(address);
    this.payloads.trim();
    this.hasKeys = (seen & OF_KEY) !== 0;
    this.hasScriptHashes = (seen & AS.scriptHash) !== 0;
    const keys = this.entriesOfKeys();
    this.nested = new SlotIndex(keys.length);
    const { key, hasKeys, hasScriptHashes } = this;
    this.sieve = new ScriptSieve({ capacity: this.payloads.size + keys.length, key, hasKeys, hasScriptHashes });
    this.fill(keys);
  }

  get byteLength(): number {
    return this.sieve.byteLength + this.payloads.byteLength + this.nested.byteLength;
  }

  touches(source: ByteSource, at: number, length: number): boolean {
    return this.sieve.mayTouch(source, at, length) && this.confirms(source, at, length);
  }

  match(script: Uint8Array): ScriptMatch {
    const source = sourceOf(script);
    const kind = scripts.kindOf(script, 0, script.length);
    if (kind === "odd") return this.matchOdd(source);
    const entry = this.payloads.find(source, scripts.payloadAt(kind), scripts.payloadBytes(kind));
    return this.matchOf({ script, entry, as: AS[kind], keys: this.keysOf(kind, entry, source) });
  }

  private confirms({ bytes }: ByteSource, at: number, length: number): boolean {
    const { watched, equivalent } = this.match(bytes.subarray(at, at + length));
    return watched || equivalent.length > 0;
  }

  private matchOdd(source: ByteSource): ScriptMatch {
    const script = source.bytes;
    if (scripts.isData(script)) return NOTHING;
    const keys = this.hasKeys ? scripts.publicKeysOf(script).map((key) => this.find(hash160(key))) : [];
    if (script.length <= WRITTEN_BYTES_MAX) return this.matchOf({ script, entry: this.find(script), as: AS.odd, keys });
    const entry = this.hasScriptHashes ? this.find(hash("sha256", script, "buffer")) : NONE;
    return this.matchOf({ script, entry, as: AS.scriptHash, keys });
  }

  private find(bytes: Uint8Array): number {
    return this.payloads.find(sourceOf(bytes), 0, bytes.length);
  }

  /** Entries of the key in a script with an address. */
  private keysOf(kind: scripts.AddressKind, entry: number, source: ByteSource): number[] {
    if (kind === "p2pkh" || kind === "p2wpkh") return [entry];
    return kind === "p2sh" ? [this.nested.find(this.soughtNested(source, scripts.payloadAt(kind)))] : [];
  }

  /** `entry`: that of the script's payload; `keys`: those of its keys. NONE: not watched. */
  private matchOf(of: { script: Uint8Array; entry: number; as: number; keys: readonly number[] }): ScriptMatch {
    const watched = of.entry !== NONE && (this.payloads.flagsOf(of.entry) & of.as) !== 0;
    const keys = of.keys.filter((key) => key !== NONE);
    if (keys.length === 0) return watched ? { watched, equivalent: [] } : NOTHING;
    const equivalent = new Set(keys.flatMap((key) => this.addressesOfKey(key, of.as)));
    if (of.as === AS.odd) equivalent.delete(addressOf(of.script, this.network));
    return { watched, equivalent: [...equivalent] };
  }

  /** All but the one that is the script itself, where that is of a kind with an address: what that is watched as. */
  private addressesOfKey(entry: number, as: number): Address[] {
    const flags = this.payloads.flagsOf(entry) & ~as;
    const payload = this.payloads.bytesOf(entry);
    const kinds = (["p2pkh", "p2wpkh"] as const).filter((kind) => (flags & AS[kind]) !== 0);
    const addresses = kinds.map((kind) => addressOf(scripts.scriptOf(kind, payload), this.network));
    return [...addresses, ...(this.keyScripts.get(entry) ?? [])];
  }

  /** Returns what it is watched as. */
  private add(address: Address): number {
    const target = targetOf(address, this.network);
    assert(target !== null, `${address} is not an address of ${this.network.chainId}`);
    if ("scriptHash" in target) {
      this.payloads.add(target.scriptHash, AS.scriptHash);
      return AS.scriptHash;
    }
    const { script } = target;
    const kind = scripts.kindOf(script, 0, script.length);
    if (kind === "odd") return this.addOdd(script, address);
    const at = scripts.payloadAt(kind);
    this.payloads.add(script.subarray(at, at + scripts.payloadBytes(kind)), AS[kind]);
    return AS[kind];
  }

  private addOdd(script: Uint8Array, address: Address): number {
    this.payloads.add(script, AS.odd);
    const [key, ...others] = scripts.publicKeysOf(script);
    // A script of several keys does not make each of their owners watched.
    if (key === undefined || others.length > 0) return AS.odd;
    const entry = this.payloads.add(hash160(key), AS.p2pk);
    this.keyScripts.set(entry, [...(this.keyScripts.get(entry) ?? []), address]);
    return AS.odd | AS.p2pk;
  }

  private entriesOfKeys(): number[] {
    const { payloads } = this;
    return Array.from({ length: payloads.size }, (_, entry) => entry).filter(
      (entry) => (payloads.flagsOf(entry) & OF_KEY) !== 0,
    );
  }

  private fill(keys: readonly number[]): void {
    for (let entry = 0; entry < this.payloads.size; entry += 1) {
      this.sieve.addPayload(this.payloads.hashOf(entry));
      if ((this.payloads.flagsOf(entry) & AS.odd) !== 0) this.sieve.addOdd(this.payloads.bytesOf(entry));
    }
    for (const entry of keys) {
      const sought = this.soughtNested(sourceOf(this.nestedHash(entry)), 0);
      this.sieve.addPayload(sought.hash);
      this.nested.insert(sought, entry);
    }
  }

  private soughtNested({ bytes, view }: ByteSource, at: number): Sought {
    const sought = bytes.subarray(at, at + 20);
    return {
      hash: hashBytes(view, at, 20, this.key),
      isIt: (entry) => Buffer.compare(this.nestedHash(entry), sought) === 0,
      text: () => Buffer.from(sought).toString("latin1"),
    };
  }

  private nestedHash(entry: number): Uint8Array {
    return hash160(scripts.scriptOf("p2wpkh", this.payloads.bytesOf(entry)));
  }
}

/** RIPEMD-160 of SHA-256, as addresses have it of keys and scripts. */
export function hash160(bytes: Uint8Array): Uint8Array {
  return hash("ripemd160", hash("sha256", bytes, "buffer"), "buffer");
}
