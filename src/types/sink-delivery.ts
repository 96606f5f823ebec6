/** How deliveries reach a sink: options that do not depend on what kind of sink it is. */

/** Of every sink that dials. */
export interface LaneOptions {
  /** At most so many attempts a second, in this process; absent: as fast as `concurrency` allows. */
  readonly maxPerSecond?: number | undefined;
  /** Name of the sink that gets critical and high alerts which this one did not take within a minute. */
  readonly fallback?: string | undefined;
}

/** PEM files, absolute, read again at each dial: a certificate that was renewed needs no restart. */
export interface TlsFiles {
  /** Who may vouch for the receiver, in place of the system's authorities. */
  readonly caFile?: string | null | undefined;
  /** Our own certificate and its key: both or neither. */
  readonly certFile?: string | null | undefined;
  readonly keyFile?: string | null | undefined;
}

/** A key of before: it signs too until its time. */
export interface OldSecret {
  readonly secret: string;
  /** Unix seconds. */
  readonly until: number;
}
