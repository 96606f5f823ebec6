/** Names of PEM files in, what a TLS dial needs out, read anew each time: a renewed certificate needs no restart. */
import { readFileSync } from "node:fs";
import { createSecureContext, type SecureContextOptions } from "node:tls";
import { AppError } from "../lib/errors.ts";
import type { TlsFiles } from "../types/sink-delivery.ts";

/** Nothing was dialled; the files may be right again a moment later, when their renewal is complete. */
export class TlsFilesError extends AppError {
  override readonly code = "tls_files";
  override readonly retryable = true;
}

/**
 * Answers with the same object as before while no file has changed. Throws TlsFilesError when a file cannot be read, or
 * when certificate and key do not belong together.
 */
export function createTlsReader(files: TlsFiles): () => SecureContextOptions {
  let last: SecureContextOptions = {};
  return () => {
    const ca = read(files.caFile);
    const cert = read(files.certFile);
    const key = read(files.keyFile);
    if (ca === last.ca && cert === last.cert && key === last.key) return last;
    const now: SecureContextOptions = {
      ...(ca === undefined ? {} : { ca }),
      ...(cert === undefined ? {} : { cert }),
      ...(key === undefined ? {} : { key }),
    };
    try {
      createSecureContext(now);
    } catch (error) {
      throw new TlsFilesError(`caFile, certFile and keyFile do not make a TLS identity (${codeOf(error)})`);
    }
    last = now;
    return now;
  };
}

function read(file: string | null | undefined): string | undefined {
  if (file === null || file === undefined) return undefined;
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new TlsFilesError(`${file} cannot be read (${codeOf(error)})`);
  }
}

/** Only the code: OpenSSL's texts may quote what it read. */
function codeOf(error: unknown): string {
  return typeof error === "object" && error !== null && "code" in error ? String(error.code) : "no code";
}
