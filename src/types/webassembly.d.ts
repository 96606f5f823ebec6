/** The parts of the WebAssembly JavaScript interface used here: TypeScript declares them only together with a browser's. */
declare namespace WebAssembly {
  /** Bytes that this process and modules share. Sizes are in pages of 64 KiB. */
  class Memory {
    constructor(descriptor: { readonly initial: number; readonly maximum?: number });
    /** A new object after each growth, also one a module asked for: the old one is detached, its views have length 0. */
    readonly buffer: ArrayBuffer;
    /** Returns the number of pages before. */
    grow(pages: number): number;
  }

  /** Compiled code, without a memory yet. */
  class Module {
    constructor(bytes: Uint8Array<ArrayBuffer>);
    /** Not there at run time: keeps another object from passing as a module. */
    private readonly compiled: true;
  }

  class Instance {
    constructor(module: Module, imports: Readonly<Record<string, Readonly<Record<string, unknown>>>>);
    readonly exports: Readonly<Record<string, unknown>>;
  }
}
