/**
 * Tells V8 to let garbage grow before it marks the whole heap. A scan leaves few objects but a megabyte of socket buffers,
 * and V8 starts a marking when both together reach a share of the live heap, which is small here (30 MB): one in 25
 * blocks, each dearer than the block. Four times the live heap instead of twice: a third of the CPU of a block less, and
 * about 20 MB more memory (bench/RESULTS.md, "The collector").
 */
import { setFlagsFromString } from "node:v8";

const GROWING_PERCENT = 300;

/** For the whole process, from its next collection on. */
export function letGarbageGrow(): void {
  setFlagsFromString(`--heap-growing-percent=${GROWING_PERCENT}`);
}
