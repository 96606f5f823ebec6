import { expect, test } from "@jest/globals";
import { IMPORT_FORMATS } from "../../src/watchlist/formats/registry.ts";
import { formatConformance } from "./watchlist-format.ts";
import { SAMPLES } from "./watchlist-samples.ts";

test("every format of the registry has a sample here", () => {
  expect(SAMPLES.map(({ format }) => format).toSorted()).toEqual(IMPORT_FORMATS.map(({ name }) => name).toSorted());
});

for (const sample of SAMPLES) formatConformance(sample);
