/**
 * A table with changed bytes: every answer is the right one or HEDDLE_CORRUPT, which names the file and an offset.
 * Nothing else may be thrown.
 */
import { describe, expect, test } from 'vitest'
import { COMPRESSIONS } from '../../src/lsm/block-frame.ts'
import type { TableOptions } from '../../src/lsm/table-writer.ts'
import { TableWriter } from '../../src/lsm/table-writer.ts'
import { bytesOf, type Entry, writeTable } from '../support/entries.ts'
import { MemoryDisk } from '../support/memory-disk.ts'
import { fixFooter, fixFrame, framesOf, NAME, tryAll } from './table-parts.ts'

const LIST: Entry[] = Array.from({ length: 14 }, (_, i) => ({
  key: `key${String.fromCharCode(97 + (i >> 1))}${i % 3}`,
  sequence: 40 - i,
  value: i % 5 === 2 ? undefined : `value ${i}`.repeat(i % 4),
})).sort((a, b) => (a.key < b.key ? -1 : 1))
const PROBES: Entry[] = [0, 5, 13].map((i) => LIST[i]!)

function tableBytes(list: readonly Entry[], options: TableOptions, generation = 1, id = 7): Uint8Array {
  const disk = new MemoryDisk()
  if (generation === 1) writeTable(disk, id, list, options)
  else {
    const writer = new TableWriter(disk, id, generation, options)
    for (const { key, sequence, value } of list) {
      const content = bytesOf(value ?? '')
      writer.add(bytesOf(key), 0, key.length, value === undefined ? 1 : 0, sequence, content, 0, content.length)
    }
    writer.finish()
  }
  return disk.contentOf(`00000${id}.table`)
}

const KINDS: [string, TableOptions][] = COMPRESSIONS.map((compression) => [
  compression,
  { blockBytes: 96, restartInterval: 3, compression },
])

describe.each(KINDS)('%s', (_, options) => {
  const file = tableBytes(LIST, options)

  test('the whole one is right', () => {
    expect(tryAll(file, LIST, LIST)).toBe(0)
  })

  test('every bit', () => {
    for (let bit = 0; bit < file.length * 8; bit++) {
      const changed = Uint8Array.from(file)
      changed[bit >>> 3]! ^= 1 << (bit & 7)
      // The check of the whole must see it, whatever else does.
      expect(tryAll(changed, LIST, PROBES), `bit ${bit}`).toBeGreaterThan(0)
    }
  }, 300_000)

  test('every truncation, and every extension by a few bytes', () => {
    for (let length = 0; length < file.length; length++) expect(tryAll(file.slice(0, length), LIST, PROBES)).toBe(1)
    for (const more of [1, 4, 52, 4096]) {
      const longer = new Uint8Array(file.length + more)
      longer.set(file)
      expect(tryAll(longer, LIST, PROBES)).toBe(1)
    }
  }, 120_000)

  test('runs of zeros and of ones', () => {
    for (let at = 0; at < file.length; at += 16) {
      for (const fill of [0, 255]) {
        const changed = Uint8Array.from(file).fill(fill, at, at + 32)
        if (Buffer.compare(changed, file) !== 0) expect(tryAll(changed, LIST, PROBES)).toBeGreaterThan(0)
      }
    }
  })
})

test('blocks of equal length that have changed places', () => {
  const list = LIST.map((entry) => ({ ...entry, key: entry.key.slice(0, 5), value: 'same size' }))
  const file = tableBytes(list, { blockBytes: 96, restartInterval: 3 })
  const frames = framesOf(file).slice(0, -3)
  let swaps = 0
  for (const a of frames) {
    for (const b of frames) {
      if (a.offset >= b.offset || a.length !== b.length) continue
      const changed = Uint8Array.from(file)
      changed.set(file.subarray(b.offset, b.offset + b.length), a.offset)
      changed.set(file.subarray(a.offset, a.offset + a.length), b.offset)
      expect(tryAll(changed, list, list)).toBeGreaterThan(0)
      swaps++
    }
  }
  expect(swaps).toBeGreaterThan(2)
})

test.each([
  ['of another file', 1, 8],
  ['left from another generation', 2, 7],
])('blocks %s, at the same offset', (_, generation, id) => {
  const options = { blockBytes: 96, restartInterval: 3 }
  const file = tableBytes(LIST, options)
  const old = LIST.map((entry) => ({ ...entry, value: entry.value?.replace('value', 'stale') }))
  const other = tableBytes(old, options, generation, id)
  expect(other.length).toBe(file.length)
  for (const { offset, length } of framesOf(file)) {
    const changed = Uint8Array.from(file)
    changed.set(other.subarray(offset, offset + length), offset)
    expect(tryAll(changed, LIST, LIST)).toBeGreaterThan(0)
  }
  expect(tryAll(other, LIST, LIST)).toBe(1)
})

test('a whole file that was put under the name of another', () => {
  const disk = new MemoryDisk()
  writeTable(disk, 8, LIST)
  expect(tryAll(disk.contentOf('000008.table'), LIST, LIST)).toBe(1)
  expect(NAME).toBe('000007.table')
})

test('the helpers leave a sound file sound', () => {
  const file = tableBytes(LIST, {})
  for (const frame of framesOf(file)) fixFrame(file, frame)
  fixFooter(file)
  expect(tryAll(file, LIST, LIST)).toBe(0)
})
