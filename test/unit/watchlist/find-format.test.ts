import { describe, expect, test } from "@jest/globals";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { findFormat, sniff } from "../../../src/watchlist/find-format.ts";
import { SAMPLES } from "../../conformance/watchlist-samples.ts";
import { withFolder } from "../../support/import-text.ts";

const sniffed = (text: string) => sniff("file", Buffer.from(text));

describe("the format of a file", () => {
  test("the name given counts, whatever the file looks like", async () => {
    await withFolder(async (folder) => {
      const file = path.join(folder, "x");
      await writeFile(file, SAMPLES[0]?.text ?? "");
      expect(await findFormat(file, "stix")).toMatchObject({ format: { name: "stix" } });
      expect(await findFormat(file, null)).toMatchObject({ format: { name: "heistwatch-yaml" } });
      expect(await findFormat(file, "excel")).toMatchObject({
        problem: expect.stringContaining("known: heistwatch-yaml"),
      });
      expect(await findFormat(path.join(folder, "missing"), null)).toMatchObject({
        problem: expect.stringContaining("ENOENT"),
      });
      expect(await findFormat(folder, null)).toMatchObject({ problem: expect.stringContaining("not a regular file") });
    });
  });

  test("a file that could be two formats is not guessed at", () => {
    const both = `title: x\ncreator: y\nformat: heistwatch/1\ntags:\n- address: x\n`;
    expect(sniffed(both)).toMatchObject({ problem: expect.stringContaining("heistwatch-yaml or tagpack; name it") });
  });

  test.each([
    ["nothing", ""],
    ["prose", "Dear colleague, please watch the address of the thief.\n"],
    ["other JSON", '{"hello":"world"}'],
    ["other XML", "<html><body>sdnList</body></html>"],
    ["other YAML", "services:\n  web: x\n"],
    ["NUL bytes", "\0\0\0\0"],
    ["a table without addresses", "name,age\nx,1\n"],
  ])("%s is none", (_name, text) => {
    expect(sniffed(text)).toMatchObject({ problem: expect.stringContaining("looks like none of") });
  });

  test("a spreadsheet in UTF-16 is seen for what it is", () => {
    expect(sniff("file", Buffer.from(`\ufeffaddress\tlabel\r\nx\ty\r\n`, "utf16le"))).toMatchObject({
      format: { name: "csv" },
    });
  });
});
