/** Which format a file is: the one it was said to be, else the only one its beginning can be. Never a guess between two. */
import { open, stat } from "node:fs/promises";
import { describeError } from "../lib/errors.ts";
import type { ImportFormat } from "../types/watchlist-format.ts";
import { detectEncoding, EncodingError, SAMPLE_BYTES } from "./decode-text.ts";
import { IMPORT_FORMATS, importFormatNamed } from "./formats/registry.ts";
import { escapeInvisible, showFound } from "./problems.ts";

const START_BYTES = 64 * 1024;
const NAMES = IMPORT_FORMATS.map((format) => format.name).join(", ");

export type FormatAnswer = { readonly format: ImportFormat } | { readonly problem: string };

/** `name`: what the person said; null: they left it to us. */
export async function findFormat(file: string, name: string | null): Promise<FormatAnswer> {
  if (name !== null) {
    const format = importFormatNamed(name);
    return format === null ? { problem: `no format ${showFound(name)}; known: ${NAMES}` } : { format };
  }
  let start: Uint8Array;
  try {
    start = await readStart(file);
  } catch (error) {
    return { problem: `${file}: ${escapeInvisible(describeError(error))}` };
  }
  return sniff(file, start);
}

/** `bytes`: the first 64 KiB of the file. */
export function sniff(file: string, bytes: Uint8Array): FormatAnswer {
  const text = startText(bytes);
  const fits = text === null ? [] : IMPORT_FORMATS.filter((format) => format.looksLike(text));
  const [format, other] = fits;
  if (format === undefined) return { problem: `${file}: looks like none of ${NAMES}; name it with --format` };
  if (other === undefined) return { format };
  return { problem: `${file}: could be ${fits.map((one) => one.name).join(" or ")}; name it with --format` };
}

async function readStart(file: string): Promise<Uint8Array> {
  if (!(await stat(file)).isFile()) throw new Error("not a regular file");
  const handle = await open(file, "r");
  try {
    const { buffer, bytesRead } = await handle.read(new Uint8Array(START_BYTES), 0, START_BYTES);
    return buffer.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}

/** Not strict: only to look at. What the reader does with the bytes is the format's business. */
function startText(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder(detectEncoding(bytes.subarray(0, SAMPLE_BYTES)) ?? "utf-8").decode(bytes);
  } catch (error) {
    if (error instanceof EncodingError) return null;
    throw error;
  }
}
