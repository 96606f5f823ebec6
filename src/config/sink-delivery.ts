/** What a user writes about how deliveries reach a sink, whatever kind of sink it is. */
import { z } from "zod";
import { checkWebhookSecret, parseIsoDate, WEBHOOK_SECRET_ALLOWED } from "./checks.ts";
import { addRefusal, filePath, list, secretUntil, shortName } from "./fields.ts";
import type { ReadEnv } from "./secrets.ts";

const RATE_ALLOWED = "a number above 0, at most 1000";

/** Of every sink that dials. */
export const lane = () => ({
  maxPerSecond: z
    .number({ error: RATE_ALLOWED })
    .gt(0, { error: RATE_ALLOWED })
    .max(1_000, { error: RATE_ALLOWED })
    .optional()
    .describe("At most this many attempts a second; 0.5 is one in two seconds. Default: no limit but concurrency."),
  fallback: shortName()
    .optional()
    .describe("Name of another sink, which gets critical and high alerts that this one did not take within 60 s."),
});

export const grouping = () =>
  z
    .boolean({ error: "true or false" })
    .optional()
    .describe(
      "true: floods of alike alerts come as digests, for people. false: every alert, for machines that group themselves. Default: true.",
    );

export const updates = () =>
  z
    .enum(["all", "news"], { error: "all or news" })
    .optional()
    .describe(
      "Later revisions of an alert. news: another severity, advice or stage, one more transfer, retracted; not that it is final now. all: each. Default: news for slack, teams, discord, telegram and email, all for others.",
    );

/** Of every sink that speaks TLS. */
export const tlsFiles = () => ({
  caFile: filePath().optional().describe("PEM file of the authorities that may vouch for it. Default: the system's."),
  certFile: filePath().optional().describe("PEM file of our own certificate, where the receiver asks for one (mTLS)."),
  keyFile: filePath().optional().describe("PEM file of its key."),
});

/** One of the two alone identifies nobody, and the receiver's refusal would not say so. */
export function refuseHalfCertificate(
  sink: { readonly [option: string]: unknown },
  context: z.core.$RefinementCtx,
): void {
  const [has, lacks] = sink["certFile"] === undefined ? ["keyFile", "certFile"] : ["certFile", "keyFile"];
  if (sink[has] === undefined || sink[lacks] !== undefined) return;
  addRefusal(context, { found: `${has} without ${lacks}`, allowed: "certFile and keyFile, or neither" }, [has]);
}

const UNTIL_ALLOWED = "an ISO 8601 date such as 2026-12-01 or 2026-12-01T12:00:00Z";
const OLD_SECRETS_ALLOWED = "a list of { env: NAME, until: 2026-12-01T12:00:00Z }";

const until = () =>
  z
    .string({ error: UNTIL_ALLOWED })
    .refine((text) => parseIsoDate(text) !== null, {
      error: UNTIL_ALLOWED,
      params: { found: "a text that is no such date" },
    })
    .transform((text) => parseIsoDate(text) ?? z.NEVER)
    .describe("It signs until then.");

export const oldSecrets = (readEnv: ReadEnv) =>
  list(
    secretUntil({ readEnv, allowed: WEBHOOK_SECRET_ALLOWED, check: checkWebhookSecret }, until()),
    OLD_SECRETS_ALLOWED,
  )
    .max(10, { error: "at most 10 old secrets" })
    .optional()
    .describe("Keys of before: each signs too until its time, so that a receiver can change over in between.");
