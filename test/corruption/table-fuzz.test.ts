/**
 * Tables made up by somebody who knows the format and the checksums: fields, lengths, offsets and bytes are changed and
 * the checksums fixed up. Then the content may be anything, but only HEDDLE_CORRUPT may be thrown, every walk ends, and
 * nothing is allocated by a length that was only claimed.
 *
 * FUZZ_TABLES: how many (3,000); FUZZ_SEED.
 */
import { expect, test } from 'vitest'
import { COMPRESSIONS } from '../../src/lsm/block-frame.ts'
import { readU32, writeU32 } from '../../src/lsm/byte-codec.ts'
import { FOOTER_BYTES } from '../../src/lsm/table-format.ts'
import { type Entry, randomEntries, writeTable } from '../support/entries.ts'
import { MemoryDisk } from '../support/memory-disk.ts'
import { fromEnv, random, type Random } from '../support/random.ts'
import { fixFooter, fixFrame, type Frame, framesOf, NAME, tryAll } from './table-parts.ts'

const TELLING = [0, 1, 2, 3, 4, 7, 8, 15, 16, 17, 127, 128, 129, 255, 256, 65_535, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1]

function changeFrame(file: Uint8Array, frame: Frame, r: Random): void {
  const { offset, length } = frame
  const payload = offset + 16
  switch (r.int(6)) {
    case 0: // a byte anywhere in the payload
      file[payload + r.int(length - 16)] = r.int(256)
      break
    case 1: // a byte that continues a varint, or ends it
      file[payload + r.int(length - 16)]! ^= 128
      break
    case 2: // a word at the end: restart points and their number, or the last bytes of a key
      writeU32(file, offset + length - 4 * (1 + r.int(4)), r.pick(TELLING))
      break
    case 3: // the header's lengths, codec, kind, flags
      if (r.chance(50)) writeU32(file, offset + 4 + 4 * r.int(2), r.pick(TELLING))
      else file[offset + 12 + r.int(4)] = r.int(5)
      break
    case 4: {
      // some bytes moved within the payload
      const from = payload + r.int(length - 16)
      const to = payload + r.int(length - 16)
      file.copyWithin(to, from, Math.min(offset + length, from + r.int(20), offset + length - (to - from)))
      break
    }
    default: // a run of one value
      file.fill(r.pick([0, 128, 255]), payload + r.int(length - 16), offset + length)
  }
}

function changeFooter(file: Uint8Array, r: Random): void {
  const at = file.length - FOOTER_BYTES + 8 + 4 * r.int(10)
  const old = readU32(file, at)
  writeU32(file, at, r.chance(50) ? r.pick(TELLING) : (old + r.int(9) - 4) >>> 0)
}

function changed(sound: Uint8Array, r: Random): Uint8Array {
  const file = Uint8Array.from(sound)
  const frames = framesOf(file)
  for (let changes = 1 + r.int(3); changes > 0; changes--) {
    if (r.chance(15)) changeFooter(file, r)
    else {
      // The index, the filter and the properties are worth as much as all data blocks together.
      const frame = r.chance(50) ? frames[r.int(frames.length)]! : frames.at(-1 - r.int(Math.min(3, frames.length)))!
      changeFrame(file, frame, r)
      fixFrame(file, frame)
    }
  }
  fixFooter(file)
  return file
}

test('made-up tables', () => {
  const count = fromEnv('FUZZ_TABLES', 3000)
  const r = random(fromEnv('FUZZ_SEED', 1))
  const before = process.memoryUsage().arrayBuffers
  let refused = 0
  for (let i = 0; i < count;) {
    const list: Entry[] = randomEntries(r, 5 + r.int(40))
    const disk = new MemoryDisk()
    const compression = r.pick(COMPRESSIONS)
    writeTable(disk, 7, list, { blockBytes: 64 << r.int(4), restartInterval: 1 + r.int(8), compression })
    const sound = disk.contentOf(NAME)
    for (let n = 0; n < 25 && i < count; n++, i++) {
      if (tryAll(changed(sound, r), undefined, list.slice(0, 4)) > 0) refused++
    }
  }
  expect(refused).toBeGreaterThan(count / 2)
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(256 * 2 ** 20)
}, 600_000)
