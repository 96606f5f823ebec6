/** `heistwatch sinks list|test|keygen`: where alerts would go, whether they arrive, keys to sign with. */
import { randomUUID } from "node:crypto";
import { testMessages } from "../alerts/test-message.ts";
import { VERSION } from "../daemon/version.ts";
import { createSink } from "../deliver/registry.ts";
import { newPrivateKey, newSecret, publicKeyOf } from "../deliver/signing.ts";
import { systemClock } from "../lib/clock.ts";
import { ConfigError } from "../lib/errors.ts";
import type { Message } from "../types/alert.ts";
import type { Config, SinkConfig } from "../types/config.ts";
import type { SendOutcome, Sink } from "../types/sink.ts";
import { EXIT, type GlobalOptions, readConfig } from "./context.ts";
import { print, printJson, table } from "./output.ts";

interface Named {
  readonly gets: "alerts" | "operations";
  readonly config: SinkConfig;
}

interface Tested {
  readonly name: string;
  readonly kind: string;
  readonly gets: string;
  readonly outcome: SendOutcome;
  readonly durationMs: number;
}

export function listSinks(options: GlobalOptions): Promise<number> {
  const rows = sinksOf(readConfig(options)).map(({ gets, config }) => {
    const sink = open(config);
    return { name: sink.name, kind: sink.kind, gets, to: sink.describe() };
  });
  if (options.json === true) printJson(rows);
  else
    print(
      table(
        ["name", "kind", "gets", "to"],
        rows.map((row) => [row.name, row.kind, row.gets, row.to]),
      ),
    );
  return Promise.resolve(EXIT.ok);
}

/**
 * Sends a marked test message as the daemon would: the same sink, guard, signature and format, but not through the
 * store. 0: every sink took it; 75: one may take it later; 1: one never will.
 */
export async function testSinks(name: string | undefined, options: GlobalOptions): Promise<number> {
  const all = sinksOf(readConfig(options));
  const chosen = name === undefined ? all : all.filter(({ config }) => config.name === name);
  if (chosen.length === 0)
    throw new ConfigError(
      `no sink ${name} in the configuration; there are: ${all.map(({ config }) => config.name).join(", ")}`,
    );
  const tested = await Promise.all(chosen.map(testOne));
  if (options.json === true) printJson(tested);
  else print(table(["name", "kind", "gets", "result", "ms", "answer"], tested.map(rowOf)));
  const results = tested.map(({ outcome }) => outcome.result);
  if (results.includes("rejected")) return EXIT.fix;
  return results.includes("retry") ? EXIT.tryAgain : EXIT.ok;
}

async function testOne({ gets, config }: Named): Promise<Tested> {
  const sink = open(config);
  try {
    const startedAt = performance.now();
    const [told, takenBack] = testMessages({ nonce: randomUUID(), now: systemClock.now() });
    const outcome = await send(sink, told);
    // An incident that only a test opened must not stay open.
    const last = sink.keepsState && outcome.result === "delivered" ? await send(sink, takenBack) : outcome;
    const durationMs = Math.round(performance.now() - startedAt);
    return { name: sink.name, kind: sink.kind, gets, outcome: last, durationMs };
  } finally {
    await sink.close();
  }
}

function send(sink: Sink, { webhookId, type, severity, body }: Message): Promise<SendOutcome> {
  const timestamp = Math.floor(systemClock.now() / 1000);
  // Every sink has its own time limit.
  return sink.send({ webhookId, type, severity, body, timestamp }, new AbortController().signal);
}

function rowOf({ name, kind, gets, outcome, durationMs }: Tested): string[] {
  const answer = "error" in outcome ? outcome.error : outcome.excerpt;
  const status = outcome.status === null ? "" : ` (${outcome.status})`;
  return [name, kind, gets, `${outcome.result}${status}`, String(durationMs), answer];
}

function sinksOf({ sinks }: Config): Named[] {
  return (["alerts", "operations"] as const).flatMap((gets) => sinks[gets].map((config) => ({ gets, config })));
}

function open(config: SinkConfig): Sink {
  const write = (text: string) => void process.stdout.write(text);
  return createSink(config, { version: VERSION, now: () => systemClock.now(), write });
}

/** Prints new keys and keeps nothing: the private ones go into the environment or a file, the rest to the receiver. */
export function makeKeys({ json }: { json?: boolean }): Promise<number> {
  const secret = newSecret();
  const privateKey = newPrivateKey();
  const keys = {
    v1: { secret },
    v1a: { privateKey, publicKey: publicKeyOf(privateKey) },
  };
  if (json === true) printJson(keys);
  else
    print(
      [
        "v1, one secret that both sides know:",
        `  ${secret}`,
        "v1a, a private key for heistwatch and a public one for the receiver:",
        `  ${privateKey}`,
        `  ${keys.v1a.publicKey}`,
        "",
        "Put the whsec_ and the whsk_ into the environment or a file that only heistwatch can read, and name them in the",
        "sink: secrets: [{ env: DESK_SECRET }, { env: DESK_KEY }]. Give the receiver the whsec_, or the whpk_, or both.",
      ].join("\n"),
    );
  return Promise.resolve(EXIT.ok);
}
