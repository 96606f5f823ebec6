/**
 * Splunk's HTTP Event Collector. With indexer acknowledgement a message is delivered once the indexers have it: what
 * the collector took and lost before that is sent again, under the same id. Its answers and codes:
 * help.splunk.com, "Troubleshoot HTTP Event Collector" and "About HTTP Event Collector Indexer Acknowledgment".
 */
import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import type { SplunkSinkConfig } from "../../types/sink-config.ts";
import type { SendOutcome, Sink, SinkMessage } from "../../types/sink.ts";
import { redactUrl } from "../../lib/redact.ts";
import { sleep } from "../../lib/sleep.ts";
import { formatBody } from "../formats/format.ts";
import { readNativeBody, unixMsOf } from "../native-body.ts";
import {
  answerField,
  checkedUrl,
  createHttpSink,
  type HttpAnswer,
  type HttpSinkDeps,
  type MoreOfSend,
  outcomeOfService,
  postJson,
  refusedForGood,
} from "../http-sink.ts";

// Indexers say yes after a second or so; asking more often is load for nothing.
const ACK_POLL_MS = 250;
const ACK_POLL_MAX_MS = 2_000;
const ACK_IS_DISABLED = 14;

export function createSplunkSink(config: SplunkSinkConfig, deps: HttpSinkDeps): Sink {
  const base = checkedUrl(config).href.replace(/\/$/, "");
  const url = new URL(`${base}/services/collector/event`);
  // One channel for as long as we run: acknowledgements are kept per channel.
  const channel = randomUUID();
  const ackUrl = new URL(`${base}/services/collector/ack?channel=${channel}`);
  const headers = { authorization: `Splunk ${config.token}`, "x-splunk-request-channel": channel };
  const askAck = (ackId: number) => postJson(ackUrl, { acks: [ackId] }, headers);

  async function acknowledged(ackId: number, taken: HttpAnswer, { post, signal }: MoreOfSend): Promise<SendOutcome> {
    for (let waitMs = ACK_POLL_MS; !signal.aborted; waitMs = Math.min(waitMs * 2, ACK_POLL_MAX_MS)) {
      const answer = await post(askAck(ackId));
      if (answer.status !== 200) return judge(answer);
      if (answerField(answer, "acks", String(ackId)) === true)
        return { result: "delivered", status: taken.status, excerpt: taken.excerpt };
      await sleep(waitMs, signal);
    }
    return {
      result: "retry",
      status: taken.status,
      error: `timed out after ${config.timeoutMs} ms: taken, but not acknowledged by the indexers`,
      afterMs: null,
      excerpt: taken.excerpt,
    };
  }

  function judge(answer: HttpAnswer): SendOutcome {
    const [code, text] = [answerField(answer, "code"), answerField(answer, "text")];
    if (code === ACK_IS_DISABLED) return withoutAcknowledgement(answer);
    const reason = answer.status >= 400 && typeof text === "string" ? `${text} (code ${String(code)})` : "";
    return outcomeOfService(answer, { url, now: deps.now(), reason });
  }

  const service = {
    description: `splunk ${redactUrl(config.url)}`,
    keepsState: false,
    secrets: [config.token],
    request: (message: SinkMessage) => postJson(url, eventOf(message, config, deps.version), headers),
    outcomeOf(answer: HttpAnswer, more: MoreOfSend) {
      const outcome = judge(answer);
      if (outcome.result !== "delivered" || !config.acknowledge) return outcome;
      const ackId = answerField(answer, "ackId");
      return typeof ackId === "number" ? acknowledged(ackId, answer, more) : withoutAcknowledgement(answer);
    },
  };
  return createHttpSink(service, config, deps);
}

function withoutAcknowledgement(answer: HttpAnswer): SendOutcome {
  return refusedForGood(
    answer,
    "the token has no indexer acknowledgement; switch it on in Splunk, or set acknowledge: false",
  );
}

function eventOf(message: SinkMessage, config: SplunkSinkConfig, version: string): object {
  const { timestamp } = readNativeBody(message.body);
  return {
    time: unixMsOf(timestamp, message.timestamp * 1_000) / 1_000,
    host: hostname(),
    source: "heistwatch",
    sourcetype: config.sourcetype,
    ...(config.index === null ? {} : { index: config.index }),
    event: JSON.parse(formatBody(config.format, message, version).text) as object,
    // Searchable without reading the event: the same id twice is the same message twice.
    fields: { webhook_id: message.webhookId },
  };
}
