/** The driver under every format: what is held, who else may run, what is known of the bytes. */
import { createHash } from "node:crypto";
import { appendFile, readdir, readlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { expect, test } from "@jest/globals";
import { normalizeAddress } from "../../../src/chains/registry.ts";
import type { ImportFormat, WatchEntryInput } from "../../../src/types/watchlist-format.ts";
import { addressText } from "../../../src/watchlist/formats/address-list.ts";
import { stix } from "../../../src/watchlist/formats/stix.ts";
import { readListFile, type ReadEnd } from "../../../src/watchlist/read-list.ts";
import { IMPORT_OPTIONS, importText, withFolder } from "../../support/import-text.ts";

const lines = (count: number) =>
  Array.from({ length: count }, (_, n) => `0x${(n + 4096).toString(16).padStart(40, "0")}\n`).join("");

async function drain(file: string, onBatch: (rows: readonly WatchEntryInput[]) => unknown): Promise<ReadEnd> {
  const batches = readListFile(file, { format: addressText, options: { ...IMPORT_OPTIONS, file }, normalizeAddress });
  for (;;) {
    const step = await batches.next();
    if (step.done === true) return step.value;
    await onBatch(step.value);
  }
}

test("rows come in batches of a chunk, in the order of the file, and the digests are those of its bytes", async () => {
  await withFolder(async (folder) => {
    const file = path.join(folder, "list.txt");
    await writeFile(file, lines(20_000));
    const sizes: number[] = [];
    const seen: number[] = [];
    const end = await drain(file, (rows) => {
      sizes.push(rows.length);
      seen.push(...rows.map(({ line }) => line));
    });
    expect(sizes.length).toBeGreaterThan(10);
    expect(Math.max(...sizes)).toBeLessThan(2000);
    expect(seen).toEqual(Array.from({ length: 20_000 }, (_, n) => n + 1));
    expect(end.bytes).toBe(lines(20_000).length);
    expect(end.sha256).toBe(createHash("sha256").update(lines(20_000)).digest("hex"));
    expect(Buffer.from(end.blake2b512)).toEqual(createHash("blake2b512").update(lines(20_000)).digest());
  });
});

test("other work runs between chunks, and between the objects of a document that is read whole", async () => {
  const wallets = Array.from(
    { length: 3000 },
    (_, n) =>
      `{"type":"cryptocurrency-wallet","id":"cryptocurrency-wallet--${n}","value":"0x${(n + 4096).toString(16).padStart(40, "0")}"}`,
  );
  let turn = 0;
  const count = () => {
    turn += 1;
    handle = setImmediate(count);
  };
  let handle = setImmediate(count);
  /** How often something was done in one turn of the event loop, at the most. */
  const mostInTurn = async (format: ImportFormat, text: string) => {
    const inTurn = new Map<number, number>();
    const tick = () => inTurn.set(turn, (inTurn.get(turn) ?? 0) + 1);
    const { list } = await importText(text, { format: watched(format, tick) });
    expect(list?.entries.length).toBeGreaterThanOrEqual(3000);
    expect(inTurn.size).toBeGreaterThan(5);
    return Math.max(...inTurn.values());
  };
  try {
    expect(await mostInTurn(addressText, lines(20_000))).toBeLessThan(10);
    expect(await mostInTurn(stix, `{"type":"bundle","objects":[${wallets.join(",")}]}`)).toBeLessThan(50);
  } finally {
    clearImmediate(handle);
  }
});

/** The format, telling of every piece and step. */
function watched(format: ImportFormat, tick: () => void): ImportFormat {
  return {
    ...format,
    createReader(context) {
      const reader = format.createReader(context);
      return {
        write(text) {
          tick();
          reader.write(text);
        },
        *finish() {
          const steps = reader.finish();
          for (;;) {
            tick();
            const step = steps.next();
            if (step.done === true) return step.value;
            yield;
          }
        },
      };
    },
  };
}

test("a file that grows past its limit while it is read is refused", async () => {
  await withFolder(async (folder) => {
    const file = path.join(folder, "list.txt");
    await writeFile(file, lines(5000));
    const format = { ...addressText, maxBytes: lines(5000).length };
    const batches = readListFile(file, { format, options: { ...IMPORT_OPTIONS, file }, normalizeAddress });
    await batches.next();
    await appendFile(file, lines(5000));
    let step = await batches.next();
    while (step.done !== true) step = await batches.next();
    expect(step.value.head).toBeNull();
    expect(step.value.problems).toMatchObject([{ found: "a larger file" }]);
  });
});

test("a reader that stops early leaves the file closed", async () => {
  await withFolder(async (folder) => {
    const file = path.join(folder, "list.txt");
    await writeFile(file, lines(20_000));
    const batches = readListFile(file, { format: addressText, options: { ...IMPORT_OPTIONS, file }, normalizeAddress });
    await batches.next();
    await batches.return(undefined as never);
    expect(await openFiles()).not.toContain(file);
  });
});

/** On Linux: what this process holds open. */
async function openFiles(): Promise<readonly string[]> {
  const names = await readdir("/proc/self/fd").catch(() => []);
  return Promise.all(names.map((name) => readlink(`/proc/self/fd/${name}`).catch(() => "")));
}
