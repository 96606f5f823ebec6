import { describe, expect, test } from "@jest/globals";
import { createSink } from "../../../src/deliver/registry.ts";
import { ConfigError } from "../../../src/lib/errors.ts";
import type { SinkConfig, WebhookSinkConfig } from "../../../src/types/config.ts";

const deps = { version: "1.2.3", now: () => 0, write: () => undefined };
const WEBHOOK: WebhookSinkConfig = {
  kind: "webhook",
  name: "siem",
  url: "https://hooks.example:8443/T0/path-secret?token=query-secret",
  secrets: [`whsec_${Buffer.alloc(32, 1).toString("base64")}`],
  timeoutMs: 15_000,
  concurrency: 4,
  headers: { authorization: "Bearer header-secret" },
  allowNetworks: [],
  allowHttp: false,
};

describe("createSink", () => {
  test("makes the kind that is configured", () => {
    const configs: SinkConfig[] = [WEBHOOK, { kind: "console", name: "screen" }];
    expect(configs.map((config) => createSink(config, deps)).map(({ kind, name }) => [kind, name])).toEqual([
      ["webhook", "siem"],
      ["console", "screen"],
    ]);
  });

  test("a webhook describes itself by its host only", () => {
    expect(createSink(WEBHOOK, deps).describe()).toBe("webhook https://hooks.example:8443/…");
  });

  test.each<[string, Partial<WebhookSinkConfig>, string]>([
    ["no URL", { url: "hooks.example/x" }, "url is not a URL"],
    ["another scheme", { url: "ftp://hooks.example/query-secret" }, "url must be https"],
    ["plain http", { url: "http://hooks.example/?token=query-secret" }, "url is plain http"],
    ["credentials in the URL", { url: "https://user:query-secret@hooks.example/" }, "url holds credentials"],
    ["no secret", { secrets: [] }, "needs a secret"],
    ["a secret that is none", { secrets: ["query-secret"] }, "must start with whsec_"],
    ["a network that is none", { allowNetworks: ["intern"] }, "is not a network"],
    ["a header of ours", { headers: { "Webhook-Signature": "query-secret" } }, "is set by heistwatch itself"],
    ["a header of HTTP's", { headers: { "transfer-encoding": "chunked" } }, "is set by heistwatch itself"],
    [
      "a header value that breaks the line",
      { headers: { "x-a": "query-secret\r\nx-b: 1" } },
      "not a valid HTTP header",
    ],
    ["a header name that is none", { headers: { "x a": "query-secret" } }, "not a valid HTTP header"],
  ])("%s is a configuration error that shows no secret", (_name, over, text) => {
    let caught: unknown;
    try {
      createSink({ ...WEBHOOK, ...over }, deps);
    } catch (error) {
      caught = error;
    }
    expect(caught).toBeInstanceOf(ConfigError);
    expect(String(caught)).toContain(text);
    expect(String(caught)).not.toContain("query-secret");
  });
});
