/** Bytes of a file, in whatever encoding a spreadsheet left them, to text piece by piece. */

/** Bytes looked at for a byte order mark and for zero bytes. */
export const SAMPLE_BYTES = 4096;
export type Encoding = "utf-8" | "utf-16le" | "utf-16be" | "windows-1252";

/** The bytes are not the encoding they were taken for. */
export class EncodingError extends Error {
  override readonly name = "EncodingError";
}

/** What a byte order mark or the zero bytes of UTF-16 tell; null: no sign, so UTF-8 or a code page. Throws EncodingError. */
export function detectEncoding(sample: Uint8Array): Encoding | null {
  const [a, b, c, d] = sample;
  if (a === 0xff && b === 0xfe && c === 0 && d === 0) throw new EncodingError("UTF-32");
  if (a === 0xef && b === 0xbb && c === 0xbf) return "utf-8";
  if (a === 0xff && b === 0xfe) return "utf-16le";
  if (a === 0xfe && b === 0xff) return "utf-16be";
  let even = 0;
  let odd = 0;
  for (const [index, byte] of sample.entries()) {
    if (byte !== 0) continue;
    if (index % 2 === 0) even += 1;
    else odd += 1;
  }
  // Latin letters and digits in UTF-16 have every second byte zero; a stray NUL elsewhere is refused as a character.
  const many = sample.length / 5;
  if (odd > many && even === 0) return "utf-16le";
  if (even > many && odd === 0) return "utf-16be";
  return null;
}

/** Decodes a stream of bytes strictly. Throws EncodingError at bytes that are not of the encoding. */
export function createTextDecoder(encoding: Encoding): { decode(bytes: Uint8Array): string; end(): string } {
  const decoder = new TextDecoder(encoding, { fatal: true });
  const decode = (bytes: Uint8Array, stream: boolean): string => {
    try {
      return decoder.decode(bytes, { stream });
    } catch (cause) {
      throw new EncodingError(`bytes that are not ${encoding.toUpperCase()}`, { cause });
    }
  };
  return { decode: (bytes) => decode(bytes, true), end: () => decode(new Uint8Array(0), false) };
}
