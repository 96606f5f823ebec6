/** Whether a list is signed by one of the keys that the configuration asks for. */
import { readFile } from "node:fs/promises";
import { describeError } from "../lib/errors.ts";
import { parseMinisignKey, type SignedContent, verifyMinisign } from "./minisign.ts";
import { escapeInvisible } from "./problems.ts";

/** Beside the file it signs. */
export const SIGNATURE_EXTENSION = ".minisig";

/** What is wrong with it, as the rest of a sentence; null: it is signed. `keys`: their files. */
export async function signatureProblem(of: {
  readonly keys: readonly string[];
  /** The text of the signature; null: there is none. */
  readonly signature: string | null;
  readonly content: SignedContent;
}): Promise<string | null> {
  if (of.signature === null) return `has no signature, and must have one of ${of.keys.join(" or ")}`;
  try {
    const keys = await Promise.all(of.keys.map(async (file) => parseMinisignKey(await readFile(file, "utf8"))));
    verifyMinisign({ keys, signature: of.signature, content: of.content });
    return null;
  } catch (error) {
    return `is not signed as it must be: ${escapeInvisible(describeError(error))}`;
  }
}
