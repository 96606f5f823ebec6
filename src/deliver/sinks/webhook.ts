/**
 * A message in, one signed POST out, and what the receiver made of it. What always holds:
 * - The body goes out byte for byte as it was signed; redirects are never followed.
 * - One clock covers looking up, connecting, sending, headers and body: a slow receiver holds a slot for `timeoutMs`.
 * - Whatever the network does is an outcome, never an exception, and carries no secret.
 */
import { validateHeaderName, validateHeaderValue } from "node:http";
import { Agent, type Dispatcher } from "undici";
import type { WebhookSinkConfig } from "../../types/config.ts";
import type { SendOutcome, Sink, SinkMessage } from "../../types/sink.ts";
import { ConfigError } from "../../lib/errors.ts";
import { redactUrl } from "../../lib/redact.ts";
import { createAddressGuard, createGuardedConnect, type ResolveAll } from "../address-guard.ts";
import { excerptOf, readAnswer } from "../excerpt.ts";
import { SendCut, failureText, timeoutText } from "../failure-text.ts";
import { parseRetryAfter } from "../retry-after.ts";
import { checkSigningKey, signHeaders } from "../signing.ts";

export interface WebhookSinkDeps {
  /** Our own version, for the user agent. */
  readonly version: string;
  /** Unix milliseconds, to read a Retry-After date. */
  readonly now: () => number;
  /** Names to addresses; the system's resolver unless a test says otherwise. */
  readonly resolve?: ResolveAll;
}

// Below the 5 s after which Node's own servers close an idle connection: reusing a closed one costs an attempt.
const KEEP_ALIVE_MS = 4_000;
// A receiver may ask for a longer keep-alive, but each dial is also a fresh check of the address.
const KEEP_ALIVE_MAX_MS = 60_000;
// "100 Continue" and "103 Early Hints" are legal; a flood of them is a way to keep us parsing.
const INTERIM_ANSWERS_MAX = 20;
// Shorter texts are no secrets, and would blot out ordinary words of an answer.
const SECRET_CHARS_MIN = 6;

/** Set by us or by HTTP itself: a configured one would break the signature or the framing. */
const OWN_HEADERS = new Set(
  (
    "host content-type content-length content-encoding transfer-encoding connection keep-alive upgrade expect te " +
    "trailer user-agent webhook-id webhook-timestamp webhook-signature"
  ).split(" "),
);

export function createWebhookSink(config: WebhookSinkConfig, deps: WebhookSinkDeps): Sink {
  const url = checkUrl(config);
  checkHeaders(config);
  if (config.secrets.length === 0) throw new ConfigError(`sink "${config.name}": a webhook needs a secret`);
  for (const secret of config.secrets) checkSigningKey(secret);
  const secrets = secretsOf(config, url);
  const agent = createAgent(config, deps);
  let closing: Promise<void> | null = null;

  return {
    name: config.name,
    kind: config.kind,
    describe: () => `webhook ${redactUrl(config.url)}`,
    async send(message, signal) {
      // Encoded once: the bytes that are signed are the bytes that are sent. Outside of `try`: a message that cannot be
      // signed is a bug of ours, not the receiver's.
      const body = Buffer.from(message.body, "utf8");
      const headers = headersOf({ config, deps, message, body });
      const cut = createCut(signal, config.timeoutMs);
      try {
        const answer = await Promise.race([post({ agent, url, headers, body, cut }), cut.happened]);
        const excerpt = excerptOf(await readAnswer(answer.body), secrets);
        return outcomeOf({ answer, excerpt, url, now: deps.now() });
      } catch (error) {
        return { result: "retry", status: null, error: failureText(error), afterMs: null, excerpt: "" };
      } finally {
        cut.clear();
      }
    },
    close: () => (closing ??= agent.destroy()),
  };
}

function createAgent(config: WebhookSinkConfig, deps: WebhookSinkDeps): Agent {
  const guard = createAddressGuard(config.allowNetworks);
  return new Agent({
    connections: config.concurrency,
    pipelining: 1,
    keepAliveTimeout: KEEP_ALIVE_MS,
    keepAliveMaxTimeout: KEEP_ALIVE_MAX_MS,
    connect: createGuardedConnect({
      guard,
      timeoutMs: config.timeoutMs,
      ...(deps.resolve === undefined ? {} : { resolve: deps.resolve }),
    }),
    // Our own clock covers both; undici's timers are only good to half a second.
    headersTimeout: 0,
    bodyTimeout: 0,
  });
}

function headersOf(from: {
  readonly config: WebhookSinkConfig;
  readonly deps: WebhookSinkDeps;
  readonly message: SinkMessage;
  readonly body: Buffer;
}): Record<string, string> {
  const { config, deps, message, body } = from;
  const { webhookId, timestamp } = message;
  return {
    ...config.headers,
    "content-type": "application/json",
    "user-agent": `heistwatch/${deps.version}`,
    ...signHeaders({ webhookId, timestamp, body, secrets: config.secrets }),
  };
}

interface PostInput {
  readonly agent: Agent;
  readonly url: URL;
  readonly headers: Record<string, string>;
  readonly body: Buffer;
  readonly cut: Cut;
}

function post({ agent, url, headers, body, cut }: PostInput): Promise<Dispatcher.ResponseData> {
  // undici would dial first and look at the signal then.
  cut.signal.throwIfAborted();
  let interimAnswers = 0;
  const answer = agent.request({
    origin: url.origin,
    path: `${url.pathname}${url.search}`,
    method: "POST",
    headers,
    body,
    signal: cut.signal,
    onInfo: () => {
      interimAnswers += 1;
      if (interimAnswers > INTERIM_ANSWERS_MAX) cut.now("the receiver sends interim answers without end");
    },
  });
  // When the cut wins the race, this promise still ends in an error later; it has been told already.
  answer.catch(() => undefined);
  return answer;
}

interface Cut {
  readonly signal: AbortSignal;
  /** Rejects when the send is cut. undici listens to a signal only once connected; this does not wait for that. */
  readonly happened: Promise<never>;
  now(text: string): void;
  clear(): void;
}

/** What ends a send early: the clock, the caller, or a receiver that misbehaves. */
function createCut(caller: AbortSignal, timeoutMs: number): Cut {
  const controller = new AbortController();
  const { promise, reject } = Promise.withResolvers<never>();
  promise.catch(() => undefined);
  const now = (text: string) => {
    const reason = new SendCut(text);
    controller.abort(reason);
    reject(reason);
  };
  const onCallerAbort = () => now("stopped before an answer came");
  const timer = setTimeout(() => now(timeoutText(timeoutMs)), timeoutMs);
  if (caller.aborted) onCallerAbort();
  else caller.addEventListener("abort", onCallerAbort, { once: true });
  return {
    signal: controller.signal,
    happened: promise,
    now,
    clear() {
      clearTimeout(timer);
      caller.removeEventListener("abort", onCallerAbort);
    },
  };
}

interface OutcomeInput {
  readonly answer: Pick<Dispatcher.ResponseData, "statusCode" | "headers">;
  readonly excerpt: string;
  readonly url: URL;
  readonly now: number;
}

function outcomeOf({ answer, excerpt, url, now }: OutcomeInput): SendOutcome {
  const status = answer.statusCode;
  if (status >= 200 && status < 300) return { result: "delivered", status, excerpt };
  if (status === 410) return { result: "rejected", status, error: "answered 410: the receiver is gone", excerpt };
  const error =
    status >= 300 && status < 400 ? redirectText(status, answer.headers["location"], url) : `answered ${status}`;
  return { result: "retry", status, error, afterMs: parseRetryAfter(answer.headers["retry-after"], now), excerpt };
}

/** Says where a redirect points, so that a person can decide: a POST with an alert follows nobody else's pointer. */
function redirectText(status: number, location: string | string[] | undefined, url: URL): string {
  const [target] = [location].flat();
  if (target === undefined) return `answered ${status}`;
  const to = URL.canParse(target, url.href) ? redactUrl(new URL(target, url).href).slice(0, 200) : "(not a URL)";
  return `answered ${status} and pointed to ${to}: redirects are never followed, configure the final URL`;
}

function checkUrl(config: WebhookSinkConfig): URL {
  const sink = `sink "${config.name}"`;
  if (!URL.canParse(config.url)) throw new ConfigError(`${sink}: url is not a URL`);
  const url = new URL(config.url);
  if (url.protocol !== "https:" && url.protocol !== "http:") throw new ConfigError(`${sink}: url must be https`);
  if (url.protocol === "http:" && !config.allowHttp) {
    throw new ConfigError(`${sink}: url is plain http; use https, or set allowHttp`);
  }
  if (url.username !== "" || url.password !== "") {
    throw new ConfigError(`${sink}: url holds credentials; put them in headers, as a secret`);
  }
  return url;
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

/** Everything an echoing receiver could repeat to us that must not reach a log or the store; longest first. */
function secretsOf(config: WebhookSinkConfig, url: URL): readonly string[] {
  const texts = [
    ...Object.values(config.headers).flatMap((value) => [value, ...value.split(/\s+/)]),
    url.pathname,
    url.search,
    ...url.searchParams.values(),
  ];
  return [...new Set(texts)]
    .filter((text) => text.length >= SECRET_CHARS_MIN)
    .toSorted((left, right) => right.length - left.length);
}
