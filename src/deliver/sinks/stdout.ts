/** A message in, one line of JSON on standard output: for a log collector that reads what a container prints. */
import type { StdoutSinkConfig } from "../../types/sink-config.ts";
import type { Sink } from "../../types/sink.ts";
import { describeError } from "../../lib/errors.ts";
import { formatBody } from "../formats/format.ts";
import { retryLater } from "../send-clock.ts";

export interface StdoutSinkDeps {
  readonly version: string;
  readonly write: (text: string) => void;
}

export function createStdoutSink(config: StdoutSinkConfig, { version, write }: StdoutSinkDeps): Sink {
  return {
    name: config.name,
    kind: config.kind,
    keepsState: false,
    describe: () => "stdout",
    async send(message, signal) {
      if (signal.aborted) return retryLater("stopped before it was written");
      const { text } = formatBody(config.format, message, version);
      try {
        write(`${text}\n`);
      } catch (error) {
        return retryLater(`not written: ${describeError(error)}`);
      }
      return { result: "delivered", status: null, excerpt: "" };
    },
    close: () => Promise.resolve(),
  };
}
