import { expect, test } from 'vitest'
import { rankKey, ofRank, seenKey, wordKey, wordOf, wordOfSeen } from '../../../src/cli/demo/keys.ts'
import { eachWord, LONGEST_WORD, tally } from '../../../src/cli/demo/words.ts'

function words(text: string): string[] {
  const found: string[] = []
  eachWord(text, (word) => found.push(word))
  return found
}

test.each([
  ['', []],
  [' .,;-/ \n', []],
  ['One fish, two FISH', ['one', 'fish', 'two', 'fish']],
  ['snake_case camelCase x2', ['snake_case', 'camelcase', 'x2']],
  ["don't a-b", ['don', 't', 'a', 'b']],
  ['Größe café 漢字 Слово', ['größe', 'café', '漢字', 'слово']],
  ['__proto__ constructor', ['__proto__', 'constructor']],
])('the words of "%s"', (text, expected) => {
  expect(words(text)).toEqual(expected)
})

test('long words are cut, whole code points kept', () => {
  expect(words(`${'x'.repeat(500)} y`)).toEqual(['x'.repeat(LONGEST_WORD), 'y'])
  // A letter outside the basic plane: two UTF-16 units, four bytes.
  const letter = '\u{1d538}'
  expect(words(letter.repeat(100))).toEqual([letter.repeat(LONGEST_WORD)])
  expect(Buffer.byteLength(seenKey(letter.repeat(LONGEST_WORD), 123456))).toBeLessThanOrEqual(200)
})

test('a word that grows when it is lower-cased is still cut', () => {
  const [word] = words('\u0130'.repeat(60))
  expect([...word].length).toBe(LONGEST_WORD)
})

test('occurrences are counted', () => {
  expect(tally('a b A c a')).toEqual(
    new Map([
      ['a', 3],
      ['b', 1],
      ['c', 1],
    ]),
  )
})

test('keys lead back to their words', () => {
  expect(wordOf(wordKey('the'))).toBe('the')
  expect(wordOfSeen(seenKey('the', 12))).toBe('the')
  expect(ofRank(rankKey(345, 'the'))).toEqual({ count: 345, word: 'the' })
  expect(rankKey(9, 'a') < rankKey(10, 'a')).toBe(true)
})
