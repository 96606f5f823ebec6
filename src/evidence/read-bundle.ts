/** Bytes of a file -> a bundle, where they are the one way to write it. */
import { canonicalJson } from "../lib/canonical-json.ts";
import { describeError, RefutedError } from "../lib/errors.ts";
import { type Bundle, bundleSchema } from "./bundle.ts";

/** More than any block holds of one transaction; a larger file is not read. */
export const BUNDLE_BYTES_MAX = 64 * 1024 * 1024;
// The form has ten levels; histories and messages are texts in it.
const DEPTH_MAX = 32;

/** Throws RefutedError. */
export function readBundle(bytes: Uint8Array): Bundle {
  if (bytes.length > BUNDLE_BYTES_MAX) throw new RefutedError(`the file is larger than ${BUNDLE_BYTES_MAX} bytes`);
  const text = textOf(bytes);
  const value = parsed(text);
  if (canonicalJson(value) !== text)
    throw new RefutedError(
      "the file is not written in the one way of RFC 8785 (order of keys, numbers, escapes, no blanks): something was changed",
    );
  const checked = bundleSchema.safeParse(value);
  if (checked.success) return checked.data;
  const [issue] = checked.error.issues;
  throw new RefutedError(`the file is no evidence bundle: ${issue?.path.join(".") ?? ""}: ${issue?.message ?? ""}`);
}

function textOf(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new RefutedError("the file is not UTF-8 text");
  }
}

function parsed(text: string): unknown {
  if (depthOf(text) > DEPTH_MAX) throw new RefutedError("the file is nested more deeply than any bundle");
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new RefutedError(`the file is not JSON: ${describeError(error)}`);
  }
}

/** At least as deep as its values are nested, so that nobody's stack runs out; texts are passed over. */
function depthOf(text: string): number {
  let depth = 0;
  let deepest = 0;
  let inText = false;
  for (let at = 0; at < text.length; at += 1) {
    const sign = text[at];
    if (inText && sign === "\\") at += 1;
    else if (sign === '"') inText = !inText;
    else if (!inText && (sign === "{" || sign === "[")) deepest = Math.max(deepest, ++depth);
    else if (!inText && (sign === "}" || sign === "]")) depth -= 1;
  }
  return deepest;
}
