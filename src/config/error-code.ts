/** The code of a system error (`ENOENT`), or a stand-in. By shape: under jest, errors of `node:fs` are of another realm. */
export function errorCode(error: unknown): string {
  const code = typeof error === "object" && error !== null && "code" in error ? error.code : undefined;
  return typeof code === "string" ? code : "unknown error";
}
