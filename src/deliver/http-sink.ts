/**
 * A sink that is one POST: what to send and what an answer means come from an `HttpService`, everything about the
 * network is here. What always holds: every dial is guarded, redirects are never followed, one clock covers all of it,
 * and no outcome carries a secret.
 */
import { Agent, type Dispatcher } from "undici";
import type { SendOutcome, Sink, SinkMessage } from "../types/sink.ts";
import type { TlsFiles } from "../types/sink-delivery.ts";
import { ConfigError } from "../lib/errors.ts";
import { printable, shortened } from "../lib/outside-text.ts";
import { redactText, redactUrl } from "../lib/redact.ts";
import { createAddressGuard, createGuardedConnect, type ResolveAll } from "./address-guard.ts";
import { excerptOf, readAnswer, withoutSecrets } from "./excerpt.ts";
import { parseRetryAfter } from "./retry-after.ts";
import { type Cut, withinTime } from "./send-clock.ts";
import { createTlsReader } from "./tls-files.ts";

export interface HttpSinkDeps {
  /** Our own version, for the user agent. */
  readonly version: string;
  /** Unix milliseconds, to read a Retry-After date. */
  readonly now: () => number;
  /** Names to addresses; the system's resolver unless a test says otherwise. */
  readonly resolve?: ResolveAll;
}

export interface HttpSinkConfig extends TlsFiles {
  readonly kind: string;
  readonly name: string;
  readonly timeoutMs: number;
  /** At most this many connections; one where the configuration does not say. */
  readonly concurrency?: number;
  readonly allowNetworks: readonly string[];
}

export interface HttpRequest {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Buffer;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Dispatcher.ResponseData["headers"];
  /** Up to 64 kB of the body, without secrets of ours that it may repeat. */
  readonly text: string;
  /** The same, short and printable, for people. */
  readonly excerpt: string;
}

export type Post = (request: HttpRequest) => Promise<HttpAnswer>;

/** What one service is told, and what its answers mean. */
export interface HttpService {
  /** Masked: never a key, never a query. */
  readonly description: string;
  readonly keepsState: boolean;
  /** Texts that an echoing receiver could repeat to us and nobody may see. */
  readonly secrets: readonly string[];
  request(message: SinkMessage): HttpRequest;
  outcomeOf(answer: HttpAnswer, more: MoreOfSend): Promise<SendOutcome> | SendOutcome;
}

/** What a service needs where one answer does not settle it. */
export interface MoreOfSend {
  readonly message: SinkMessage;
  /** One more request within the same clock. */
  readonly post: Post;
  readonly signal: AbortSignal;
}

// Below the 5 s after which Node's own servers close an idle connection: reusing a closed one costs an attempt.
const KEEP_ALIVE_MS = 4_000;
// A receiver may ask for a longer keep-alive, but each dial is also a fresh check of the address.
const KEEP_ALIVE_MAX_MS = 60_000;
// "100 Continue" and "103 Early Hints" are legal; a flood of them is a way to keep us parsing.
const INTERIM_ANSWERS_MAX = 20;
// What a service says about an error is a stranger's text: enough to act on, no more.
const REASON_CHARS_MAX = 200;
// The schedule clamps what is asked for; this only keeps the sum with a clock a safe integer.
const WAIT_SECONDS_MAX = 365 * 24 * 60 * 60;
// Shorter parts of a path are words such as `services`, or an id that opens nothing.
const PATH_SECRET_CHARS_MIN = 16;
// Shorter texts are no secrets, and would blot out ordinary words of an answer.
const SECRET_CHARS_MIN = 6;

export function createHttpSink(service: HttpService, config: HttpSinkConfig, deps: HttpSinkDeps): Sink {
  const secrets = longestFirst(service.secrets);
  const agent = createAgent(config, deps);
  let closing: Promise<void> | null = null;

  return {
    name: config.name,
    kind: config.kind,
    keepsState: service.keepsState,
    describe: () => service.description,
    async send(message, signal) {
      // Outside of the clock: a message that cannot be put into words is a bug of ours, not the receiver's.
      const request = service.request(message);
      return withinTime({ caller: signal, timeoutMs: config.timeoutMs }, async (cut) => {
        const post: Post = async (one) => {
          // undici listens to a signal only once connected; the race does not wait for that. Whatever comes of the body
          // later, the status line has said what the receiver decided.
          const answer = await Promise.race([dispatch({ agent, request: one, deps, cut }), cut.happened]);
          const text = withoutSecrets(await readAnswer(answer.body), secrets);
          return { status: answer.statusCode, headers: answer.headers, text, excerpt: excerptOf(text) };
        };
        return service.outcomeOf(await post(request), { message, post, signal: cut.signal });
      });
    },
    close: () => (closing ??= agent.destroy()),
  };
}

/** What a status means where the service has nothing of its own to say. `url`: to show where a redirect points. */
export function outcomeByStatus(answer: HttpAnswer, of: { readonly url: URL; readonly now: number }): SendOutcome {
  const { status, headers, excerpt } = answer;
  if (status >= 200 && status < 300) return { result: "delivered", status, excerpt };
  if (status === 410) return { result: "rejected", status, error: "answered 410: the receiver is gone", excerpt };
  const error =
    status >= 300 && status < 400 ? redirectText(status, headers["location"], of.url) : `answered ${status}`;
  return { result: "retry", status, error, afterMs: parseRetryAfter(headers["retry-after"], of.now), excerpt };
}

/** As `outcomeByStatus`, for services whose 4xx answers about a message are final: the same bytes get the same answer. */
export function outcomeOfService(
  answer: HttpAnswer,
  of: { readonly url: URL; readonly now: number; readonly reason: string },
): SendOutcome {
  if (answer.status === 400 || answer.status === 413 || answer.status === 422) return refusedForGood(answer, of.reason);
  const outcome = outcomeByStatus(answer, of);
  return outcome.result === "retry" ? { ...outcome, error: `${outcome.error}${saidAs(of.reason)}` } : outcome;
}

/** The service says that it will never take this message, or is not there any more. */
export function refusedForGood({ status, excerpt }: HttpAnswer, reason: string): SendOutcome {
  return { result: "rejected", status, error: `answered ${status}${saidAs(reason)}`, excerpt };
}

function saidAs(reason: string): string {
  return reason === "" ? "" : `: ${shortened(printable(redactText(reason)), REASON_CHARS_MAX)}`;
}

/** The service asks for a wait in its own words. */
export function askedToWait({ status, excerpt }: HttpAnswer, afterMs: number | null): SendOutcome {
  return { result: "retry", status, error: `answered ${status}: too many messages`, afterMs, excerpt };
}

/** Milliseconds of a wait in seconds that a service wrote into its answer; null where it is no such number. */
export function waitMsOf(seconds: unknown): number | null {
  if (typeof seconds !== "number" || !(seconds >= 0) || seconds > WAIT_SECONDS_MAX) return null;
  return Math.ceil(seconds * 1_000);
}

/** A field of an answer in JSON; undefined where there is none. */
export function answerField({ text }: HttpAnswer, ...path: readonly string[]): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  for (const part of path) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, part)) return undefined;
    value = Reflect.get(value, part);
  }
  return value;
}

export function postJson(url: URL, value: object, headers: Readonly<Record<string, string>> = {}): HttpRequest {
  return { url, body: JSON.stringify(value), headers: { ...headers, "content-type": "application/json" } };
}

/** A URL of the configuration, checked. Throws a ConfigError that does not show it. */
export function checkedUrl(of: { readonly name: string; readonly url: string; readonly allowHttp: boolean }): URL {
  const sink = `sink "${of.name}"`;
  if (!URL.canParse(of.url)) throw new ConfigError(`${sink}: url is not a URL`);
  const url = new URL(of.url);
  if (url.protocol !== "https:" && url.protocol !== "http:") throw new ConfigError(`${sink}: url must be https`);
  if (url.protocol === "http:" && !of.allowHttp) {
    throw new ConfigError(`${sink}: url is plain http; use https, or set allowHttp`);
  }
  if (url.username !== "" || url.password !== "") {
    throw new ConfigError(`${sink}: url holds credentials; put them in headers, as a secret`);
  }
  return url;
}

/** The parts of a URL that may be keys. */
export function secretsOfUrl(url: URL): string[] {
  const longParts = url.pathname.split("/").filter((part) => part.length >= PATH_SECRET_CHARS_MIN);
  return [url.pathname, url.search, ...url.searchParams.values(), ...longParts];
}

/** A secret that is a part of another must not leave the rest of that one behind. */
function longestFirst(secrets: readonly string[]): readonly string[] {
  return [...new Set(secrets)]
    .filter((text) => text.length >= SECRET_CHARS_MIN)
    .toSorted((left, right) => right.length - left.length);
}

function createAgent(config: HttpSinkConfig, deps: HttpSinkDeps): Agent {
  const guard = createAddressGuard(config.allowNetworks);
  return new Agent({
    connections: config.concurrency ?? 1,
    pipelining: 1,
    keepAliveTimeout: KEEP_ALIVE_MS,
    keepAliveMaxTimeout: KEEP_ALIVE_MAX_MS,
    connect: createGuardedConnect({
      guard,
      timeoutMs: config.timeoutMs,
      readTls: createTlsReader(config),
      ...(deps.resolve === undefined ? {} : { resolve: deps.resolve }),
    }),
    // Our own clock covers both; undici's timers are only good to half a second.
    headersTimeout: 0,
    bodyTimeout: 0,
  });
}

interface DispatchInput {
  readonly agent: Agent;
  readonly request: HttpRequest;
  readonly deps: HttpSinkDeps;
  readonly cut: Cut;
}

function dispatch({ agent, request, deps, cut }: DispatchInput): Promise<Dispatcher.ResponseData> {
  const { url, headers, body } = request;
  let interimAnswers = 0;
  const answer = agent.request({
    origin: url.origin,
    path: `${url.pathname}${url.search}`,
    method: "POST",
    headers: { ...headers, "user-agent": `heistwatch/${deps.version}` },
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

/** Says where a redirect points, so that a person can decide: a POST with an alert follows nobody else's pointer. */
function redirectText(status: number, location: string | string[] | undefined, url: URL): string {
  const [target] = [location].flat();
  if (target === undefined) return `answered ${status}`;
  const to = URL.canParse(target, url.href) ? redactUrl(new URL(target, url).href).slice(0, 200) : "(not a URL)";
  return `answered ${status} and pointed to ${to}: redirects are never followed, configure the final URL`;
}
