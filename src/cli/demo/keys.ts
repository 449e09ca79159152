/**
 * What the demo keeps, all in one store. The word of a key never contains a slash, so keys of one kind sort by word.
 *
 *     file/000042                 -> path          the queue of files, filled before the workers start
 *     next                        -> number        the next file to take: taken with `update`, so no two workers agree
 *     word/the                    -> count         every occurrence adds one, with `update`: here the workers collide
 *     seen/the/000042             -> count         the inverted index: in which file, and how often there
 *     rank/0000012345/the         -> (empty)       the count-ordered index, written when the counting is done
 */
export const NEXT = 'next'
export const WORDS = 'word/'
export const SEEN = 'seen/'
export const RANKS = 'rank/'

const FILE_DIGITS = 6
const RANK_DIGITS = 10

export function fileKey(file: number): string {
  return `file/${String(file).padStart(FILE_DIGITS, '0')}`
}

export function wordKey(word: string): string {
  return WORDS + word
}

export function wordOf(key: string): string {
  return key.slice(WORDS.length)
}

export function seenKey(word: string, file: number): string {
  return `${SEEN}${word}/${String(file).padStart(FILE_DIGITS, '0')}`
}

export function wordOfSeen(key: string): string {
  return key.slice(SEEN.length, key.lastIndexOf('/'))
}

export function rankKey(count: number, word: string): string {
  return `${RANKS}${String(count).padStart(RANK_DIGITS, '0')}/${word}`
}

export function ofRank(key: string): { count: number; word: string } {
  const slash = RANKS.length + RANK_DIGITS
  return { count: Number(key.slice(RANKS.length, slash)), word: key.slice(slash + 1) }
}
