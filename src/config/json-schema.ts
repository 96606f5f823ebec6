/** `config/schema.json`: what editors complete and check while a person types. Generated, so it cannot lie. */
import { z } from "zod";
import { createConfigSchema } from "./schema.ts";
import { readNoEnv } from "./secrets.ts";

/** The text of the file, with its last line break. */
export function configJsonSchema(): string {
  // Draft 7: the newest draft that the YAML language server checks in full.
  const schema = z.toJSONSchema(createConfigSchema(readNoEnv), { io: "input", target: "draft-07" });
  return `${JSON.stringify({ title: "heistwatch.yaml", ...schema }, null, 2)}\n`;
}
