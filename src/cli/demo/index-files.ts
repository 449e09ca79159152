import { readFileSync } from 'node:fs'
import type { TextStore } from '../text-store.ts'
import { fileKey, NEXT, seenKey, wordKey } from './keys.ts'
import { eachWord } from './words.ts'

/** What one worker did, or all of them together. */
export interface Work {
  readonly files: number
  readonly words: number
  /** Calls of the store. */
  readonly operations: number
}

const plusOne = (old: string | undefined): string => String(Number(old ?? '0') + 1)

/** Takes files from the queue in the store until it is empty, and indexes their words. Runs in every worker. */
export function indexFiles(store: TextStore): Work {
  let files = 0
  let words = 0
  let operations = 0
  for (;;) {
    // Each worker gets a number of its own. The cursor ends a little behind the last file, which harms nobody.
    const file = Number(store.update(NEXT, plusOne)) - 1
    const path = store.get(fileKey(file))
    operations += 2
    if (path === undefined) return { files, words, operations }
    const inThisFile = new Map<string, number>()
    eachWord(readFileSync(path, 'utf8'), (word) => {
      store.update(wordKey(word), plusOne)
      inThisFile.set(word, (inThisFile.get(word) ?? 0) + 1)
      words++
      operations++
    })
    for (const [word, count] of inThisFile) store.set(seenKey(word, file), String(count))
    operations += inThisFile.size
    files++
  }
}
