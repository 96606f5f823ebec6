/** Writes config/schema.json from src/config/schema.ts. Run it after every change of an option. */
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { configJsonSchema } from "../src/config/json-schema.ts";

const file = fileURLToPath(new URL("../config/schema.json", import.meta.url));
writeFileSync(file, configJsonSchema());
