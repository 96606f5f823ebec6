/** The scripts that watched addresses stand for, as a node's own scans take them. */
import type { Address } from "../../types/chain.ts";
import { runThrough } from "../../lib/slices.ts";
import { targetOf } from "./address.ts";
import type { Network } from "./networks.ts";
import { hash160 } from "./script-table.ts";
import { kindOf, payloadAt, payloadBytes, publicKeysOf, scriptOf } from "./scripts.ts";

export interface Needles {
  /** Hex, each once: of each address, and of the other forms that its key has. */
  readonly scripts: readonly string[];
  /** Addresses that no scan can be asked for: their script is not known, or empty. */
  readonly unscannable: number;
}

/**
 * A key's P2PK and bare multisig scripts are not among them: from its hash nobody can tell the key.
 */
export function needlesOf(addresses: Iterable<Address>, network: Network): Needles {
  return runThrough(gatherNeedles(addresses, { network, isKnown: () => false }));
}

// Milliseconds at most, while others wait.
const AT_ONCE = 64;

/** The same of many, with stops in between so that others can run. Scripts that are known already are left out. */
export function* gatherNeedles(
  addresses: Iterable<Address>,
  { network, isKnown }: { readonly network: Network; readonly isKnown: (script: Uint8Array) => boolean },
): Generator<void, Needles> {
  const scripts = new Set<string>();
  let [unscannable, seen] = [0, 0];
  for (const address of addresses) {
    seen += 1;
    if (seen % AT_ONCE === 0) yield;
    const target = targetOf(address, network);
    if (target !== null && "script" in target && isKnown(target.script)) continue;
    if (target === null || "scriptHash" in target || target.script.length === 0) unscannable += 1;
    else for (const script of formsOf(target.script)) scripts.add(Buffer.from(script).toString("hex"));
  }
  return { scripts: [...scripts], unscannable };
}

/** How a node names a script in a scan (BIP 385). */
export const descriptorOf = (script: string): string => `raw(${script})`;

function formsOf(script: Uint8Array): Uint8Array[] {
  const keyHash = keyHashOf(script);
  if (keyHash === null) return [script];
  const witness = scriptOf("p2wpkh", keyHash);
  return [script, scriptOf("p2pkh", keyHash), witness, scriptOf("p2sh", hash160(witness))];
}

/** Null: not the script of one key. */
function keyHashOf(script: Uint8Array): Uint8Array | null {
  const kind = kindOf(script, 0, script.length);
  if (kind === "p2pkh" || kind === "p2wpkh")
    return script.subarray(payloadAt(kind), payloadAt(kind) + payloadBytes(kind));
  if (kind !== "odd") return null;
  const [key, ...others] = publicKeysOf(script);
  return key === undefined || others.length > 0 ? null : hash160(key);
}
