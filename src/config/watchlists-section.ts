/** The section `watchlists` of the configuration: whom to watch, and what single lists must be. */
import { z } from "zod";
import { checkHarmlessUrl, checkUrl, DATABASE_URL } from "./checks.ts";
import { filePath, list, section, text, value, wholeNumber } from "./fields.ts";
import type { ReadEnv } from "./secrets.ts";

const listRules = () =>
  section({
    maxAgeDays: wholeNumber(1, 3_650)
      .nullable()
      .default(null)
      .describe("Days from the list's own date after which it is stale: an alarm, and `fresh: false`. null: any age."),
    keys: list(filePath(), "a list of files")
      .max(8, { error: "at most 8 keys" })
      .default([])
      .describe("Files of minisign public keys. With any, a version without a signature of one of them is refused."),
    canaries: list(text(/^[^\0]{1,200}$/, "a text of 1 to 200 characters"), "a list of texts")
      .max(50, { error: "at most 50 texts" })
      .default([])
      .describe("Texts that never leave the real list: a version without one of them is refused."),
  });

const ownDatabase = (readEnv: ReadEnv) =>
  section({
    url: value({
      readEnv,
      allowed: DATABASE_URL.allowed,
      check: checkUrl(DATABASE_URL),
      checkWritten: checkHarmlessUrl,
    }).describe("PostgreSQL server that knows your own addresses; a role that may only read is enough."),
    query: text(/^\s*(select|with|table)\b[^;\0]{1,10000}$/i, "one select statement without a semicolon").describe(
      "Gives the columns chain, address, customer_ref and wallet; each row is checked as a row of a file.",
    ),
    refreshMinutes: wholeNumber(1, 1_440).default(15).describe("How often it is read again."),
  });

export const watchlists = (readEnv: ReadEnv) =>
  section({
    paths: list(filePath(), "a list of files or folders")
      .default(["../watchlists"])
      .describe("Watchlists: files, or folders read for *.yaml."),
    own: list(filePath(), "a list of files or folders")
      .default(["../watchlists/own"])
      .describe("Your own addresses: files or folders."),
    ownDatabase: ownDatabase(readEnv)
      .nullable()
      .default(null)
      .describe("Own addresses from a database, beside those of files; what a file says of an address stands."),
    tokens: filePath().default("./tokens.yaml").describe("Tokens known by contract."),
    enable: list(text(/^\S{1,128}$/, "the id of an incident or list"), "a list of incident or list ids")
      .default([])
      .describe("Incidents or lists whose entries with `default: off` are watched too."),
    rules: z
      .record(text(/^[a-z0-9][a-z0-9-]{0,63}$/, "the id of a list"), listRules(), {
        error: "a mapping of list ids to their rules",
      })
      .default({})
      .describe("What single lists must be, by list id."),
  });
