/** What is kept of an answer as evidence: its beginning, its length and its digest. */
import { createHash } from "node:crypto";

// Enough to see what was said and about what; a whole block may be 256 MB.
const KEPT_BYTES = 16 * 1024;

export function excerptOf(answer: unknown): string {
  const text = JSON.stringify(answer) ?? String(answer);
  const digest = createHash("sha256").update(text).digest("hex");
  return `${text.slice(0, KEPT_BYTES)}${text.length > KEPT_BYTES ? "..." : ""} (${text.length} characters, sha256 ${digest})`;
}
