/** Every kind of sink. A new one is a file in `sinks/`, its configuration in `types/config.ts`, and a line here. */
import type { ConsoleSinkConfig, WebhookSinkConfig } from "../types/config.ts";
import type { Sink } from "../types/sink.ts";
import type { HttpSinkDeps } from "./http-sink.ts";
import { createConsoleSink, type ConsoleSinkDeps } from "./sinks/console.ts";
import { createWebhookSink } from "./sinks/webhook.ts";

interface ConfigByKind {
  webhook: WebhookSinkConfig;
  console: ConsoleSinkConfig;
}

export type SinkKind = keyof ConfigByKind;
export type SinkDeps = HttpSinkDeps & ConsoleSinkDeps;

type ConfigOf<K extends SinkKind> = { [P in K]: ConfigByKind[P] & { readonly kind: P } }[K];
type Makers = { readonly [K in SinkKind]: (config: ConfigByKind[K], deps: SinkDeps) => Sink };

const makers: Makers = {
  webhook: createWebhookSink,
  console: createConsoleSink,
};

/** Throws a ConfigError when the configuration cannot work; network trouble is never thrown, here or later. */
export function createSink<K extends SinkKind>(config: ConfigOf<K>, deps: SinkDeps): Sink {
  const make: Makers[K] = makers[config.kind];
  return make(config, deps);
}
