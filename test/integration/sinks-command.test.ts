/** `heistwatch sinks list`, `sinks test` and `sinks keygen`, as an operator runs them. */
import { spawn } from "node:child_process";
import { createPublicKey, verify } from "node:crypto";
import { once } from "node:events";
import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "@jest/globals";
import { Webhook } from "standardwebhooks";
import { signHeaders } from "../../src/deliver/signing.ts";
import { startReceiver, TEST_WEBHOOK_SECRET } from "../support/receiver.ts";
import { PAGERDUTY_KEY, startPagerduty } from "../support/services/pagerduty.ts";
import { SLACK_PATH, startSlack } from "../support/services/slack.ts";
import { createTempDir } from "../support/temp-dir.ts";
import { during } from "./sink-messages.ts";

const ROOT = join(import.meta.dirname, "../..");
const folder = createTempDir("sinks-command");
afterAll(() => folder.remove());

async function heistwatch(args: readonly string[], env: Record<string, string>) {
  const child = spawn(process.execPath, [join(ROOT, "src/cli/main.ts"), "sinks", ...args], {
    env: { PATH: process.env["PATH"], NODE_NO_WARNINGS: "1", ...env },
    cwd: folder.path,
  });
  const output: string[] = [];
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk: Buffer) => output.push(chunk.toString()));
  const [code] = (await once(child, "close")) as [number];
  return { code, output: output.join("") };
}

test("every sink is listed without its secrets, and tested through its real path", async () => {
  const [desk, chat, pager] = [
    await during(startReceiver()),
    await during(startSlack()),
    await during(startPagerduty()),
  ];
  const file = join(folder.path, "config/heistwatch.yaml");
  const local = "allowHttp: true, allowNetworks: [127.0.0.0/8]";
  mkdirSync(join(folder.path, "config"));
  cpSync(join(ROOT, "config/chains"), join(folder.path, "config/chains"), { recursive: true });
  writeFileSync(
    file,
    [
      "chains: { ethereum: { nodes: [{ name: a, http: http://127.0.0.1:8545 }] } }",
      "sinks:",
      "  alerts:",
      `    - { kind: webhook, name: desk, url: "${desk.url}", secrets: [{ env: DESK_SECRET }], ${local} }`,
      `    - { kind: slack, name: chat, url: { env: SLACK_URL }, ${local} }`,
      "  operations:",
      `    - { kind: pagerduty, name: pager, routingKey: { env: PAGER_KEY }, apiUrl: "${pager.origin}", ${local} }`,
    ].join("\n"),
  );
  const env = { DESK_SECRET: TEST_WEBHOOK_SECRET, SLACK_URL: `${chat.origin}${SLACK_PATH}`, PAGER_KEY: PAGERDUTY_KEY };

  const listed = await heistwatch(["list", "--config", file], env);
  expect(listed.code).toBe(0);
  expect(listed.output).toMatch(/desk +webhook +alerts .*\n.*chat +slack +alerts .*\n.*pager +pagerduty +operations /);

  const tested = await heistwatch(["test", "--config", file], env);
  expect(tested.output).toMatch(/desk .*delivered \(204\)[^]*chat .*delivered \(200\)[^]*pager .*delivered \(202\)/);
  expect(tested.code).toBe(0);
  expect(desk.requests.map(({ verified, body }) => [verified, (body as { test: boolean }).test])).toEqual([
    [true, true],
  ]);
  expect(chat.requests[0]?.raw).toContain("TEST, nothing happened");
  expect([...pager.incidents.values()]).toEqual(["resolved"]);

  chat.answerNext({ status: 404, body: "no_service" });
  const refused = await heistwatch(["test", "chat", "--config", file], env);
  expect(refused.output).toContain("answered 404: no_service");
  expect(refused.code).toBe(1);
  expect(pager.requests).toHaveLength(2);
  for (const { output } of [listed, tested, refused])
    for (const secret of [SLACK_PATH, PAGERDUTY_KEY, TEST_WEBHOOK_SECRET]) expect(output).not.toContain(secret);
  expect((await heistwatch(["test", "nobody", "--config", file], env)).output).toContain(
    "there are: desk, chat, pager",
  );
});

test("keygen makes keys that both sides can use as they are, each time others", async () => {
  interface Keys {
    readonly v1: { readonly secret: string };
    readonly v1a: { readonly privateKey: string; readonly publicKey: string };
  }
  const [one, other] = await Promise.all(
    [1, 2].map(async () => JSON.parse((await heistwatch(["keygen", "--json"], {})).output) as Keys),
  );
  const { v1, v1a } = one as Keys;
  const body = '{"type":"alert.created"}';
  const timestamp = Math.floor(Date.now() / 1_000);
  const secrets = [v1.secret, v1a.privateKey];
  const headers = signHeaders({ webhookId: "msg_1", timestamp, body: Buffer.from(body), secrets });
  expect(() => new Webhook(v1.secret).verify(body, { ...headers })).not.toThrow();
  const publicKey = createPublicKey({
    key: {
      kty: "OKP",
      crv: "Ed25519",
      x: Buffer.from(v1a.publicKey.slice("whpk_".length), "base64").toString("base64url"),
    },
    format: "jwk",
  });
  const signature = headers["webhook-signature"].split(" v1a,")[1] ?? "";
  const signed = Buffer.from(`msg_1.${timestamp}.${body}`);
  expect(verify(null, signed, publicKey, Buffer.from(signature, "base64"))).toBe(true);
  const all = [one, other].flatMap((keys) => [keys?.v1.secret, keys?.v1a.privateKey, keys?.v1a.publicKey]);
  expect(new Set(all).size).toBe(6);
  // As a person reads it: the private keys for us, the public one for the receiver.
  const text = await heistwatch(["keygen"], {});
  expect([text.code, text.output]).toEqual([
    0,
    expect.stringMatching(/whsec_\S+[^]*whsk_\S+[^]*whpk_\S+[^]*secrets: \[/),
  ]);
});
