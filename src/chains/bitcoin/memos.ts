/** What people write into outputs that nobody can spend: orders to bridges, for example. */
import type { Coin } from "./coins.ts";
import { isData } from "./scripts.ts";

export interface Memo {
  readonly txHash: string;
  /** Place of its output. */
  readonly outputIndex: number;
  /** What its script pushes, in order. */
  readonly pushes: readonly Uint8Array[];
}

export function memosOf(txHash: string, outputs: readonly Coin[]): Memo[] {
  return outputs.flatMap(({ script }, outputIndex) =>
    isData(script) ? [{ txHash, outputIndex, pushes: pushesOf(script.subarray(1)) }] : [],
  );
}

const PUSHDATA1 = 0x4c;
const PUSHDATA4 = 0x4e;
const LARGEST_PUSH_OPCODE = 0x60;

/** Ends where the script ends, is cut off or does anything but push. */
function pushesOf(script: Uint8Array): Uint8Array[] {
  const pushes: Uint8Array[] = [];
  let at = 0;
  while (at < script.length && (script[at] as number) <= LARGEST_PUSH_OPCODE) {
    const opcode = script[at] as number;
    const lengthBytes = opcode < PUSHDATA1 || opcode > PUSHDATA4 ? 0 : 2 ** (opcode - PUSHDATA1);
    const start = at + 1 + lengthBytes;
    const end = start + (lengthBytes > 0 ? lengthAt(script, at + 1, lengthBytes) : opcode < PUSHDATA1 ? opcode : 0);
    if (end > script.length) break;
    // The opcodes above push numbers (-1, 1 to 16), which no memo is made of.
    if (opcode <= PUSHDATA4) pushes.push(script.slice(start, end));
    at = end;
  }
  return pushes;
}

function lengthAt(script: Uint8Array, at: number, bytes: number): number {
  let length = 0;
  for (let place = bytes - 1; place >= 0; place -= 1) length = length * 256 + (script[at + place] ?? 0);
  return length;
}
