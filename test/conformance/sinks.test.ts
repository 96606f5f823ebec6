import { createSink } from "../../src/deliver/registry.ts";
import { sinkConformance } from "./sink.ts";

const deps = { version: "0.0.0", now: () => 1_795_000_000_000, write: () => undefined };

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
