/** Writes docs/alert.schema.json from the schema the code itself uses. A test compares the two. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { messageBody } from "../src/alerts/body-schema.ts";

/** The published text: draft 2020-12, every object closed. */
export function alertJsonSchema(): string {
  const schema = z.toJSONSchema(messageBody, { target: "draft-2020-12" });
  return `${JSON.stringify({ title: "heistwatch webhook body", ...schema }, null, 2)}\n`;
}

if (import.meta.main) writeFileSync(join(import.meta.dirname, "../docs/alert.schema.json"), alertJsonSchema());
