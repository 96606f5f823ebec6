/**
 * Which scripts may touch what is watched: the first question about every script, which ends nearly all of them. It looks
 * at lengths and a hash, never at the kind of a script: what passes is asked of the table, which knows exactly.
 */
import { WRITTEN_BYTES_MAX } from "./address.ts";
import { hashBytes, type HashKey } from "./byte-hash.ts";
import { filterWordsFor, HashFilter } from "./hash-filter.ts";
import { type ByteSource, sourceOf } from "./payload-set.ts";
import { BlockScanner, type ScannedBlock, type ScanQuestion } from "./scan/block-scanner.ts";
import { LONGER } from "./scan/core/layout.ts";
import * as scripts from "./scripts.ts";

/** By the length of a script: where those with an address have their payload, and its length; 0: none is that long. */
const PAYLOAD_AT = new Uint8Array(scripts.ADDRESSED_BYTES_MAX + 1);
const PAYLOAD_BYTES = new Uint8Array(scripts.ADDRESSED_BYTES_MAX + 1);
for (const kind of scripts.ADDRESS_KINDS) {
  const { length } = scripts.scriptOf(kind, new Uint8Array(scripts.payloadBytes(kind)));
  PAYLOAD_AT[length] = scripts.payloadAt(kind);
  PAYLOAD_BYTES[length] = scripts.payloadBytes(kind);
}

export interface SieveOptions {
  /** About how many hashes it will hold. */
  readonly capacity: number;
  readonly key: HashKey;
}

export class ScriptSieve {
  readonly key: HashKey;
  private readonly filter: HashFilter;
  private hasKeys = false;
  private readonly scanner: BlockScanner;

  constructor({ capacity, key }: SieveOptions) {
    this.key = key;
    this.scanner = new BlockScanner({ filterWords: filterWordsFor(capacity), key });
    this.filter = new HashFilter(this.scanner.filterWords);
    this.scanner.payloadAt.set(PAYLOAD_AT);
    this.scanner.payloadBytes.set(PAYLOAD_BYTES);
  }

  /** `keys`: a key is watched, in whatever script. `scriptHashes`: so is a script that is too long to write. */
  lookFor({ keys, scriptHashes }: { readonly keys: boolean; readonly scriptHashes: boolean }): void {
    if (keys) {
      this.hasKeys = true;
      this.scanner.lookForKeys();
    }
    if (scriptHashes) this.scanner.odd.fill(1, WRITTEN_BYTES_MAX + 1);
  }

  get byteLength(): number {
    return this.filter.byteLength;
  }

  /** `hash`: hashBytes of the payload of an address. */
  addPayload(hash: number): void {
    this.filter.add(hash);
  }

  /** A script without an address, of at most 200 bytes. */
  addOdd(script: Uint8Array): void {
    const { view } = sourceOf(script);
    this.scanner.odd[script.length] = 1;
    this.filter.add(
      isAddressed(script.length) ? this.hashAt(view, 0, script.length) : this.hashOfAll(view, 0, script.length),
    );
  }

  mayTouch(source: ByteSource, at: number, length: number): boolean {
    return isAddressed(length)
      ? this.filter.mayHold(this.hashAt(source.view, at, length))
      : this.mayTouchOdd(source, at, length);
  }

  /** mayTouch of all scripts of a block at once. Null: ask one by one. */
  scan(question: ScanQuestion): ScannedBlock | null {
    return this.scanner.scan(question);
  }

  private hashAt(view: DataView, at: number, length: number): number {
    return hashBytes(view, at + (PAYLOAD_AT[length] as number), PAYLOAD_BYTES[length] as number, this.key);
  }

  /** Of a script of any other length: most are done with after a look at it and the last byte. */
  private mayTouchOdd({ bytes, view }: ByteSource, at: number, length: number): boolean {
    if (length > 0) {
      if (bytes[at] === scripts.RETURN) return false;
      const last = bytes[at + length - 1];
      if (this.hasKeys && (last === scripts.CHECKSIG || last === scripts.CHECKMULTISIG)) return true;
    }
    if (length > WRITTEN_BYTES_MAX) return this.scanner.odd[LONGER] === 1;
    return this.scanner.odd[length] === 1 && this.filter.mayHold(this.hashOfAll(view, at, length));
  }

  private hashOfAll(view: DataView, at: number, length: number): number {
    return hashBytes(view, at, length, this.key);
  }
}

/** True where a script of this length may have an address. */
function isAddressed(length: number): boolean {
  return length <= scripts.ADDRESSED_BYTES_MAX && PAYLOAD_AT[length] !== 0;
}
