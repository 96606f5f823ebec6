import { existsSync, readFileSync } from "node:fs";

/** The most memory this process ever held, in bytes: of it alone, `ru_maxrss` begins with what the parent had when it forked. */
export function peakRssBytes(): number {
  const status = existsSync("/proc/self/status") ? readFileSync("/proc/self/status", "utf8") : "";
  const kilobytes = /VmHWM:\s+(\d+) kB/.exec(status)?.[1];
  return (kilobytes === undefined ? process.resourceUsage().maxRSS : Number(kilobytes)) * 1024;
}
