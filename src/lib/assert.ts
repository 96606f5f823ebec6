/** A fact the code relies on. A failure is a bug of ours: it is thrown on and stops the process. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(`assertion failed: ${message}`);
}
