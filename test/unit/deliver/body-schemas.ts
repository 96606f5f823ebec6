/** What a body must look like in each format: our own published schema, and ones written from the specifications. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import type { BodyFormat } from "../../../src/types/sink-config.ts";

const ROOT = join(import.meta.dirname, "../../..");
const FILES: Readonly<Record<BodyFormat, string>> = {
  native: "docs/alert.schema.json",
  cloudevents: "test/fixtures/schemas/cloudevents.schema.json",
  ocsf: "test/fixtures/schemas/ocsf.schema.json",
  ecs: "test/fixtures/schemas/ecs.schema.json",
};

export function schemaOf(format: BodyFormat): ValidateFunction {
  const ajv = new Ajv2020({ allErrors: true, strictTypes: false, strictRequired: false });
  addFormats.default(ajv);
  return ajv.compile(JSON.parse(readFileSync(join(ROOT, FILES[format]), "utf8")) as object);
}
