export function foreignLoad(words: Int32Array): number
export function foreignStore(words: Int32Array): void
export function foreignCall(callback: () => void): void
