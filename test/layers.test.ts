import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { findLayerViolations } from "./support/layer-rules.ts";
import { createTempDir } from "./support/temp-dir.ts";

/** A small tree in which every rule holds. */
const GOOD_TREE: Readonly<Record<string, string>> = {
  "types/chain.ts":
    'import type { Log } from "./log.ts";\nimport type { ZodType } from "zod";\nexport type A = [Log, ZodType];',
  "types/log.ts": "export interface Log { a: 1 }",
  "lib/sleep.ts": 'import type { Log } from "../types/log.ts";\nexport const sleep = (log: Log) => log;',
  "match/matcher.ts":
    'import { sleep } from "../lib/sleep.ts";\nimport { b } from "./b.ts";\nexport const m = [sleep, b];',
  "match/b.ts": '// import { x } from "../store/x.ts"; process.exit(1)\nexport const b = "process.exit";',
  "store/postgres/rows.ts": 'import { sleep } from "../../lib/sleep.ts";\nexport const rows = sleep;',
  "daemon/line.ts":
    'import { m } from "../match/matcher.ts";\nimport { rows } from "../store/postgres/rows.ts";\nexport const l = [m, rows];',
  "cli/main.ts": 'const { l } = await import("../daemon/line.ts");\nprocess.exit(l.length);',
};

async function violationsOf(changes: Readonly<Record<string, string>>, emptyFolders: readonly string[] = []) {
  const temp = createTempDir("layers");
  try {
    for (const [path, text] of Object.entries({ ...GOOD_TREE, ...changes })) {
      mkdirSync(dirname(join(temp.path, path)), { recursive: true });
      writeFileSync(join(temp.path, path), text);
    }
    for (const folder of emptyFolders) mkdirSync(join(temp.path, folder), { recursive: true });
    return findLayerViolations(temp.path);
  } finally {
    await temp.remove();
  }
}

test("src/ keeps the one-way rule", () => {
  expect(findLayerViolations(join(import.meta.dirname, "../src"))).toEqual([]);
});

test("a tree that keeps the rule has no violations", async () => {
  expect(await violationsOf({})).toEqual([]);
});

const PLANTED: readonly [what: string, path: string, text: string, violation: string][] = [
  [
    "a stage that imports a stage",
    "match/bad.ts",
    'import { rows } from "../store/postgres/rows.ts";\nexport const x = rows;',
    "match/bad.ts: match/ imports store/postgres/rows.ts",
  ],
  [
    "a type-only import against the rule",
    "api/bad.ts",
    'import type { Rows } from "../store/postgres/rows.ts";\nexport type X = Rows;',
    "api/bad.ts: api/ imports store/postgres/rows.ts",
  ],
  [
    "an import() against the rule",
    "lib/bad.ts",
    'export const x = () => import("../match/b.ts");',
    "lib/bad.ts: lib/ imports match/b.ts",
  ],
  [
    "an import type expression against the rule",
    "lib/bad.ts",
    'export type X = typeof import("../match/b.ts");',
    "lib/bad.ts: lib/ imports match/b.ts",
  ],
  [
    "a stage that imports the daemon",
    "store/bad.ts",
    'import { l } from "../daemon/line.ts";\nexport const x = l;',
    "store/bad.ts: store/ imports daemon/line.ts",
  ],
  [
    "types that import a tool",
    "types/bad.ts",
    'import type { sleep } from "../lib/sleep.ts";\nexport type X = typeof sleep;',
    "types/bad.ts: types/ imports lib/sleep.ts",
  ],
  [
    "types that import the values of a package",
    "types/bad.ts",
    'import { z } from "zod";\nexport const x = z;',
    "types/bad.ts: types/ imports the values of zod",
  ],
  [
    "an import from outside of src/",
    "lib/bad.ts",
    'import x from "../../config/schema.json";\nexport default x;',
    "lib/bad.ts: imports ../../config/schema.json, outside of src/",
  ],
  [
    "process.exit outside of cli/",
    "daemon/bad.ts",
    "export const x = () => process.exit(1);",
    "daemon/bad.ts: process.exit outside of cli/",
  ],
  [
    "a barrel of exports",
    "match/index.ts",
    '/** All of it. */\nexport * from "./matcher.ts";\nexport { b } from "./b.ts";',
    "match/index.ts: a barrel, it only re-exports",
  ],
  [
    "a barrel of an import and an export",
    "match/index.ts",
    'import { b } from "./b.ts";\nexport { b };',
    "match/index.ts: a barrel, it only re-exports",
  ],
  [
    "an import cycle",
    "match/b.ts",
    'import { c } from "./c.ts";\nexport const b = c;',
    "import cycle: match/b.ts -> match/c.ts -> match/b.ts",
  ],
  ["an unknown folder", "helpers/x.ts", "export const x = 1;", "helpers/: a folder that the table does not know"],
  [
    "a file beside the folders",
    "index.ts",
    "export const x = 1;",
    "index.ts: a file outside of the folders of the line",
  ],
];

test.each(PLANTED)("%s is caught", async (_what, path, text, violation) => {
  const cyclePartner = { "match/c.ts": 'import { b } from "./b.ts";\nexport const c = b;' };
  expect(await violationsOf({ ...cyclePartner, [path]: text })).toEqual([violation]);
});

test("an empty folder is caught, also below a full one", async () => {
  expect(await violationsOf({}, ["flow", "store/sqlite"])).toEqual([
    "flow/: an empty folder",
    "store/sqlite/: an empty folder",
  ]);
});
