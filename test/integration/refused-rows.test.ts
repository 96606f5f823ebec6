/**
 * Rows of our own files that nobody should watch: services, burn addresses, own ones. They are left out, told and written
 * down, once while they stay the same; everything else of the file holds. With the shipped services, and a real store.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { SystemBody } from "../../src/alerts/body-schema.ts";
import { normalizeAddress } from "../../src/chains/registry.ts";
import { createListHygiene } from "../../src/daemon/address-hygiene.ts";
import { auditUnusable } from "../../src/daemon/import-refused.ts";
import { importFiles, previewImport } from "../../src/daemon/watch-import.ts";
import { retellPorts } from "../../src/daemon/watch-ports.ts";
import { migrate, type OpenStore } from "../../src/store/database.ts";
import { createWatchStore, type WatchStore } from "../../src/store/watch-store.ts";
import type { WatchEntry } from "../../src/types/watch.ts";
import { entryDigest } from "../../src/watchlist/import-rules.ts";
import { loadWatchlists } from "../../src/watchlist/load.ts";
import { createOwnIndex } from "../../src/watchlist/own-index.ts";
import { isMatched } from "../../src/watchlist/snapshot.ts";
import { onEachStore } from "../support/each-store.ts";
import { createTempDir, type TempDir } from "../support/temp-dir.ts";

const CHAIN = "eip155:1";
const THIEF = "0x1111111111111111111111111111111111111111";
const OWN = "0x2222222222222222222222222222222222222222";
const FENCE = "0x3333333333333333333333333333333333333333";
const BURN = "0x000000000000000000000000000000000000dEaD";
// 1inch, of watchlists/services/aggregator.yaml.
const ROUTER = "0x1111111254EEB25477B68fb85Ed929f73A960582";
const NOW = Date.parse("2026-11-22T10:00:00Z");

interface Row {
  readonly address: string;
  readonly label?: string;
  readonly default?: "on" | "off";
  readonly sanctioned?: true;
}

onEachStore("refusedrows", (name, open) => {
  describe(`${name}: rows of a file that nobody should watch`, () => {
    let opened: OpenStore;
    let close: () => Promise<void>;
    let folder: TempDir;
    let watch: WatchStore;
    let serial = 0;
    let file = "";
    let list = "";

    beforeAll(async () => {
      ({ opened, close } = await open());
      await migrate(opened.db);
      watch = createWatchStore(opened.db, {
        ...retellPorts([]),
        entryDigest,
        isMatched: (entry) => isMatched(entry, new Set()),
      });
      folder = createTempDir("refused-rows");
    }, 120_000);
    afterAll(async () => {
      await close();
      await folder.remove();
    });
    beforeEach(() => {
      // Of this test alone: a file that is gone would be a change of its own.
      if (file !== "") rmSync(file);
      serial += 1;
      list = `heist-${serial}`;
      file = join(folder.path, `${list}.yaml`);
    });

    function write(rows: readonly Row[]): void {
      const incident = { id: list, name: "A heist", kind: "theft", date: "2026-11-01", disputed: false };
      const entries = rows.map(({ sanctioned, ...row }) => ({
        chain: CHAIN,
        role: "theft",
        label: "a thief",
        basis: sanctioned ? "sanctions" : "researcher",
        confidence: "named_by_researcher",
        independentSources: 1,
        default: "on",
        sources: [{ ref: "s1", label: null }],
        ...(sanctioned ? { sanctioned: { list: "OFAC SDN", source: "s1" } } : {}),
        ...row,
      }));
      const sources = { s1: "https://example.org/report" };
      const head = { format: "heistwatch/1", list, version: "2026-11-22", incident, sources };
      // JSON is YAML too.
      writeFileSync(file, JSON.stringify({ ...head, entries }));
    }

    const own = createOwnIndex([{ chain: CHAIN, address: OWN, customerRef: null, wallet: "hot" }]);
    const refusedOf = createListHygiene(() => Promise.resolve(own));
    const log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
    const loaded = () => loadWatchlists({ paths: [file], normalizeAddress });
    const imported = async (refused = refusedOf) => {
      const files = await loaded();
      expect(files.problems).toEqual([]);
      const isOwn = (_chain: string, address: string) => address === OWN;
      const deps = { store: watch, rules: new Map(), operationSinks: ["pager"], now: () => NOW, log, isOwn };
      return importFiles(files, { ...deps, refusedOf: refused });
    };
    const watched = async () => {
      const found = (await watch.read()).lists.find((one) => one.list === list);
      return (found?.entries ?? []).map(({ address }: WatchEntry) => address);
    };
    const trail = async () => (await watch.history({ limit: 100 })).filter(({ subject }) => subject === file);
    const pages = async () => {
      const rows = await opened.db.selectFrom("message").select("body").where("body", "like", `%${list}%`).execute();
      return rows
        .map(({ body }) => JSON.parse(body) as SystemBody)
        .filter(({ type }) => type === "watchlist.importRefused")
        .map(({ data }) => data.summary);
    };

    test("are left out and told once; all others hold, and so do those that tell nothing or are sanctioned", async () => {
      const rows: Row[] = [{ address: THIEF }, { address: BURN }, { address: ROUTER }, { address: OWN }];
      write(rows);
      const files = await loaded();
      const preview = await previewImport(files, { store: watch, now: () => NOW, refusedOf });
      expect(preview.find((one) => one.list === list)?.added).toEqual([`${list}/${CHAIN}/${THIEF}`]);
      for (let look = 0; look < 3; look += 1) await imported();
      expect(await watched()).toEqual([THIEF]);
      const [page, ...more] = await pages();
      expect(more).toEqual([]);
      for (const address of [BURN, ROUTER, OWN]) expect(page).toContain(address);
      expect(page).toContain("All other rows hold");
      expect(await trail()).toMatchObject([{ action: "refuse import" }]);

      write([...rows, { address: FENCE }]);
      await imported();
      expect([(await watched()).length, (await pages()).length]).toEqual([2, 1]);
      write([
        { address: THIEF },
        { address: BURN, sanctioned: true },
        { address: ROUTER, default: "off" },
        { address: FENCE },
      ]);
      await imported();
      expect((await watched()).toSorted()).toEqual([BURN, ROUTER, THIEF, FENCE].toSorted());
      expect(await pages()).toHaveLength(1);
    });

    test("that are watched already stay so, and are told", async () => {
      write([{ address: THIEF }, { address: ROUTER }]);
      // Nobody called it a service when it was first read.
      await imported(() => Promise.resolve([]));
      await imported();
      expect((await watched()).toSorted()).toEqual([THIEF, ROUTER].toSorted());
      expect(await pages()).toEqual([expect.stringContaining("(watched already)")]);
      // It is not taken for a row that is gone.
      const proposals = await watch.proposals({ state: "open", limit: 10 });
      expect(proposals.filter(({ change }) => change.list === list)).toEqual([]);
    });

    test("a file that is wrong is written down once for each content that it had", async () => {
      const look = async (text: string) => {
        writeFileSync(file, text);
        const { problems } = await loaded();
        expect(problems).not.toEqual([]);
        await auditUnusable(watch, { problems, now: NOW });
      };
      for (const text of ["{", "{", "{{", "{"]) await look(text);
      expect(await trail()).toHaveLength(3);
      expect((await trail())[0]).toMatchObject({ action: "refuse import", why: expect.stringContaining(file) });
    });
  });
});
