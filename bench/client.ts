/** The measured process: one variant over one range of blocks, then one message with what it cost. Nothing else runs here. */
import { startReading } from "./reading.ts";

export interface ClientTask {
  readonly mode: "throughput" | "latency";
  readonly variant: string;
  readonly httpUrl: string;
  readonly wsUrl: string;
  /** The chain's blocks, ascending. The rest of its index stays out of this process's heap. */
  readonly chain: readonly { readonly number: number; readonly hash: string }[];
  /** See VariantInput. */
  readonly watchedFile: string;
  /** Blocks read before anything is measured: V8 compiles its hot code in them. */
  readonly warmUp: number;
  readonly blocks: number;
  /** Blocks under way at once. */
  readonly lanes: number;
}

export interface Throughput {
  readonly cpuMsPerBlock: number;
  readonly wallMsPerBlock: number;
  readonly peakRssMb: number;
  readonly hits: number;
  readonly startMs: number;
}

/** When each block was read, on the clock of `process.hrtime`. */
export type Latency = readonly { readonly number: number; readonly atNs: string }[];

export type ClientAnswer =
  | { readonly kind: "ready" }
  | { readonly kind: "throughput"; readonly throughput: Throughput }
  | { readonly kind: "latency"; readonly latency: Latency };

process.on("disconnect", () => process.exit(0));
await startReading(JSON.parse(process.argv[2] ?? "{}") as ClientTask, (answer: ClientAnswer) => process.send?.(answer));
process.disconnect();
