/** Syslog and email: real TLS, real SMTP. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "@jest/globals";
import type { EmailSinkConfig, SyslogSinkConfig } from "../../src/types/sink-config.ts";
import { SMTP_LOGIN, startSmtp, type SmtpStub } from "../support/services/smtp.ts";
import { startSyslog, type SyslogStub } from "../support/services/syslog.ts";
import { createTempDir } from "../support/temp-dir.ts";
import { ELSEWHERE_TLS, LOCAL_TLS } from "../support/tls.ts";
import { alarmMessage, alertMessages, during, largestMessage, LOCAL, openSink, send } from "./sink-messages.ts";

const folder = createTempDir("tcp-sinks");
afterAll(() => folder.remove());
const pem = (name: string, text: string) => {
  const path = join(folder.path, name);
  writeFileSync(path, text);
  return path;
};
const caFile = pem("ca.pem", LOCAL_TLS.cert);
const elsewhereCa = pem("elsewhere.pem", ELSEWHERE_TLS.cert);

describe("syslog over TLS", () => {
  const sinkTo = ({ port }: SyslogStub, over: Partial<SyslogSinkConfig> = {}) =>
    openSink({
      kind: "syslog",
      name: "siem",
      host: "localhost",
      port,
      format: "ecs",
      caFile,
      certFile: null,
      keyFile: null,
      ...LOCAL,
      allowNetworks: ["127.0.0.0/8", "::1/128"],
      ...over,
    });

  test("each message arrives framed, escaped and within 8,192 octets", async () => {
    const collector = await during(startSyslog(LOCAL_TLS));
    const sink = sinkTo(collector);
    const messages = [...alertMessages('"]\\ [x@1 y="z"] \r\n<0>1'), largestMessage(), alarmMessage("system.degraded")];
    for (const message of messages) expect(await send(sink, message)).toMatchObject({ result: "delivered" });
    expect(collector.refused).toEqual([]);
    expect(collector.messages).toHaveLength(5);
    const [first, second] = collector.messages;
    expect(first).toMatchObject({ priority: 83, app: "heistwatch", msgId: "alert.created" });
    expect(first?.parameters.get("heistwatch@32473 label")).toBe('"]\\ [x@1 y="z"] <0>1');
    expect(JSON.parse(first?.text ?? "")).toMatchObject({ event: { kind: "alert", action: "alert.created" } });
    expect(second).toMatchObject({ msgId: "alert.retracted" });
    expect(collector.connections()).toBe(5);
  });

  test("a collector that resets the connection, or does not close it, has not got the message", async () => {
    const resetting = await during(startSyslog(LOCAL_TLS));
    resetting.misbehave("reset");
    expect(await send(sinkTo(resetting), alertMessages()[0])).toMatchObject({ result: "retry" });
    const hanging = await during(startSyslog(LOCAL_TLS));
    hanging.misbehave("hang");
    expect(await send(sinkTo(hanging, { timeoutMs: 500 }), alertMessages()[0])).toMatchObject({
      result: "retry",
      error: "timed out after 500 ms",
    });
  });

  test("a collector that is not trusted, or is somebody else, gets nothing", async () => {
    const collector = await during(startSyslog(LOCAL_TLS));
    const other = await during(startSyslog(ELSEWHERE_TLS));
    for (const sink of [sinkTo(collector, { caFile: null }), sinkTo(other, { caFile: elsewhereCa })]) {
      const outcome = await send(sink, alertMessages()[0]);
      expect(outcome).toMatchObject({ result: "retry", error: expect.stringMatching(/^TLS certificate not accepted/) });
    }
    expect([...collector.messages, ...other.messages]).toEqual([]);
  });

  test("shows our certificate where the collector asks for one", async () => {
    const strict = { ...LOCAL_TLS, requestCert: true, rejectUnauthorized: true, ca: LOCAL_TLS.cert };
    const collector = await during(startSyslog(strict));
    expect(await send(sinkTo(collector), alertMessages()[0])).toMatchObject({ result: "retry" });
    const ours = { certFile: caFile, keyFile: pem("key.pem", LOCAL_TLS.key) };
    expect(await send(sinkTo(collector, ours), alertMessages()[0])).toMatchObject({ result: "delivered" });
  });

  test("a private address that is not listed is never dialled", async () => {
    const collector = await during(startSyslog(LOCAL_TLS));
    const outcome = await send(sinkTo(collector, { allowNetworks: [], host: "127.0.0.1" }), alertMessages()[0]);
    expect(outcome).toMatchObject({ result: "retry", error: expect.stringContaining("refused to connect") });
    expect(collector.connections()).toBe(0);
  });
});

describe("email", () => {
  const sinkTo = ({ port }: SmtpStub, over: Partial<EmailSinkConfig> = {}) =>
    openSink({
      kind: "email",
      name: "desk",
      host: "localhost",
      port,
      tls: "starttls",
      login: SMTP_LOGIN,
      from: "heistwatch@exchange.example",
      to: ["ann@exchange.example", "bob@exchange.example"],
      caFile,
      customerReference: false,
      ...LOCAL,
      allowNetworks: ["127.0.0.0/8", "::1/128"],
      ...over,
    });
  const serve = (over: object = {}) => during(startSmtp({ ...LOCAL_TLS, ...over }));

  test("arrives over STARTTLS, with the same Message-ID at every attempt and no word from outside in a header", async () => {
    const server = await serve();
    const sink = sinkTo(server);
    const [created, retracted] = alertMessages("x\r\nBcc: victim@evil.example\r\n\r\nhttps://evil.example");
    for (const message of [created, created, retracted, largestMessage()])
      expect(await send(sink, message)).toMatchObject({ result: "delivered", status: 250 });
    expect(server.mails).toHaveLength(4);
    expect(server.mails[1]?.raw).toContain(`Message-ID: <${created.webhookId}@heistwatch>`);
    const [first] = server.mails;
    expect(first).toMatchObject({
      from: "heistwatch@exchange.example",
      to: ["ann@exchange.example", "bob@exchange.example"],
      secure: true,
      user: "alerts",
    });
    const [head = "", text = ""] = first?.raw.split("\r\n\r\n") ?? [];
    expect(head).toContain(`Message-ID: <${created.webhookId}@heistwatch>`);
    expect(head).not.toMatch(/^bcc:/im);
    expect(head).not.toContain("evil");
    expect(text).not.toMatch(/evil\.example|https:/);
    expect(first?.raw).not.toContain("deposit-88121");
    expect(server.mails[2]?.raw).toContain("Retracted: exposure on ethereum");
  });

  test("TLS from the first byte works the same", async () => {
    const server = await serve({ secure: true });
    expect(await send(sinkTo(server, { tls: "tls" }), alertMessages()[0])).toMatchObject({ result: "delivered" });
    expect(server.mails[0]).toMatchObject({ secure: true });
  });

  test("nothing is sent in clear, nor to a server that is not trusted or is somebody else", async () => {
    const plain = await serve({ disabledCommands: ["STARTTLS"], authOptional: true });
    const trusted = await serve();
    const other = await during(startSmtp(ELSEWHERE_TLS));
    const sinks = [
      sinkTo(plain),
      sinkTo(plain, { login: null }),
      sinkTo(trusted, { caFile: null }),
      sinkTo(other, { caFile: elsewhereCa }),
    ];
    for (const sink of sinks) expect(await send(sink, alertMessages()[0])).toMatchObject({ result: "retry" });
    expect([...plain.mails, ...trusted.mails, ...other.mails]).toEqual([]);
  });

  test("tls: none is for a relay that takes it so", async () => {
    const server = await serve({ disabledCommands: ["STARTTLS"], authOptional: true });
    const sink = sinkTo(server, { tls: "none", login: null });
    expect(await send(sink, alertMessages()[0])).toMatchObject({ result: "delivered" });
  });

  test("a recipient who is put off is asked again alone; the other one gets it once", async () => {
    const server = await serve();
    const sink = sinkTo(server);
    const [created] = alertMessages();
    server.answerRecipient("bob@exchange.example", 451);
    expect(await send(sink, created)).toMatchObject({
      result: "retry",
      status: 451,
      error: expect.stringContaining("1 of 2 recipients put off: bob@exchange.example"),
    });
    server.answerRecipient("bob@exchange.example", 0);
    expect(await send(sink, created)).toMatchObject({ result: "delivered" });
    expect(server.mails.map(({ to }) => to)).toEqual([["ann@exchange.example"], ["bob@exchange.example"]]);
  });

  test("a recipient who is refused for good makes a dead letter that names them, after those put off", async () => {
    const server = await serve();
    const sink = sinkTo(server);
    const [created] = alertMessages();
    server.answerRecipient("ann@exchange.example", 550);
    server.answerRecipient("bob@exchange.example", 450);
    expect(await send(sink, created)).toMatchObject({ result: "retry", status: 450 });
    server.answerRecipient("bob@exchange.example", 0);
    expect(await send(sink, created)).toMatchObject({
      result: "rejected",
      status: 550,
      error: expect.stringContaining("1 of 2 recipients refused: ann@exchange.example (550 No: ann@exchange.example"),
    });
    expect(server.mails.map(({ to }) => to)).toEqual([["bob@exchange.example"]]);
  });

  test.each([
    [452, "retry"],
    [554, "rejected"],
  ])("a message answered with %i: %s", async (code, result) => {
    const server = await serve();
    server.answerMessage(code);
    expect(await send(sinkTo(server), alertMessages()[0])).toMatchObject({ result, status: code });
  });

  test("a login that is refused is tried again, and the password is not told", async () => {
    const server = await serve();
    const login = { user: "alerts", password: "wrong-password-canary" };
    const outcome = await send(sinkTo(server, { login }), alertMessages()[0]);
    expect(outcome).toMatchObject({ result: "retry", status: 535 });
    expect(JSON.stringify(outcome)).not.toContain("canary");
  });
});
