/** `heistwatch sinks list` and `sinks test`, as an operator runs them. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "@jest/globals";
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
