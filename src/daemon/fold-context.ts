/** How alerts of this configuration are folded. */
import type { FoldContext } from "../alerts/state.ts";
import { createStateCodec } from "../alerts/state-codec.ts";
import * as codec from "../store/codec.ts";
import type { Config, SinkConfig } from "../types/config.ts";

export function foldContext(config: Config): FoldContext {
  const { encode, decode } = createStateCodec(codec);
  const chains = new Map(config.chains.map((chain) => [chain.id, chain]));
  return {
    chainName: (id) => chains.get(id)?.name ?? id,
    operatorsConfigured: (id) => new Set(chains.get(id)?.nodes.map((node) => node.operator)).size,
    sinks: config.sinks.alerts.map((sink) => sink.name),
    groupingSinks: new Set(groupingSinks(config)),
    newsSinks: new Set(config.sinks.alerts.filter(isForNews).map(({ name }) => name)),
    routes: config.routes,
    policy: config.policy,
    minSeverity: config.minSeverity,
    encode,
    decode,
  };
}

// Where each message is a line in front of somebody. A pager keeps one incident per alert, a machine sorts them itself.
const READ_LINE_BY_LINE: readonly SinkConfig["kind"][] = ["slack", "teams", "discord", "telegram", "email"];

function isForNews({ kind, updates }: SinkConfig): boolean {
  return updates === undefined ? READ_LINE_BY_LINE.includes(kind) : updates === "news";
}

/** Sinks that take alerts of a group together. */
export function groupingSinks({ sinks }: Pick<Config, "sinks">): string[] {
  return sinks.alerts.filter(({ grouping }) => grouping !== false).map(({ name }) => name);
}
