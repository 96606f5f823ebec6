/** How a network's target changes with the time that its blocks took. */
import { targetOf } from "./header.ts";

/**
 * The bits of the first block of a period, from the bits of the period before and the time from its first to its last
 * block. As CalculateNextWorkRequired of Bitcoin Core's pow.cpp.
 */
export function retargetedBits(
  { bits, tookSeconds }: { bits: number; tookSeconds: number },
  { seconds, targetMax }: { seconds: number; targetMax: bigint },
): number {
  const took = Math.min(Math.max(tookSeconds, seconds / 4), seconds * 4);
  const target = (targetOf(bits) * BigInt(took)) / BigInt(seconds);
  return bitsOf(target < targetMax ? target : targetMax);
}

/** The compact form of a target: digits beyond its first three bytes are lost. */
function bitsOf(target: bigint): number {
  const size = Math.ceil(target.toString(2).length / 8);
  const mantissa = Number(size <= 3 ? target << BigInt(8 * (3 - size)) : target >> BigInt(8 * (size - 3)));
  // The top bit is the sign: a number that has it takes a byte more.
  return mantissa >= 0x80_0000 ? (size + 1) * 2 ** 24 + (mantissa >> 8) : size * 2 ** 24 + mantissa;
}
