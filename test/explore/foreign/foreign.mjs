/** Code that is not instrumented. */
export function foreignLoad(words) {
  return Atomics.load(words, 0)
}

export function foreignStore(words) {
  words[9] = 1
}

export function foreignCall(callback) {
  callback()
}
