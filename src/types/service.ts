/** A running part of the daemon. */
export interface Health {
  readonly ok: boolean;
  readonly detail: string;
}

/** Started in order, stopped in reverse. `stop` may be called after a failed or missing `start`. */
export interface Service {
  readonly name: string;
  start(signal: AbortSignal): Promise<void>;
  stop(): Promise<void>;
  health(): Health;
}
