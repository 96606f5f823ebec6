/** What was recorded of thefts and ships with heistwatch: whole blocks, and transactions that prove themselves. */
import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { z } from "zod";
import { ConfigError } from "../../lib/errors.ts";

/** Two levels below the package, from src/ and from dist/ alike. */
export const THEFTS_FOLDER = path.join(import.meta.dirname, "../../../watchlists/thefts");
export const RECORDED_EXTENSION = ".json.gz";

const hex = z.string().regex(/^([0-9a-f]{2})+$/);
const about = {
  format: z.literal("heistwatch-recorded/1"),
  incident: z.string(),
  chain: z.string(),
  /** For a person: what this is. */
  what: z.string(),
  source: z.string(),
};
const recordedSchema = z.union([
  z.strictObject({
    ...about,
    transaction: z.strictObject({ txid: z.string(), raw: hex, parents: z.record(z.string(), hex) }),
  }),
  z.strictObject({
    ...about,
    /** The node's answers: `eth_getBlockByNumber` with whole transactions, `eth_getBlockReceipts`. */
    block: z.strictObject({
      number: z.int(),
      answer: z.looseObject({ hash: z.string() }),
      receipts: z.array(z.unknown()),
    }),
  }),
]);
export type Recorded = z.output<typeof recordedSchema>;
export type RecordedBlock = Extract<Recorded, { block: unknown }>;
export type RecordedTransactionFile = Extract<Recorded, { transaction: unknown }>;

// A block of 60 M gas with its receipts is about 10 MB.
const BYTES_MAX = 64 * 1024 * 1024;

/** Throws ConfigError where a file is not what it should be. */
export async function loadRecorded(folder = THEFTS_FOLDER): Promise<Recorded[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith(RECORDED_EXTENSION)).toSorted();
  return Promise.all(names.map((name) => readRecorded(path.join(folder, name))));
}

async function readRecorded(file: string): Promise<Recorded> {
  try {
    const bytes = await promisify(gunzip)(await readFile(file), { maxOutputLength: BYTES_MAX });
    return recordedSchema.parse(JSON.parse(bytes.toString("utf8")));
  } catch (error) {
    throw new ConfigError(`${file} is not a recording that heistwatch can read: get it again with the package`, {
      cause: error,
    });
  }
}
