/**
 * Buffers for the bodies of answers, used again: a node sends megabytes a second, and as garbage they would keep the
 * collector busy. Who forgets to give one back costs a new buffer, nothing else.
 */

/** One body as it arrives. */
export interface Body {
  add(chunk: Uint8Array): void;
  /** What arrived so far. */
  bytes(): Buffer;
  /** The buffer's next user overwrites the bytes. Only the first call counts. */
  release(): void;
}

export interface BufferPool {
  take(): Body;
}

const FIRST_BYTES = 64 * 1024;
/** As many as a chain has requests under way; the rest is garbage after all. */
const KEPT_MAX = 32;
/** A buffer for an unusual body is not kept: 32 of them bound what is idle to 128 MB, after blocks of that size. */
const KEPT_BYTES_MAX = 4 * 1024 * 1024;

export function createBufferPool(): BufferPool {
  // The largest last: it is taken next, so few grow.
  const idle: Buffer[] = [];

  return {
    take() {
      let buffer = idle.pop() ?? Buffer.allocUnsafeSlow(FIRST_BYTES);
      let length = 0;
      let released = false;
      return {
        add(chunk) {
          if (length + chunk.length > buffer.length) buffer = grown(buffer, length, length + chunk.length);
          buffer.set(chunk, length);
          length += chunk.length;
        },
        bytes: () => buffer.subarray(0, length),
        release() {
          if (released) return;
          released = true;
          if (buffer.length > KEPT_BYTES_MAX || idle.length >= KEPT_MAX) return;
          const place = idle.findIndex((other) => other.length > buffer.length);
          idle.splice(place === -1 ? idle.length : place, 0, buffer);
        },
      };
    },
  };
}

function grown(buffer: Buffer, length: number, needed: number): Buffer {
  const larger = Buffer.allocUnsafeSlow(2 ** Math.ceil(Math.log2(needed)));
  buffer.copy(larger, 0, 0, length);
  return larger;
}
