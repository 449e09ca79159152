/** A run of letters, digits and underscores, in any script. */
const WORD = /[\p{L}\p{M}\p{N}_]+/gu

/**
 * Longer words (encoded data, mostly) are cut to this many code points. At 4 bytes each, a word with the rest of its
 * key stays below 200 bytes.
 */
export const LONGEST_WORD = 40

/** Calls `visit` with every word of the text, in order, lower-cased. */
export function eachWord(text: string, visit: (word: string) => void): void {
  WORD.lastIndex = 0
  for (let match = WORD.exec(text); match !== null; match = WORD.exec(text)) visit(cut(match[0].toLowerCase()))
}

function cut(word: string): string {
  // No longer in UTF-16 units means no longer in code points.
  if (word.length <= LONGEST_WORD) return word
  let end = 0
  for (let points = 0; points < LONGEST_WORD && end < word.length; points++) {
    end += word.codePointAt(end)! > 0xffff ? 2 : 1
  }
  return word.slice(0, end)
}

/** How often each word occurs in the text. */
export function tally(text: string): Map<string, number> {
  const counts = new Map<string, number>()
  eachWord(text, (word) => counts.set(word, (counts.get(word) ?? 0) + 1))
  return counts
}
