import { workerMain } from '../worker-main.ts'

export interface CountWords {
  /** Texts of their own for each thread, numbered through over all of them. */
  readonly texts: readonly (readonly [number, string])[]
}

/** Counts words with update, and writes beside it which text has which word. Gives the number of words read. */
workerMain<CountWords, number>((store, { texts }) => {
  let read = 0
  for (const [number, text] of texts) {
    for (const word of text.split(' ')) {
      store.update(`count ${word}`, (old) => String(Number(old ?? '0') + 1))
      store.setIfAbsent(`where ${word} ${number}`, '')
      read++
    }
  }
  return read
})
