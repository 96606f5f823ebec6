/** heistwatch on several real nodes behind fault proxies, and what its receiver was told. */
import type { AlertBody, SystemBody } from "../../../src/alerts/body-schema.ts";
import { writeDaemonConfig, type WrittenConfig } from "../../support/daemon.ts";
import { type FaultProxy, startFaultProxy } from "../../support/fault-proxy.ts";
import { type Receiver, startReceiver } from "../../support/receiver.ts";
import { createTempDir } from "../../support/temp-dir.ts";
import { waitFor } from "../../support/wait-for.ts";
import { type Heistwatch, PATIENCE_MS, runDaemon, until } from "./heistwatch.ts";
import { startTwins, type Twins } from "./twin-nodes.ts";

export type AlertData = AlertBody["data"];
/** `at`: its own timestamp, unix milliseconds. */
export type Alarm = { readonly type: string; readonly summary: string; readonly at: number; readonly subject: string };

export interface TrustWorld {
  readonly twins: Twins;
  /** By name of the node. */
  readonly proxies: Readonly<Record<string, FaultProxy>>;
  readonly receiver: Receiver;
  readonly config: WrittenConfig;
  readonly daemon: Heistwatch;
  /** Every revision of every alert that was told, in order of arrival. */
  alerts(): AlertData[];
  /** The highest revision about this transaction; null before the first. */
  alertOf(txHash: string): AlertData | null;
  alarms(): Alarm[];
  /** Waits until the alert about this transaction is as wanted. */
  until(txHash: string, what: string, wanted: (alert: AlertData) => boolean): Promise<AlertData>;
  untilAlarm(what: string, wanted: (alarm: Alarm) => boolean, timeoutMs?: number): Promise<Alarm>;
  stop(): Promise<void>;
}

export interface WorldOptions {
  /** Node name -> its operator and the twin behind it. */
  readonly nodes: Readonly<Record<string, { operator: string; twin: number }>>;
  readonly twins: number;
  readonly chain?: Record<string, unknown>;
  readonly heartbeat?: boolean;
}

export async function startTrustWorld(options: WorldOptions): Promise<TrustWorld> {
  const dir = createTempDir("trust");
  const twins = await startTwins(options.twins);
  for (let block = 0; block < 3; block += 1) await twins.mine();
  const receiver = await startReceiver();
  const opened = await Promise.all(
    Object.entries(options.nodes).map(
      async ([name, { twin }]) => [name, await startFaultProxy(twins.nodes[twin]?.url ?? "")] as const,
    ),
  );
  const proxies = Object.fromEntries(opened);
  const sink = { url: receiver.url, secrets: [receiver.secret] };
  const config = await writeDaemonConfig({
    dir: dir.path,
    nodeUrl: "",
    nodes: Object.entries(options.nodes).map(([name, { operator }]) => ({
      name,
      operator,
      http: proxies[name]?.url ?? "",
    })),
    start: 2,
    watch: [{ address: twins.watched }],
    webhooks: [{ name: "desk", ...sink, heartbeat: options.heartbeat ?? false, concurrency: 8 }],
    operations: [{ name: "ops", ...sink }],
    chain: { blockTimeMs: 500, ...options.chain },
  });
  const daemon = runDaemon(config);
  const stop = async () => {
    await daemon.stop();
    await Promise.all([...Object.values(proxies).map((proxy) => proxy.stop()), receiver.stop(), twins.stop()]);
    await dir.remove();
  };
  try {
    await until(daemon, "heistwatch runs");
  } catch (error) {
    await stop();
    throw error;
  }
  const bodies = () => receiver.requests.map(({ body }) => body as AlertBody | SystemBody);
  const alerts = () => bodies().flatMap(({ data }) => ("alertId" in data ? [data] : []));
  const alarms = () =>
    bodies().flatMap(({ type, timestamp, data }) =>
      "since" in data && type !== "system.heartbeat"
        ? [{ type, summary: data.summary, subject: data.subject, at: Date.parse(timestamp) }]
        : [],
    );
  const alertOf = (txHash: string) =>
    alerts()
      .filter(({ transaction }) => transaction.hash === txHash)
      .reduce<AlertData | null>((a, b) => (a === null || b.revision > a.revision ? b : a), null);
  async function seen<T>(what: string, look: () => T | null | undefined, timeoutMs = PATIENCE_MS): Promise<T> {
    try {
      return (await waitFor(what, () => look() ?? undefined, { timeoutMs })) as T;
    } catch (error) {
      const told = [...alerts().map(briefly), ...alarms().map(({ type, summary }) => `${type}: ${summary}`)];
      throw new Error(`not seen: ${what}\n${told.join("\n")}\n${daemon.output().slice(-4_000)}`, { cause: error });
    }
  }
  return {
    twins,
    proxies,
    receiver,
    config,
    daemon,
    alerts,
    alertOf,
    alarms,
    until: (txHash, what, wanted) =>
      seen(what, () => {
        const alert = alertOf(txHash);
        return alert !== null && wanted(alert) ? alert : null;
      }),
    untilAlarm: (what, wanted, timeoutMs) => seen(what, () => alarms().find(wanted), timeoutMs),
    stop,
  };
}

function briefly({ transaction, revision, stage, trust }: AlertData): string {
  return `${transaction.hash} rev ${revision} ${stage} ${JSON.stringify(trust)}`;
}

/** Alerts that more than one id was made for: there must be none. */
export function doubles(alerts: readonly AlertData[]): string[] {
  const ids = new Map<string, Set<string>>();
  for (const { transaction, alertId } of alerts) {
    const tx = transaction.hash ?? "";
    ids.set(tx, (ids.get(tx) ?? new Set()).add(alertId));
  }
  return [...ids].filter(([, each]) => each.size > 1).map(([tx]) => tx);
}
