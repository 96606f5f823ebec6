/** Messages whose every word from outside was written by an adversary: real folds of hits, and operational messages. */
import fc from "fast-check";
import type { SystemBody } from "../../../src/alerts/body-schema.ts";
import type { SinkMessage } from "../../../src/types/sink.ts";
import { entryMatch, ETH, event, foldGroups, hit, SPAM, THIEF } from "../alerts/make.ts";

/** Markup, links and mentions of every sink, line breaks of headers and frames, marks that turn text around. */
const WEAPONS = [
  "<!channel>",
  "<@U012AB3CD>",
  "<https://evil.example/x|click>",
  "@everyone",
  "@here",
  "<@&1234>",
  "[click](https://evil.example)",
  "https://evil.example/login?a=1",
  "evil.example",
  "mail@evil.example",
  "**bold** __u__ ~~s~~ ||spoiler||",
  "`code` ```js",
  "<b>bold</b><a href='https://evil.example'>x</a>",
  "</b></i>",
  "&lt;&amp;&#60;",
  "#hashtag $CASH /start",
  ":warning: <:e:1> <t:1>",
  "<at>everyone</at>",
  "\r\nBcc: victim@evil.example\r\n\r\n",
  "\n.\nQUIT\n",
  '"]\\" [x@1 a="b"]',
  "\u202egnp.exe",
  "\u2066\u200b\ufeff\u{e0041}",
  "\u0000\u001b[31m\u0007",
  "\ud800",
  "\u2028\u2029\u0085",
  "盗".repeat(40),
  `a${"\u0301".repeat(60)}`,
  "A".repeat(60),
  "{{constructor}} ${7*7} %0d%0a",
];

export const hostileText = fc
  .array(fc.oneof(fc.constantFrom(...WEAPONS), fc.string({ unit: "binary", maxLength: 40 })), { maxLength: 8 })
  .map((parts) => parts.join(" "));

const hostileMatch = fc
  .record({ label: hostileText, incident: hostileText, ref: hostileText, list: hostileText, name: hostileText })
  .map(({ label, incident, ref, list, name }) =>
    entryMatch(
      {
        id: `${list}/${THIEF}`.slice(0, 500),
        label: label.slice(0, 200),
        incident: incident.slice(0, 60) || "x",
        sources: Array.from({ length: 6 }, () => ({ ref: ref.slice(0, 400), label: null })),
        sanctioned: { list: list.slice(0, 100), source: ref.slice(0, 400) },
      },
      { name: name.slice(0, 100), attribution: label.slice(0, 200) },
    ),
  );

const MESSAGE = { webhookId: "msg_7zk4q2m6t3xw5b8n1c9d0e2f4g", timestamp: 1_795_000_000 } as const;

/** An alert with up to 30 transfers, then its retraction where `retracted`. */
export const hostileAlert: fc.Arbitrary<SinkMessage> = fc
  .record({
    matches: fc.array(hostileMatch, { minLength: 1, maxLength: 12 }),
    symbol: hostileText,
    transfers: fc.constantFrom(1, 2, 30),
    amount: fc.bigInt(0n, 2n ** 256n - 1n),
    listed: fc.boolean(),
    retracted: fc.boolean(),
  })
  .map(({ matches, symbol, transfers, amount, listed, retracted }) => {
    const asset = listed ? { ...ETH, symbol } : { ...SPAM, symbol };
    const hits = Array.from({ length: transfers }, (_, index) => hit({ key: `log:${index}`, matches, asset, amount }));
    const groups = [hits.map((one) => event("included", one))];
    if (retracted) groups.push(hits.map((one) => event("removed", one)));
    const message = foldGroups(groups).at(-1)?.message;
    if (message === null || message === undefined) throw new Error("no message was made");
    return { ...MESSAGE, type: message.type, severity: message.severity, body: message.body };
  });

export const hostileAlarm: fc.Arbitrary<SinkMessage> = fc
  .record({
    subject: hostileText,
    summary: fc.array(hostileText, { maxLength: 40 }).map((parts) => parts.join(" ")),
    detail: fc.dictionary(hostileText, hostileText, { maxKeys: 60 }),
    type: fc.constantFrom(
      "system.degraded",
      "system.recovered",
      "endpoint.failing",
      "watchlist.scanned",
    ) as fc.Arbitrary<SystemBody["type"]>,
  })
  .map(({ type, ...of }) => {
    const at = "2026-11-22T10:15:02.114Z";
    const body: SystemBody = {
      type,
      timestamp: at,
      schemaVersion: "1",
      replay: false,
      test: false,
      data: { ...of, severity: "high", since: at },
    };
    return { ...MESSAGE, type: body.type, severity: "high", body: JSON.stringify(body) };
  });

export const hostileMessage = fc.oneof({ arbitrary: hostileAlert, weight: 3 }, { arbitrary: hostileAlarm, weight: 1 });
