/**
 * Reads a whole table and checks that it is what its writer was given: every block, the order of all entries, the counts
 * and the range in the properties, the filter, and the digest over the content.
 *
 * Thread safety: belongs to one thread. Complexity: O(bytes). Blocks read are not cached.
 */
import { compareRanges, grown } from './byte-codec.ts'
import { ContentDigest } from './content-digest.ts'
import { compareEntries, KIND_DELETE } from './entry.ts'
import { corruptFile } from './file-error.ts'
import { TableIterator } from './table-iterator.ts'
import type { TableReader } from './table-reader.ts'

class Tally {
  entries = 0
  deletes = 0
  keys = 0
  keyBytes = 0
  valueBytes = 0
  leastSequence = Number.MAX_SAFE_INTEGER
  greatestSequence = 0
  readonly digest = new ContentDigest()
}

/**
 * @returns entries read
 * @throws FileError HEDDLE_CORRUPT naming the file and, as near as it can be told, the offset
 */
export function verifyTable(reader: TableReader): number {
  const { name } = reader.table
  const walk = new TableIterator(reader, false)
  const tally = new Tally()
  let last: Uint8Array = new Uint8Array(256)
  let lastLength = -1
  let lastSequence = 0
  for (walk.seekFirst(); walk.valid; walk.next()) {
    const { key, keyLength, sequence } = walk
    if (lastLength < 0) {
      const { smallest } = reader.properties
      if (compareRanges(key, 0, keyLength, smallest, 0, smallest.length) !== 0) {
        throw corruptFile(name, 0, 'the first key is not the one the properties name')
      }
    } else if (compareEntries(last, 0, lastLength, lastSequence, key, 0, keyLength, sequence) >= 0) {
      throw corruptFile(name, reader.position, 'entries out of order')
    }
    if (lastLength < 0 || compareRanges(last, 0, lastLength, key, 0, keyLength) !== 0) {
      tally.keys++
      if (!reader.mayContain(key, 0, keyLength)) throw corruptFile(name, reader.position, 'a key is not in the filter')
    }
    add(tally, walk)
    last = grown(last, 0, keyLength)
    for (let i = 0; i < keyLength; i++) last[i] = key[i]
    lastLength = keyLength
    lastSequence = sequence
  }
  compare(reader, tally, last, lastLength)
  return tally.entries
}

function add(tally: Tally, walk: TableIterator): void {
  const { key, keyLength, kind, sequence, value, valueStart, valueEnd } = walk
  tally.entries++
  tally.keyBytes += keyLength
  tally.valueBytes += valueEnd - valueStart
  if (kind === KIND_DELETE) tally.deletes++
  tally.leastSequence = Math.min(tally.leastSequence, sequence)
  tally.greatestSequence = Math.max(tally.greatestSequence, sequence)
  tally.digest.add(key, 0, keyLength, kind, sequence, value, valueStart, valueEnd)
}

function compare(reader: TableReader, tally: Tally, last: Uint8Array, lastLength: number): void {
  const { properties, table } = reader
  const { greatest } = properties
  if (lastLength < 0 || compareRanges(last, 0, lastLength, greatest, 0, greatest.length) !== 0) {
    throw corruptFile(table.name, 0, 'the last key is not the one the properties name')
  }
  const fields = ['entries', 'deletes', 'keys', 'keyBytes', 'valueBytes', 'leastSequence', 'greatestSequence'] as const
  for (const field of fields) {
    if (tally[field] !== properties[field]) {
      throw corruptFile(table.name, 0, `${field} are ${tally[field]}, not ${properties[field]} as the properties say`)
    }
  }
  if (tally.digest.value() !== properties.digest) throw corruptFile(table.name, 0, 'the digest of the content differs')
}
