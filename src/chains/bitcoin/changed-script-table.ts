/**
 * A table of scripts and what changed since it was made: one more address costs what that address costs, however many there
 * are. Addresses that were added are in the sieve of the table from then on, so whoever still asks the table alone stops for
 * nothing there, and finds what it found.
 */
import type { Address } from "../../types/chain.ts";
import { addressOf } from "./address.ts";
import type { Network } from "./networks.ts";
import type { ByteSource } from "./payload-set.ts";
import type { ScriptSieve } from "./script-sieve.ts";
import type { ScriptMatch, ScriptTable } from "./script-table.ts";

export interface ScriptChanges {
  readonly base: ScriptTable;
  /** Made with the sieve of `base`. May name addresses that `base` has too. */
  readonly added: ScriptTable;
  /** Canonical texts: not watched any more. */
  readonly gone: ReadonlySet<Address>;
  readonly network: Network;
}

export class ChangedScriptTable implements ScriptTable {
  readonly size: number;
  private readonly of: ScriptChanges;

  constructor(of: ScriptChanges) {
    this.of = of;
    this.size = of.base.size + of.added.size;
  }

  get sieve(): ScriptSieve {
    return this.of.base.sieve;
  }

  get byteLength(): number {
    const { base, added } = this.of;
    return base.byteLength + added.byteLength - base.sieve.byteLength;
  }

  touches(source: ByteSource, at: number, length: number): boolean {
    if (!this.sieve.mayTouch(source, at, length)) return false;
    const { watched, equivalent } = this.match(source.bytes.subarray(at, at + length));
    return watched || equivalent.length > 0;
  }

  match(script: Uint8Array): ScriptMatch {
    const { base, added, gone, network } = this.of;
    const [before, now] = [base.match(script), added.match(script)];
    const stillWatched = before.watched && (gone.size === 0 || !gone.has(addressOf(script, network)));
    const others = new Set([...before.equivalent.filter((address) => !gone.has(address)), ...now.equivalent]);
    return { watched: now.watched || stillWatched, equivalent: [...others].toSorted() };
  }
}
