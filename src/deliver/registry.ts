/** Every kind of sink. A new one is a file in `sinks/`, its configuration in `types/sink-config.ts`, and a line here. */
import type { SinkConfig } from "../types/config.ts";
import type { Sink } from "../types/sink.ts";
import type { HttpSinkDeps } from "./http-sink.ts";
import { createConsoleSink, type ConsoleSinkDeps } from "./sinks/console.ts";
import { createDiscordSink } from "./sinks/discord.ts";
import { createEmailSink } from "./sinks/email.ts";
import { createFileSink } from "./sinks/file.ts";
import { createPagerdutySink } from "./sinks/pagerduty.ts";
import { createSlackSink } from "./sinks/slack.ts";
import { createSplunkSink } from "./sinks/splunk.ts";
import { createStdoutSink } from "./sinks/stdout.ts";
import { createSyslogSink } from "./sinks/syslog.ts";
import { createTeamsSink } from "./sinks/teams.ts";
import { createTelegramSink } from "./sinks/telegram.ts";
import { createWebhookSink } from "./sinks/webhook.ts";

export type SinkKind = SinkConfig["kind"];
export type SinkDeps = HttpSinkDeps & ConsoleSinkDeps;

type ConfigOf<K extends SinkKind> = Extract<SinkConfig, { readonly kind: K }>;
type Makers = { readonly [K in SinkKind]: (config: ConfigOf<K>, deps: SinkDeps) => Sink };

const makers: Makers = {
  webhook: createWebhookSink,
  console: createConsoleSink,
  slack: createSlackSink,
  teams: createTeamsSink,
  discord: createDiscordSink,
  telegram: createTelegramSink,
  pagerduty: createPagerdutySink,
  splunk: createSplunkSink,
  syslog: createSyslogSink,
  email: createEmailSink,
  file: createFileSink,
  stdout: createStdoutSink,
};

/** Throws a ConfigError when the configuration cannot work; network trouble is never thrown, here or later. */
export function createSink<K extends SinkKind>(config: ConfigOf<K>, deps: SinkDeps): Sink {
  const make: Makers[K] = makers[config.kind];
  return make(config, deps);
}
