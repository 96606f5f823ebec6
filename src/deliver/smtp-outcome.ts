/** What a mail server said to a message and each of its recipients in, the outcome of the delivery out. Pure. */
import type { SendOutcome } from "../types/sink.ts";
import { describeError } from "../lib/errors.ts";
import { printable, shortened } from "../lib/outside-text.ts";
import { withoutSecrets } from "./excerpt.ts";
import { failureText } from "./failure-text.ts";
import { retryLater } from "./send-clock.ts";

const REASON_CHARS_MAX = 300;
/** The first code that no repetition changes (RFC 5321 4.2.1). */
const FINAL_CODE = 500;

/** One recipient's "no", as nodemailer tells it. */
export interface Refusal {
  readonly recipient?: string;
  readonly responseCode?: number;
  readonly response?: string;
}

/** What was asked of the server. */
export interface Asked {
  readonly recipients: number;
  /** Texts that a server could repeat and nobody may see. */
  readonly secrets: readonly string[];
}

/** The message was taken for everyone but these. Whoever was only put off is asked again before a dead letter is made. */
export function outcomeOfRefusals(
  refusals: readonly Refusal[],
  of: Asked & { readonly response: string },
): SendOutcome {
  const excerpt = said(of.response, of);
  if (refusals.length === 0) return { result: "delivered", status: 250, excerpt };
  const putOff = refusals.filter(({ responseCode = 0 }) => responseCode < FINAL_CODE);
  const told = putOff.length > 0 ? putOff : refusals;
  const names = told.map(({ recipient = "", response = "" }) => `${recipient} (${said(response, of)})`).join(", ");
  const what = `${told.length} of ${of.recipients} recipients ${putOff.length > 0 ? "put off" : "refused"}`;
  const error = `${what}: ${shortened(names, REASON_CHARS_MAX)}`;
  const status = told[0]?.responseCode ?? null;
  return putOff.length > 0
    ? { result: "retry", status, error, afterMs: null, excerpt }
    : { result: "rejected", status, error, excerpt };
}

/** The message was taken for nobody. */
export function outcomeOfError(error: unknown, of: Asked): SendOutcome {
  const { rejectedErrors, responseCode, code, response } = error as Refusal & {
    readonly rejectedErrors?: readonly Refusal[];
    readonly code?: string;
  };
  if (rejectedErrors !== undefined && rejectedErrors.length > 0)
    return outcomeOfRefusals(rejectedErrors, { ...of, response: "" });
  if (typeof responseCode !== "number") return retryLater(said(failureText(error), of));
  const answer = `answered ${said(response ?? describeError(error), of)}`;
  // The sender or the message; a login or a greeting that is refused can be put right, and then this goes out.
  const isFinal = responseCode >= FINAL_CODE && (code === "EENVELOPE" || code === "EMESSAGE");
  if (isFinal) return { result: "rejected", status: responseCode, error: answer, excerpt: "" };
  return { result: "retry", status: responseCode, error: answer, afterMs: null, excerpt: "" };
}

function said(text: string, { secrets }: Asked): string {
  return shortened(printable(withoutSecrets(text, secrets)), REASON_CHARS_MAX);
}
