/**
 * The watched addresses of a chain as scripts, for a scanner to ask about every output and every spent coin.
 *
 * An address is kept by its payload, the hash or key in its script: P2PKH and P2WPKH of one key share an entry, which also
 * answers for P2SH-P2WPKH of it, so that a key is recognised whatever form its owner uses next.
 */
import { hash } from "node:crypto";
import type { Address } from "../../types/chain.ts";
import { assert } from "../../lib/assert.ts";
import { runThrough } from "../../lib/slices.ts";
import { addressOf, targetOf, WRITTEN_BYTES_MAX } from "./address.ts";
import { hashBytes, type HashKey, randomHashKey } from "./byte-hash.ts";
import type { Network } from "./networks.ts";
import { type ByteSource, PayloadSet, sourceOf } from "./payload-set.ts";
import { ScriptSieve } from "./script-sieve.ts";
import * as scripts from "./scripts.ts";
import { SlotIndex, type Sought } from "./slot-index.ts";

/** How a script touches what is watched. */
export interface ScriptMatch {
  /** The script itself is watched. */
  readonly watched: boolean;
  /** Other watched addresses that its key, or one of its keys, controls, sorted: weaker, because nobody named this script. */
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

/**
 * How many addresses may be laid beside a table of so many: its sieve has room for them. A list keeps at most 50,000 changes
 * beside its file; where a table is too small for them, making it anew costs little more.
 */
export function spareOf(size: number): number {
  return SPARE_MIN + Math.floor(size / SPARE_SHARE);
}
const SPARE_MIN = 1_000;
const SPARE_SHARE = 16;

// Milliseconds at most, while others wait.
const AT_ONCE = 64;

/** `addresses`: canonical texts of the network, each once; any other is a bug of the caller. */
export function createScriptTable(addresses: Iterable<Address>, network: Network): ScriptTable {
  return runThrough(buildScriptTable(addresses, { network, sieve: null }));
}

/**
 * The same, with stops in between so that others can run. `sieve`: that of a table which this one stands beside; it lets
 * pass what touches either from then on. At most `spareOf` its table's size in all, or it lets pass too much.
 */
export function* buildScriptTable(
  addresses: Iterable<Address>,
  { network, sieve: shared }: { readonly network: Network; readonly sieve: ScriptSieve | null },
): Generator<void, ScriptTable> {
  const texts: Address[] = [];
  for (const address of addresses) if (texts.push(address) % AT_ONCE === 0) yield;
  const key = shared?.key ?? randomHashKey();
  const intake = new ScriptIntake(texts, { network, key });
  for (const [index, address] of texts.entries()) {
    intake.add(address);
    if (index % AT_ONCE === 0) yield;
  }
  intake.payloads.trim();
  const keys = intake.entriesOfKeys();
  yield;
  const sieve =
    shared ?? new ScriptSieve({ capacity: intake.payloads.size + keys.length + 2 * spareOf(texts.length), key });
  sieve.lookFor({ keys: intake.hasKeys, scriptHashes: intake.hasScriptHashes });
  const table = new PackedScriptTable(intake, { sieve, keys: keys.length });
  yield* table.fill(keys);
  return table;
}

/** What scripts are looked up by, read from addresses. */
class ScriptIntake {
  readonly size: number;
  readonly network: Network;
  readonly key: HashKey;
  readonly payloads: PayloadSet;
  /** Watched P2PK scripts, by the entry of their key. */
  readonly keyScripts = new Map<number, Address[]>();
  private seen = 0;

  constructor(addresses: readonly Address[], { network, key }: { network: Network; key: HashKey }) {
    this.size = addresses.length;
    this.network = network;
    this.key = key;
    // A P2PK script has a second entry, for its key.
    const capacity = addresses.length + addresses.filter((address) => address.startsWith("script")).length;
    this.payloads = new PayloadSet(capacity, PAYLOAD_BYTES_MEAN, key);
  }

  get hasKeys(): boolean {
    return (this.seen & OF_KEY) !== 0;
  }

  get hasScriptHashes(): boolean {
    return (this.seen & AS.scriptHash) !== 0;
  }

  add(address: Address): void {
    this.seen |= this.addAs(address);
  }

  entriesOfKeys(): number[] {
    const { payloads } = this;
    return Array.from({ length: payloads.size }, (_, entry) => entry).filter(
      (entry) => (payloads.flagsOf(entry) & OF_KEY) !== 0,
    );
  }

  /** Returns what it is watched as. */
  private addAs(address: Address): number {
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
}

class PackedScriptTable implements ScriptTable {
  readonly size: number;
  private readonly network: Network;
  private readonly key: HashKey;
  readonly sieve: ScriptSieve;
  private readonly payloads: PayloadSet;
  /** Entries of keys, by the hash of their P2SH-P2WPKH. That hash is not kept: it is made again to compare, which is rare. */
  private readonly nested: SlotIndex;
  private readonly keyScripts: ReadonlyMap<number, readonly Address[]>;
  private readonly hasKeys: boolean;
  private readonly hasScriptHashes: boolean;

  /** To be filled before it is asked. */
  constructor(intake: ScriptIntake, { sieve, keys }: { sieve: ScriptSieve; keys: number }) {
    this.size = intake.size;
    this.network = intake.network;
    this.key = intake.key;
    this.payloads = intake.payloads;
    this.keyScripts = intake.keyScripts;
    this.hasKeys = intake.hasKeys;
    this.hasScriptHashes = intake.hasScriptHashes;
    this.nested = new SlotIndex(keys);
    this.sieve = sieve;
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
    return { watched, equivalent: [...equivalent].toSorted() };
  }

  /** All but the one that is the script itself, where that is of a kind with an address: what that is watched as. */
  private addressesOfKey(entry: number, as: number): Address[] {
    const flags = this.payloads.flagsOf(entry) & ~as;
    const payload = this.payloads.bytesOf(entry);
    const kinds = (["p2pkh", "p2wpkh"] as const).filter((kind) => (flags & AS[kind]) !== 0);
    const addresses = kinds.map((kind) => addressOf(scripts.scriptOf(kind, payload), this.network));
    return [...addresses, ...(this.keyScripts.get(entry) ?? [])];
  }

  /** `keys`: its entries of keys. */
  *fill(keys: readonly number[]): Generator<void, void> {
    for (let entry = 0; entry < this.payloads.size; entry += 1) {
      this.sieve.addPayload(this.payloads.hashOf(entry));
      if ((this.payloads.flagsOf(entry) & AS.odd) !== 0) this.sieve.addOdd(this.payloads.bytesOf(entry));
      if (entry % AT_ONCE === 0) yield;
    }
    for (const [index, entry] of keys.entries()) {
      const sought = this.soughtNested(sourceOf(this.nestedHash(entry)), 0);
      this.sieve.addPayload(sought.hash);
      this.nested.insert(sought, entry);
      if (index % AT_ONCE === 0) yield;
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
