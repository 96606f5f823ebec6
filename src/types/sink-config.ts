/** The kinds of sinks beside the plain webhook and the console. Every default is filled in, every secret resolved. */

import type { LaneOptions, TlsFiles } from "./sink-delivery.ts";

/** How a message is written where the receiver is a machine. */
export const BODY_FORMATS = ["native", "cloudevents", "ocsf", "ecs"] as const;
export type BodyFormat = (typeof BODY_FORMATS)[number];

/** False: alerts of a group come one by one, not as digests; absent: as digests. */
interface MayGroup {
  readonly grouping?: boolean | undefined;
  /** Which later revisions of an alert it gets; absent: news for chats and mail, all for others. */
  readonly updates?: "all" | "news" | undefined;
}

/** What every sink has that opens connections. */
interface Dials extends LaneOptions, MayGroup {
  readonly name: string;
  readonly timeoutMs: number;
  /** CIDRs of private networks this sink may be in; loopback and RFC 1918 are refused unless listed. */
  readonly allowNetworks: readonly string[];
}

/** Read by people, often outside of the house. */
interface ReadByPeople {
  /** Says whose address is touched. Off: the message names the address only. */
  readonly customerReference: boolean;
}

/** Gets `system.heartbeat` each minute; absent: it does not. */
interface MayBeat {
  readonly heartbeat?: boolean | undefined;
}

/** A chat whose incoming webhook is a URL that is its own secret. */
export interface ChatHookSinkConfig<Kind extends "slack" | "teams" | "discord"> extends Dials, ReadByPeople {
  readonly kind: Kind;
  readonly url: string;
  readonly allowHttp: boolean;
}

export interface TelegramSinkConfig extends Dials, ReadByPeople {
  readonly kind: "telegram";
  /** Of a Bot API server of one's own; Telegram's where nothing is written. */
  readonly apiUrl: string;
  readonly token: string;
  /** A number, or `@name` of a public channel. */
  readonly chatId: string;
  readonly allowHttp: boolean;
}

export interface PagerdutySinkConfig extends Dials, ReadByPeople {
  readonly kind: "pagerduty";
  readonly apiUrl: string;
  /** The integration key of a service or event orchestration. */
  readonly routingKey: string;
  readonly allowHttp: boolean;
}

export interface SplunkSinkConfig extends Dials, MayBeat, TlsFiles {
  readonly kind: "splunk";
  /** Scheme, host and port of the collector. */
  readonly url: string;
  readonly token: string;
  readonly format: BodyFormat;
  readonly concurrency: number;
  /** Null: the token's own. */
  readonly index: string | null;
  readonly sourcetype: string;
  /** Waits until the indexers have it; false: until the collector took it. */
  readonly acknowledge: boolean;
  readonly allowHttp: boolean;
}

export interface SyslogSinkConfig extends Dials, MayBeat {
  readonly kind: "syslog";
  readonly host: string;
  readonly port: number;
  readonly format: BodyFormat;
  /** PEM files, absolute. Null: the system's authorities; no certificate of our own. */
  readonly caFile: string | null;
  readonly certFile: string | null;
  readonly keyFile: string | null;
}

export interface EmailSinkConfig extends Dials, ReadByPeople {
  readonly kind: "email";
  readonly host: string;
  readonly port: number;
  /** `starttls` and `tls` refuse to go on in clear; `none` is for a relay on this machine. */
  readonly tls: "starttls" | "tls" | "none";
  readonly login: { readonly user: string; readonly password: string } | null;
  readonly from: string;
  readonly to: readonly string[];
  /** PEM file, absolute; null: the system's authorities. */
  readonly caFile: string | null;
}

export interface FileSinkConfig extends MayBeat, MayGroup {
  readonly kind: "file";
  readonly name: string;
  /** Absolute. */
  readonly path: string;
  readonly format: BodyFormat;
}

export interface StdoutSinkConfig extends MayBeat, MayGroup {
  readonly kind: "stdout";
  readonly name: string;
  readonly format: BodyFormat;
}

export type FurtherSinkConfig =
  | ChatHookSinkConfig<"slack">
  | ChatHookSinkConfig<"teams">
  | ChatHookSinkConfig<"discord">
  | TelegramSinkConfig
  | PagerdutySinkConfig
  | SplunkSinkConfig
  | SyslogSinkConfig
  | EmailSinkConfig
  | FileSinkConfig
  | StdoutSinkConfig;
