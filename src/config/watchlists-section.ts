/** The section `watchlists` of the configuration: whom to watch, and what single lists must be. */
import { z } from "zod";
import { filePath, list, section, text, wholeNumber } from "./fields.ts";

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

export const watchlists = () =>
  section({
    paths: list(filePath(), "a list of files or folders")
      .default(["../watchlists"])
      .describe("Watchlists: files, or folders read for *.yaml."),
    own: list(filePath(), "a list of files or folders")
      .default(["../watchlists/own"])
      .describe("Your own addresses: files or folders."),
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
