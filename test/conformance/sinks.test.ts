import { join } from "node:path";
import { afterAll } from "@jest/globals";
import { createSink } from "../../src/deliver/registry.ts";
import { createTempDir } from "../support/temp-dir.ts";
import { sinkConformance, type SinkUnderTest } from "./sink.ts";

const deps = { version: "0.0.0", now: () => 1_795_000_000_000, write: () => undefined };
const folder = createTempDir("sink-conformance");
afterAll(() => folder.remove());

const dials = { name: "sink", timeoutMs: 10_000, allowNetworks: ["127.0.0.0/8"] } as const;
const http = { ...dials, allowHttp: true, customerReference: false } as const;
const tcp = ({ url }: SinkUnderTest) => ({ ...dials, host: "127.0.0.1", port: Number(new URL(url).port) });

sinkConformance("webhook", ({ url, secrets }) =>
  createSink(
    {
      kind: "webhook",
      name: "siem",
      url,
      secrets: [secrets.signing],
      timeoutMs: 10_000,
      concurrency: 2,
      headers: { authorization: `Bearer ${secrets.header}` },
      allowNetworks: ["127.0.0.0/8"],
      allowHttp: true,
    },
    deps,
  ),
);

sinkConformance("console", () => createSink({ kind: "console", name: "screen" }, deps));
sinkConformance("slack", ({ url }) => createSink({ kind: "slack", url, ...http }, deps));
sinkConformance("teams", ({ url }) => createSink({ kind: "teams", url, ...http }, deps));
sinkConformance("discord", ({ url }) => createSink({ kind: "discord", url, ...http }, deps));
sinkConformance("telegram", ({ url, secrets }) =>
  createSink({ kind: "telegram", apiUrl: new URL(url).origin, token: secrets.header, chatId: "1", ...http }, deps),
);
sinkConformance("pagerduty", ({ url, secrets }) =>
  createSink({ kind: "pagerduty", apiUrl: new URL(url).origin, routingKey: secrets.header, ...http }, deps),
);
sinkConformance("splunk", ({ url, secrets }) =>
  createSink(
    {
      kind: "splunk",
      url: new URL(url).origin,
      token: secrets.header,
      format: "native",
      concurrency: 1,
      index: null,
      sourcetype: "_json",
      acknowledge: true,
      ...dials,
      allowHttp: true,
    },
    deps,
  ),
);
sinkConformance("syslog", (under) =>
  createSink({ kind: "syslog", format: "ecs", caFile: null, certFile: null, keyFile: null, ...tcp(under) }, deps),
);
sinkConformance("email", (under) =>
  createSink(
    {
      kind: "email",
      tls: "starttls",
      login: { user: "alerts", password: under.secrets.header },
      from: "heistwatch@example.com",
      to: ["desk@example.com"],
      caFile: null,
      customerReference: false,
      ...tcp(under),
    },
    deps,
  ),
);
sinkConformance("file", () =>
  createSink({ kind: "file", name: "lines", path: join(folder.path, "alerts.jsonl"), format: "native" }, deps),
);
sinkConformance("stdout", () => createSink({ kind: "stdout", name: "stdout", format: "native" }, deps));
