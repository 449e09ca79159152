import { describe, expect, test } from 'vitest'
import { placedChecksum } from '../../../src/lsm/block-checksum.ts'
import { writeU32 } from '../../../src/lsm/byte-codec.ts'
import { compactDirectory } from '../../../src/lsm/directory-compact.ts'
import { DirectoryReader } from '../../../src/lsm/directory-reader.ts'
import { verifyDirectory } from '../../../src/lsm/directory-verify.ts'
import { ReadOnlyDisk } from '../../../src/lsm/read-only-disk.ts'
import { type Frame, framesOf } from '../../corruption/table-parts.ts'
import { bytesOf } from '../../support/entries.ts'
import { contentsOf, filledDisk, GENERATION, MadeStore, sortedEntries } from '../../support/made-store.ts'
import { type Files, SimulatedDisk } from '../../support/simulated-disk.ts'

const TYPE_UNKNOWN = 19

const { disk: whole, store } = filledDisk()
const files: Files = whole.files()
const names = [...files.keys()].sort()
const tables = names.filter((name) => name.endsWith('.table'))
const logs = names.filter((name) => name.endsWith('.log'))
const manifest = names.find((name) => name.endsWith('.manifest'))!

function verify(changed: Files): ReturnType<typeof verifyDirectory> {
  return verifyDirectory(new ReadOnlyDisk(SimulatedDisk.with(changed)))
}

const withFile = (name: string, bytes: Uint8Array): Map<string, Uint8Array> => new Map(files).set(name, bytes)

function without(name: string): Map<string, Uint8Array> {
  const left = new Map(files)
  left.delete(name)
  return left
}

function flipped(name: string, bit: number): Map<string, Uint8Array> {
  const bytes = files.get(name)!.slice()
  bytes[bit >>> 3]! ^= 1 << (bit & 7)
  return withFile(name, bytes)
}

test('a sound store: everything is counted, nothing is changed or wrong', () => {
  const disk = SimulatedDisk.with(files)
  const seen: number[] = []
  const { wrong, notes, counts } = verifyDirectory(new ReadOnlyDisk(disk), (bytes) => seen.push(bytes))
  expect(wrong).toEqual([])
  expect(notes).toEqual([])
  expect(counts).toMatchObject({ manifests: 1, tables: 4, logs: 2, records: 4, changes: 6 })
  expect(counts.entries).toBe(40 + 15 + 11 + 2)
  expect(counts.blocks).toBeGreaterThan(8)
  expect(counts.bytes).toBe([...files.values()].reduce((sum, { length }) => sum + length, 0))
  expect(seen.at(-1)).toBe(counts.bytes)
  expect(disk.journal).toHaveLength(0)
  expect(disk.openFiles).toBe(0)
})

describe('every bit', () => {
  test.each([...tables, manifest])(
    'of %s is found, with the file and an offset in it',
    (name) => {
      const bits = files.get(name)!.length * 8
      // An odd step: every place in a byte comes up.
      for (let bit = 0; bit < bits; bit += name === manifest ? 1 : 3) {
        const { wrong } = verify(flipped(name, bit))
        expect(wrong.length, `bit ${bit}`).toBeGreaterThan(0)
        const [first] = wrong
        expect(first!.file).toBe(name)
        expect(first!.offset).toBeLessThanOrEqual(bits / 8)
      }
    },
    120_000,
  )

  test.each(logs)(
    'of %s is found, or harmless since the contents are the same',
    (name) => {
      const expected = sortedEntries(store.model)
      let harmless = 0
      let tried = 0
      for (let bit = 0; bit < files.get(name)!.length * 8; bit += 5, tried++) {
        const changed = flipped(name, bit)
        const { wrong } = verify(changed)
        if (wrong.length > 0) expect(wrong[0]!.file).toBe(name)
        else {
          harmless++
          expect([...contentsOf(SimulatedDisk.with(changed))], `bit ${bit}`).toEqual(expected)
        }
      }
      // What lies behind the end, and between a record's payload and its end.
      expect(harmless).toBeGreaterThan(0)
      expect(harmless).toBeLessThan(tried)
    },
    120_000,
  )
})

test('a bit of a data block is told with the offset of the block, and the others are still read', () => {
  const name = tables[0]!
  const { counts } = verify(files)
  const { wrong, counts: after } = verify(flipped(name, 8 * 260))
  expect(wrong).toHaveLength(1)
  expect(wrong[0]!.what).toBe('the checksum of a block does not match')
  expect(wrong[0]!.offset).toBeGreaterThan(0)
  expect(wrong[0]!.offset).toBeLessThanOrEqual(260)
  expect(after.tables).toBe(counts.tables)
  expect(after.blocks).toBe(counts.blocks)
})

test('all findings are told: two blocks of a table, another table, a log', () => {
  const changed = new Map(files)
  const damage = (name: string, ...offsets: number[]): void => {
    const bytes = changed.get(name)!.slice()
    for (const at of offsets) bytes[at]! ^= 1
    changed.set(name, bytes)
  }
  damage(tables[0]!, 20, 500)
  damage(tables[1]!, 20)
  damage(logs[0]!, 130)
  const { wrong } = verify(changed)
  expect(wrong.map(({ file }) => file)).toEqual([tables[0], tables[0], tables[1], logs[0]])
  expect(wrong[0]!.offset).toBe(0)
  expect(wrong[1]!.offset).toBeGreaterThan(200)
})

test('damage to an index, a footer: blocks are followed by their own lengths, and what is wrong there is told too', () => {
  const name = tables[0]!
  const size = files.get(name)!.length
  const { counts } = verify(files)
  for (const at of [size - 40, size - 5]) {
    const bytes = files.get(name)!.slice()
    bytes[at]! ^= 1
    bytes[20]! ^= 1
    const { wrong, counts: after } = verify(withFile(name, bytes))
    expect(wrong.map(({ offset }) => offset)).toEqual([size - 52, 0])
    expect(after.blocks).toBeGreaterThanOrEqual(counts.blocks)
  }
  const bytes = files.get(name)!.slice()
  const footer = new DataView(bytes.buffer).getUint32(size - 52 + 20, true)
  bytes[footer + 20]! ^= 1
  bytes[20]! ^= 1
  expect(verify(withFile(name, bytes)).wrong.map(({ offset }) => offset)).toEqual([footer, 0])
  bytes[6]! ^= 0xff
  expect(verify(withFile(name, bytes)).wrong).toHaveLength(2)
})

test.each([...tables, ...logs, manifest])('truncations of %s', (name) => {
  const bytes = files.get(name)!
  for (let length = 0; length < bytes.length; length += 37) {
    const { wrong } = verify(withFile(name, bytes.slice(0, length)))
    expect(wrong.map(({ file }) => file)).toContain(name)
  }
})

test.each([...tables, logs[0]!])('%s is missing', (name) => {
  const { wrong, counts } = verify(without(name))
  expect(wrong.some(({ file, what }) => file === name && what.startsWith('it is missing'))).toBe(true)
  expect(counts.tables + counts.logs).toBeGreaterThan(4)
})

test('without a manifest, or with a damaged one, tables and logs are checked by themselves', () => {
  const { wrong } = verify(without(manifest))
  expect(wrong).toHaveLength(6)
  for (const { what } of wrong) expect(what).toBe('it is there, but no manifest is')
  const changed = flipped(manifest, 400)
  expect(verify(changed).wrong).toEqual([{ file: manifest, offset: 0, what: 'checksum' }])
  const bytes = files.get(tables[0]!)!.slice()
  bytes[20]! ^= 1
  expect(verify(changed.set(tables[0]!, bytes)).wrong.map(({ file }) => file)).toEqual([manifest, tables[0]])
})

test('files of each other, and of another store', () => {
  const swapped = new Map(files).set(tables[0]!, files.get(tables[1]!)!).set(tables[1]!, files.get(tables[0]!)!)
  expect(new Set(verify(swapped).wrong.map(({ file }) => file))).toEqual(new Set([tables[0], tables[1]]))
  const renamed = without(manifest).set('000099.manifest', files.get(manifest)!)
  expect(verify(renamed).wrong[0]!.file).toBe('000099.manifest')
})

test('what a crash leaves is noted and not wrong', () => {
  const changed = new Map(files)
  changed.set('000900.temp', new Uint8Array(3)).set('000901.table', new Uint8Array(3))
  changed.set('000001.manifest', new Uint8Array(7))
  const log = changed.get(logs[1]!)!.slice()
  log.set([1, 2, 3], log.length - 100)
  changed.set(logs[1]!, log)
  const { wrong, notes } = verify(changed)
  expect(wrong).toEqual([])
  expect(notes.map(({ file }) => file).sort()).toEqual(
    ['000001.manifest', logs[1], '000900.temp', '000901.table'].sort(),
  )
})

test('nor is damage to an old log that no longer counts, and is there only since its removal was interrupted', () => {
  const disk = SimulatedDisk.with(files)
  compactDirectory(DirectoryReader.open(disk)!, { table: { blockBytes: 200 } })
  const compacted = disk.files()
  for (const log of logs) {
    const bytes = files.get(log)!.slice()
    bytes[5] ^= 1
    const { wrong, notes, counts } = verify(new Map(compacted).set(log, bytes))
    expect(wrong).toEqual([])
    expect(notes).toEqual([{ file: log, offset: 0, what: 'nobody needs it: the next start removes it' }])
    expect(counts.logs).toBe(0)
  }
})

describe('a manifest that says what cannot be', () => {
  function told(change: (made: MadeStore) => Parameters<MadeStore['writeManifest']>[0]): string[] {
    const disk = SimulatedDisk.with(files)
    const made = Object.assign(Object.create(MadeStore.prototype) as MadeStore, store, { disk, nextId: store.nextId })
    made.writeManifest(change(made))
    return verifyDirectory(disk).wrong.map(({ what }) => what)
  }
  const entries = store.manifest.tables

  test('as it is', () => {
    expect(told(() => ({}))).toEqual([])
  })
  test('a file twice', () => {
    expect(told(() => ({ tables: [...entries, entries[0]!] }))).toContain('it names a file twice')
  })
  test('overlapping tables of a level', () => {
    const flat = entries.map((entry) => ({ ...entry, level: 1 }))
    expect(told(() => ({ tables: flat })).join()).toMatch(/tables \d+ and \d+ of level 1 overlap/)
  })
  test('a version that was not flushed', () => {
    expect(told(() => ({ flushedLsn: 3 })).join()).toContain('which was not flushed yet')
  })
  test('an impossible level', () => {
    expect(told(() => ({ tables: [{ ...entries[0]!, level: 1e6 }] })).join()).toContain('is in level 1000000')
  })
  test('other figures of a table', () => {
    const change = { entries: 1e6, deletions: 9, smallestVersion: 0, checksum: 7, largestKey: bytesOf('zzz') }
    const findings = told(() => ({ tables: [{ ...entries[3]!, ...change }, ...entries.slice(0, 3)] }))
    for (const what of ['number of entries', 'number of deletes', 'checksum of the footer', 'greatest key']) {
      expect(findings.join()).toContain(what)
    }
  })
  test('another length', () => {
    expect(told(() => ({ tables: [{ ...entries[0]!, size: 5 }, ...entries.slice(1)] })).join()).toContain(
      'instead of 5',
    )
  })
  test('old versions above new ones', () => {
    // Levels exchanged: what is below is newer.
    const turned = entries.map((entry) => ({ ...entry, level: entry.level === 2 ? 1 : entry.level === 1 ? 2 : 0 }))
    expect(told(() => ({ tables: turned })).join()).toContain('is newer than one above it')
  })
})

describe('a table that is wrong under checksums that fit', () => {
  const name = tables[0]!
  const id = Number.parseInt(name, 10)
  const frames = framesOf(files.get(name)!)
  const [index, filter, properties] = frames.slice(-3)

  /** Changes the payload of a frame, and makes its checksum fit. */
  function told({ offset, length }: Frame, change: (payload: Uint8Array) => void): string {
    const bytes = files.get(name)!.slice()
    change(bytes.subarray(offset + 16, offset + length))
    writeU32(bytes, offset, placedChecksum(bytes, offset + 4, offset + length, id, GENERATION, offset))
    const { wrong } = verify(withFile(name, bytes))
    for (const { file } of wrong) expect(file).toBe(name)
    return wrong.map(({ what }) => what).join()
  }

  test('a filter that denies a key', () => {
    expect(told(filter!, (payload) => payload.fill(0, 8))).toContain('a key is not in the filter')
  })
  test('entries out of order, and behind their separator', () => {
    // The first bytes of a block: shared, unshared, size, sequence, then the whole first key.
    const said = told(frames[0]!, (payload) => payload.set(bytesOf('zz'), Buffer.from(payload).indexOf('key')))
    expect(said).toContain('an entry behind its separator')
    expect(told(frames[1]!, (payload) => payload.set(bytesOf('aa'), Buffer.from(payload).indexOf('key')))).toMatch(
      /entries out of order|belongs to the block before/,
    )
  })
  test('a value that the digest does not know', () => {
    expect(told(frames[1]!, (payload) => (payload[Buffer.from(payload).indexOf('bottom')]! = 66))).toContain('digest')
  })
  test('other counts in the properties', () => {
    expect(told(properties!, (payload) => payload[3]!--)).toContain('keyBytes are')
  })
  test('an index that leaves a block out, or leads elsewhere', () => {
    expect(
      told(index!, (payload) => payload.set([1, 0, 0, 0], Buffer.from(payload).indexOf(littleEndian(frames[1]!)))),
    ).toContain('they do not touch')
  })

  function littleEndian({ offset }: Frame): Buffer {
    const bytes = Buffer.alloc(4)
    bytes.writeUInt32LE(offset)
    return bytes
  }
})

test('a record that is no change', () => {
  const disk = new SimulatedDisk()
  const made = new MadeStore(disk)
  made.set('a', '1')
  const { size, id } = made.log!
  made.log!.addSlot(new Uint8Array(32), 0, TYPE_UNKNOWN, 1, 3)
  made.log!.flush()
  made.lsn = made.log!.nextLsn
  made.set('b', '2')
  const { wrong, counts } = verifyDirectory(disk)
  expect(wrong).toEqual([
    { file: `00000${id}.log`, offset: size, what: `a record has the unknown type ${TYPE_UNKNOWN}` },
  ])
  expect(counts.changes).toBe(2)
})

test('a file that cannot be read is a finding, and the others are read', () => {
  const disk = SimulatedDisk.with(files)
  const broken = Object.create(disk) as SimulatedDisk
  broken.open = (name, access) => {
    const file = disk.open(name, access)
    if (name !== tables[1]) return file
    return Object.assign(Object.create(file) as typeof file, {
      read: () => {
        disk.fault = { at: 0, errno: 'EIO', once: false }
        try {
          return file.read(new Uint8Array(1), 0, 1, 0)
        } finally {
          disk.fault = undefined
        }
      },
    })
  }
  const { wrong, counts } = verifyDirectory(broken)
  expect(wrong).toHaveLength(1)
  expect(wrong[0]!.what).toContain('EIO')
  expect(counts.tables).toBe(4)
})
