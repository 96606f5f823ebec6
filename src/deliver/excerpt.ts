/**
 * A receiver's answer in, a short safe text out. The answer is a stranger's: it may be endless, hostile to a terminal,
 * or an echo of our own request with its keys.
 */
import { printable } from "../lib/outside-text.ts";
import { redactText } from "../lib/redact.ts";

/** More is never read: no receiver needs 64 kB to say yes, and one may send without end. */
export const ANSWER_BYTES_MAX = 64 * 1024;
export const EXCERPT_CHARS_MAX = 500;

/** Up to `ANSWER_BYTES_MAX` bytes. A body that breaks off or is cut ends here: what came is the excerpt. */
export async function readAnswer(body: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  try {
    for await (const chunk of body) {
      chunks.push(chunk.subarray(0, ANSWER_BYTES_MAX - length));
      length += chunk.length;
      // Leaving the loop destroys the stream and its connection: draining would be doing an endless receiver's bidding.
      if (length >= ANSWER_BYTES_MAX) break;
    }
  } catch {
    // The status line has already said what the receiver decided; a torn body changes nothing.
  }
  return new TextDecoder().decode(Buffer.concat(chunks));
}

/** Comes before every cut: a secret cut in half would no longer be recognised. Longer secrets stand first. */
export function withoutSecrets(answer: string, secrets: readonly string[]): string {
  return secrets.reduce((text, secret) => text.replaceAll(secret, "…"), answer);
}

export function excerptOf(answer: string): string {
  return Array.from(printable(redactText(answer)))
    .slice(0, EXCERPT_CHARS_MAX)
    .join("");
}
