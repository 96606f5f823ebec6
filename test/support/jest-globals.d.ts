/** `test`, `expect` and friends are known in test/ without an import; the build of src/ never reads this file. */
/// <reference types="jest" />
