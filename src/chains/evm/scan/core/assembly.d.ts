// The number types of AssemblyScript, for the TypeScript compiler and for Node: both read the core as plain TypeScript.
declare type i32 = number;
declare type f64 = number;
declare type bool = boolean;
