/**
 * A message in, one signed POST out, in the receiver's format. What always holds: the body goes out byte for byte as
 * it was signed.
 */
import { validateHeaderName, validateHeaderValue } from "node:http";
import type { WebhookSinkConfig } from "../../types/config.ts";
import type { Sink, SinkMessage } from "../../types/sink.ts";
import { ConfigError } from "../../lib/errors.ts";
import { redactUrl } from "../../lib/redact.ts";
import { formatBody } from "../formats/format.ts";
import {
  checkedUrl,
  createHttpSink,
  type HttpAnswer,
  type HttpSinkDeps,
  outcomeByStatus,
  secretsOfUrl,
} from "../http-sink.ts";
import { checkSigningKey, signHeaders } from "../signing.ts";

/** Set by us or by HTTP itself: a configured one would break the signature or the framing. */
const OWN_HEADERS = new Set(
  (
    "host content-type content-length content-encoding transfer-encoding connection keep-alive upgrade expect te " +
    "trailer user-agent webhook-id webhook-timestamp webhook-signature"
  ).split(" "),
);

export function createWebhookSink(config: WebhookSinkConfig, deps: HttpSinkDeps): Sink {
  const url = checkedUrl(config);
  checkHeaders(config);
  if (config.secrets.length === 0) throw new ConfigError(`sink "${config.name}": a webhook needs a secret`);
  for (const secret of [...config.secrets, ...(config.oldSecrets ?? []).map((old) => old.secret)])
    checkSigningKey(secret);
  const service = {
    description: `webhook ${redactUrl(config.url)}`,
    keepsState: false,
    secrets: [
      ...Object.values(config.headers).flatMap((value) => [value, ...value.split(/\s+/)]),
      ...secretsOfUrl(url),
    ],
    request(message: SinkMessage) {
      const { webhookId, timestamp } = message;
      const { contentType, text } = formatBody(config.format ?? "native", message, deps.version);
      // Encoded once: the bytes that are signed are the bytes that are sent.
      const body = Buffer.from(text, "utf8");
      const old = (config.oldSecrets ?? []).filter(({ until }) => timestamp < until).map(({ secret }) => secret);
      const signature = signHeaders({ webhookId, timestamp, body, secrets: [...config.secrets, ...old] });
      return { url, body, headers: { ...config.headers, "content-type": contentType, ...signature } };
    },
    outcomeOf: (answer: HttpAnswer) => outcomeByStatus(answer, { url, now: deps.now() }),
  };
  return createHttpSink(service, config, deps);
}

function checkHeaders(config: WebhookSinkConfig): void {
  for (const [name, value] of Object.entries(config.headers)) {
    const header = `sink "${config.name}": header ${JSON.stringify(name)}`;
    if (OWN_HEADERS.has(name.toLowerCase())) throw new ConfigError(`${header} is set by heistwatch itself`);
    try {
      validateHeaderName(name);
      validateHeaderValue(name, value);
    } catch {
      // Node's error is left out: it may quote the value.
      throw new ConfigError(`${header} is not a valid HTTP header`);
    }
  }
}
