/** placeholder until the demo is written */
export function demo(): Promise<number> {
  return Promise.resolve(0);
}
