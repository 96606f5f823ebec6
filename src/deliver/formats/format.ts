/** A message in, the JSON value that a machine receives out, in the vocabulary it asked for. Pure. */
import type { BodyFormat } from "../../types/sink-config.ts";
import type { SinkMessage } from "../../types/sink.ts";
import { readNativeBody } from "../native-body.ts";
import { cloudEventOf } from "./cloudevents.ts";
import { ecsOf } from "./ecs.ts";
import { ocsfOf } from "./ocsf.ts";

export interface FormattedBody {
  readonly contentType: string;
  /** One line of JSON. */
  readonly text: string;
}

/** `version`: our own, which the vocabularies of security events name. */
export function formatBody(format: BodyFormat, message: SinkMessage, version: string): FormattedBody {
  if (format === "native") return { contentType: "application/json", text: message.body };
  const body = readNativeBody(message.body);
  if (format === "cloudevents") {
    const text = JSON.stringify(cloudEventOf(body, message.webhookId));
    return { contentType: "application/cloudevents+json", text };
  }
  const makeEvent = format === "ocsf" ? ocsfOf : ecsOf;
  const event = makeEvent(body, { webhookId: message.webhookId, version, sentAt: message.timestamp * 1000 });
  return { contentType: "application/json", text: JSON.stringify(event) };
}
